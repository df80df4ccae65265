"""What every form of the report shares: rows, comparisons, and the one sentence that they allow.

A row is one backend, mode, device and workload with all its seeds and rounds. Rows are compared within a group: the
same task, recipe, mode, device, workload, thread budget and data. Only certified rows that ran well are ranked, and
only where there are rounds enough for an interval; all else is shown and said to be unranked, with the reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from compare.report.rows import Row
from compare.results import Certificate, Results, Run
from compare.statistics import MINIMUM_ROUNDS, Comparison, Equivalence, compare_ratio, equivalent, rank
from compare.text import clean

ALL_PAIRS = 6
"""Groups of up to so many rows are compared each with each, larger ones with their fastest only."""
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Compared:
    """Two rows of a group beside each other: the speed of the first over that of the second."""

    first: Row
    second: Row
    speed: Comparison


class Group:
    """Rows that may be ranked together.

    Attributes:
        rows: certified, well and comparable, in the order of the file.
        conflict: why they cannot be ranked together after all; empty where they can.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = list(rows)
        self.conflict = self._conflict()
        shared = [key for key in self.rows[0].speeds if all(key in row.speeds for row in self.rows)]
        self.rounds = len({round_ for _, round_ in shared})
        self._shared = shared

    def _conflict(self) -> str:
        for field, what in (("batches_sha256", "batches"), ("parameters_sha256", "initial parameters")):
            hashes: dict[int, set[str]] = {}
            for row in self.rows:
                for run in row.well:
                    hashes.setdefault(run.seed, set()).update({getattr(run, field)} - {None})
            if any(len(found) > 1 for found in hashes.values()):
                return f"the rows were not trained on the same {what}"
        return ""

    @property
    def decided(self) -> bool:
        """Whether there are two rows and rounds enough to compare them."""
        return len(self.rows) > 1 and self.rounds >= MINIMUM_ROUNDS and not self.conflict

    @cached_property
    def ranks(self) -> dict[int, int]:
        """By index in ``rows``, best first; empty where nothing can be ranked."""
        if not self.decided:
            return {}
        speeds = {str(index): [row.speeds[key] for key in self._shared] for index, row in enumerate(self.rows)}
        return {int(index): place for index, place in rank(speeds).items()}

    @cached_property
    def leader(self) -> int:
        return next(iter(self.ranks), 0)

    @cached_property
    def comparisons(self) -> list[Compared]:
        """Each row with each, or in a large group the leader with each; none where there is nothing to compare."""
        if not self.decided:
            return []
        order = [self.leader, *(index for index in range(len(self.rows)) if index != self.leader)]
        pairs = [(a, b) for a, b in combinations(order, 2) if a == self.leader or len(order) <= ALL_PAIRS]
        found = [compare_rows(self.rows[a], self.rows[b]) for a, b in pairs]
        return [pair for pair in found if pair is not None]

    @cached_property
    def equivalences(self) -> list[Equivalence | None]:
        """Of the accuracies, each row with each over the seeds that both have; None for a pair that shares none.

        In a large group each row with the first.
        """
        found: list[Equivalence | None] = []
        for first, second in combinations(self.rows, 2):
            if first is not self.rows[0] and len(self.rows) > ALL_PAIRS:
                break
            seeds = [seed for seed in first.accuracies if seed in second.accuracies]
            one, other = ([row.accuracies[seed] for seed in seeds] for row in (first, second))
            found.append(equivalent(one, other) if seeds else None)
        return found


def compare_rows(first: Row, second: Row) -> Compared | None:
    """The ratio of two rows' speeds, paired by seed and round; None where they share no round."""
    shared = [key for key in first.speeds if key in second.speeds]
    if not shared:
        return None
    speed = compare_ratio([first.speeds[key] for key in shared], [second.speeds[key] for key in shared])
    if len({round_ for _, round_ in shared}) < MINIMUM_ROUNDS:  # seeds repeat the work, not the measurement
        speed = Comparison(speed.ratio, None, "not distinguishable", speed.rounds)
    return Compared(first, second, speed)


class Section:
    """One task and recipe: its rows, and what may be said of them."""

    def __init__(self, task: str, recipe: str, rows: Sequence[Row]) -> None:
        self.task, self.recipe, self.rows = task, recipe, list(rows)
        groups: dict[tuple[object, ...], list[Row]] = {}
        for row in self.rows:
            if not row.refusal:
                key = (row.key[1:], row.workload, row.conditions, row.data_sha256)
                groups.setdefault(key, []).append(row)
        self._aside = {id(row): row.refusal for row in self.rows if row.refusal}
        for together in groups.values():
            # A row that lost its rounds to failures must not keep the others from being compared.
            few = [row for row in together if row.rounds < MINIMUM_ROUNDS]
            if len(few) < len(together):
                together[:] = [row for row in together if row.rounds >= MINIMUM_ROUNDS]
                reason = f"fewer than {number(MINIMUM_ROUNDS)} rounds ended well"
                self._aside |= {id(row): reason for row in few}
        self.groups = [Group(rows) for rows in groups.values()]

    @property
    def title(self) -> str:
        return clean(self.task) if self.recipe == "standard" else f"{clean(self.task)}, {clean(self.recipe)}"

    @cached_property
    def tutorial_costs(self) -> list[Compared]:
        """Tuned over stock of the same backend, device and workload: what following the tutorial costs."""
        found = []
        for tuned in self.rows:
            for stock in self.rows:
                if tuned.first.mode != "tuned" or stock.first.mode != "stock" or tuned.refusal or stock.refusal:
                    continue
                same = (tuned.key[0], tuned.key[2], tuned.workload, tuned.conditions)
                if same == (stock.key[0], stock.key[2], stock.workload, stock.conditions):
                    found.append(compare_rows(tuned, stock))
        return [pair for pair in found if pair is not None]

    def label(self, row: Row) -> str:
        """The backend, and of the rest what is not the same in all rows."""
        words = [row.key[0]]
        words += [row.key[at] for at in (1, 2) if len({other.key[at] for other in self.rows}) > 1]
        if len({other.workload for other in self.rows}) > 1:
            epochs, examples, batch_size = row.workload
            words.append(f"{epochs} epochs of {examples or 'all'}" + (f" by {batch_size}" if batch_size else ""))
        return clean(" ".join(words))

    @property
    def comparisons(self) -> list[Compared]:
        return [pair for group in self.groups for pair in group.comparisons]

    @property
    def failures(self) -> list[tuple[str, Run]]:
        """The runs that did not end well, each with its row's label."""
        return [(self.label(row), run) for row in self.rows for run in row.runs if run.status != "ok"]

    def refusal(self, row: Row) -> str:
        """Why a row of the section is not ranked; empty where it may be."""
        return self._aside.get(id(row), "")

    def rank_of(self, row: Row) -> int | None:
        for group in self.groups:
            for index, other in enumerate(group.rows):
                if other is row:
                    return group.ranks.get(index)
        return None

    @cached_property
    def sentence(self) -> str:
        """The answer in one sentence, no stronger than the statistics allow."""
        return f"On this machine, for {self.title}, {'; '.join(_clauses(self))}."


def summarize(results: Results) -> list[Section]:
    """The sections of a report, in the order of the runs."""
    certificates: dict[tuple[str, ...], Certificate] = {}
    for certificate in results.certificates:
        certificates.setdefault(certificate.subject, certificate)
    sections: dict[tuple[str, str], dict[tuple[Any, ...], list[Run]]] = {}
    for run in results.runs:
        rows = sections.setdefault((run.task, run.recipe), {})
        key = (run.backend, run.mode, run.device, run.epochs, run.examples, run.batch_size)
        rows.setdefault(key, []).append(run)
    for subject in certificates:  # what was certified alone has no runs
        sections.setdefault((subject[0], subject[1]), {})
    return [
        Section(
            task, recipe, [Row(tuple(runs), certificates.get((task, recipe, *key[:3]))) for key, runs in rows.items()]
        )
        for (task, recipe), rows in sections.items()
    ]


def times(ratio: float) -> str:
    """A ratio with two decimals, or as many as keep it apart from 1; below 0.1 with two digits that count."""
    for decimals in (2, 3, 4):
        text = _ratio(ratio, decimals)
        if float(text.replace(",", "")) != 1 or ratio == 1:
            return text
    return text


def times_range(low: float, high: float) -> str:
    """An interval of ratios, with as many decimals as keep its ends apart, from each other and from 1."""
    low_text, high_text = times(low), times(high)
    for decimals in (3, 4, 5):
        if low_text != high_text or low == high:
            break
        low_text, high_text = _ratio(low, decimals), _ratio(high, decimals)
    return f"{low_text} to {high_text}"


def _ratio(ratio: float, digits: int) -> str:
    return f"{ratio:,.{digits}f}" if ratio >= 0.1 else f"{ratio:.{digits}g}"


def number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def join(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _clauses(section: Section) -> list[str]:
    found = []
    for group in section.groups:
        names = [section.label(row) for row in group.rows]
        found += _speed_clauses(section, group, names)
        if len(names) > 1 and not group.conflict:
            found += _sameness_clauses(group, names)
    for row in section.rows:
        if refusal := section.refusal(row):
            found.append(f"{section.label(row)} is not ranked ({refusal})")
        if row.well and len(row.well) < len(row.runs):
            found.append(f"of {section.label(row)}'s {len(row.runs)} runs, {row.status}")
    return found or ["there are no runs"]


def _speed_clauses(section: Section, group: Group, names: list[str]) -> list[str]:
    if len(names) == 1:
        return [f"{names[0]} has nothing comparable beside it"]
    if group.conflict:
        return [f"{join(names)} cannot be compared ({group.conflict})"]
    if not group.rounds:
        return [f"the speeds of {join(names)} cannot be compared (no round is of them all)"]
    if not group.decided:
        allow = "allows" if group.rounds == 1 else "allow"
        what = f"{number(group.rounds)} round{'' if group.rounds == 1 else 's'}"
        return [f"{what} {allow} no comparison of the speed of {join(names)}"]
    found = []
    for pair in group.comparisons:
        if pair.first is not group.rows[group.leader] or pair.speed.interval is None:
            continue
        first, second, (low, high) = section.label(pair.first), section.label(pair.second), pair.speed.interval
        if pair.speed.verdict == "faster":
            found.append(f"{first} trains {times_range(low, high)} times as fast as {second}")
        elif pair.speed.verdict == "slower":  # a leader by mean that is slower in the rounds that both have
            found.append(f"{second} trains {times_range(1 / high, 1 / low)} times as fast as {first}")
        else:
            found.append(f"{first} and {second} are not distinguishable")
    return found


def _sameness_clauses(group: Group, names: list[str]) -> list[str]:
    everyone = f"all {number(len(names))}" if len(names) > 2 else join(names)
    certified = f"{everyone} are certified identical"
    pairs = [pair for pair in group.equivalences if pair is not None]
    if len(pairs) < len(group.equivalences):
        return [certified, "their accuracies cannot be compared (not every two of them share a seed)"]
    fewest, most = min(pair.seeds for pair in pairs), max(pair.seeds for pair in pairs)
    if fewest == 1:
        return [certified, "one seed allows no statement on their accuracy"]
    seeds = number(most) if fewest == most else f"{number(fewest)} to {number(most)}"
    if all(pair.equivalent for pair in pairs):
        equally = "equally accurate" if len(names) <= ALL_PAIRS else f"as accurate as {names[0]}"
        seeds = str(most) if fewest == most else f"{fewest} to {most}"
        return [f"{certified} and {equally} (within {pairs[0].margin * 100:g} points, {seeds} seeds)"]
    return [certified, f"that they are equally accurate is not shown by {seeds} seeds"]
