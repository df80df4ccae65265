"""The rows of a run by task and recipe, in groups that may be ranked, with the answer for each task.

Rows that may not be ranked are kept, with the reason.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from statistics import geometric_mean
from typing import Any

from backends.about import MODES
from compare.analysis.groups import Compared, Group, compare_rows
from compare.analysis.profiles import profile_of
from compare.analysis.remarks import disturbed, machines, matrix_rates, most_of, remarks
from compare.analysis.rows import Row, measure_of, measures_of
from compare.analysis.scaling import scalings
from compare.analysis.sentence import answer, caveats, count_words, join
from compare.analysis.statistics import MINIMUM_ROUNDS
from compare.records.cell import Subject
from compare.records.certificate import Certificate
from compare.records.profile import Profile
from compare.records.results import Results
from compare.records.run import MachineRate, Run
from compare.text import clean, label, task_label, workload_label

DRIFTING = (
    "in this training rounding alone drives right runs apart ({}): certified are the first steps, and windows of steps"
    " all through the run, computed again from what the run itself held before each"
)


class Section:
    """One task and recipe: its rows, and what may be said about them.

    Attributes:
        task: name of the task.
        recipe: name of the recipe.
        rows: by loop, the fastest first; those that are not ranked come last.
        groups: the rows that may be ranked together.
        most: the most that each machine did beside any run of the comparison.
        hosts: the machines of a cluster, by the names that runs have for them.
        backends: all of the comparison, in alphabetical order.
    """

    def __init__(
        self,
        task: str,
        recipe: str,
        rows: Sequence[Row],
        most: Mapping[str, MachineRate] | None = None,
        backends: Sequence[str] = (),
        hosts: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self.task, self.recipe, self.rows = task, recipe, sorted(rows, key=_place)
        self.most, self.hosts = dict(most or {}), dict(hosts or {})
        self.backends = tuple(backends)
        groups: dict[tuple[object, ...], list[Row]] = {}
        for row in self.rows:
            if not row.refusal:
                key = (row.key[1:], row.first.host, row.workload, row.conditions, row.data_sha256)
                groups.setdefault(key, []).append(row)
        self._refusals = {id(row): row.refusal for row in self.rows if row.refusal}
        for rows_together in groups.values():
            # A row that lost rounds to failures must not keep the others from being compared.
            short = [row for row in rows_together if row.rounds < MINIMUM_ROUNDS]
            if len(short) < len(rows_together):
                rows_together[:] = [row for row in rows_together if row.rounds >= MINIMUM_ROUNDS]
                reason = f"fewer than {count_words(MINIMUM_ROUNDS)} rounds ended well"
                self._refusals |= {id(row): reason for row in short}
        self.groups = [Group(rows_together) for rows_together in groups.values()]

    @property
    def title(self) -> str:
        return task_label(clean(self.task), clean(self.recipe))

    @property
    def profiles(self) -> list[tuple[str, Profile]]:
        """The rows that somebody looked into with a profiler, by their names."""
        found = [(self.label(row), profile_of(row)) for row in self.rows]
        return [(name, profile) for name, profile in found if profile is not None]

    @property
    def measure(self) -> str:
        """What the rows' accuracies are called."""
        return measure_of(self.rows)

    @property
    def measures(self) -> str:
        """The same in the plural."""
        return measures_of(self.rows)

    @cached_property
    def answer(self) -> str:
        """Who is faster, by how much, and whether the rows are the same model: no stronger than the statistics."""
        said = answer(self.title, self.groups, self.rows, self.framework, self.label)
        certified = [row for row in self.rows if not row.refusal]
        said += [f"{found.text(self.label)}." for found in scalings(certified)]
        return " ".join(said) or ("No two rows can be compared." if self.rows else "There are no runs to compare.")

    @cached_property
    def caveats(self) -> str:
        """Which rows are not ranked, which runs failed and what was skipped; empty if there is nothing to say."""
        return " ".join(caveats(self.groups, self.rows, self.label, self.refusal))

    @cached_property
    def tutorial_costs(self) -> list[Compared]:
        """The tuned row over the stock row of the same backend, device and workload: what the tutorial's loop costs."""
        by_mode: dict[str, dict[tuple[object, ...], Row]] = {}
        for row in self.rows:
            if not row.refusal:
                same = (row.key[0], row.key[2], row.first.host, row.workload, row.conditions)
                by_mode.setdefault(row.first.mode, {})[same] = row
        stock = by_mode.get("stock", {})
        pairs = [(tuned, stock[same]) for same, tuned in by_mode.get("tuned", {}).items() if same in stock]
        return [comparison for pair in pairs if (comparison := compare_rows(*pair)) is not None]

    def disturbed(self, row: Row) -> bool:
        """Whether other processes were busy while the row was timed."""
        return bool(disturbed(row))

    def label(self, row: Row) -> str:
        """The row's backend, and its mode, device and workload if these are not the same in all rows."""
        return self._named(row, self._naming[0])

    def framework(self, row: Row) -> str:
        """The same without the mode, which has a column of its own."""
        return self._named(row, [part for part in self._naming[0] if part != "mode"])

    def _named(self, row: Row, parts: Sequence[str]) -> str:
        name = label(row.first, parts)
        return clean(f"{name}, {workload_label(*row.workload)}" if self._naming[1] else name)

    @cached_property
    def _naming(self) -> tuple[list[str], bool]:
        """The parts of a cell that tell the rows apart, and whether the workload does."""
        shared = {part for part in ("mode", "device", "host") if len({getattr(r.first, part) for r in self.rows}) == 1}
        parts = [part for part in ("backend", "mode", "device", "host") if part not in shared]
        return parts, len({row.workload for row in self.rows}) > 1

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """What should be known beside the speeds: whose they are, and a sentence; what many rows share, once."""
        found = [
            (self.label(row), remark) for row in self.rows for remark in remarks(row, self.most.get(row.first.host))
        ]
        drifting = {self.label(row): row.drifting for row in self.rows if row.drifting}
        found += [(join(map(self.label, rows)), said) for said, rows in machines(self.rows, self.hosts).items()]
        if drifting:
            found.append((join(drifting), DRIFTING.format(next(iter(drifting.values())))))
        return found

    @property
    def comparisons(self) -> list[Compared]:
        return [comparison for group in self.groups for comparison in group.comparisons]

    @property
    def failures(self) -> list[tuple[str, Run]]:
        """The runs that began and were not completed, each with its row's label."""
        begun = [(row, run) for row in self.rows for run in row.runs if run.status not in ("ok", "skipped")]
        return [(self.label(row), run) for row, run in begun]

    @property
    def outliers(self) -> str:
        """How many of which row's speeds are far from its others; empty if none is."""
        flagged = [(self.label(row), row.outliers, len(row.speeds)) for row in self.rows if row.outliers]
        return ", ".join(f"{count} of {name}'s {speeds} speeds" for name, count, speeds in flagged)

    def refusal(self, row: Row) -> str:
        """Why a row of the section is not ranked; empty if it may be."""
        return self._refusals.get(id(row), "")

    def group_of(self, row: Row) -> Group:
        """The group of a row that is not refused."""
        return self._groups[id(row)]

    @cached_property
    def _groups(self) -> dict[int, Group]:
        return {id(row): group for group in self.groups for row in group.rows}


def _place(row: Row) -> tuple[int, str, str, bool, float]:
    """What rows are sorted by: loop, device and workload; ranked or not; then speed."""
    speed = geometric_mean(row.speeds.values()) if row.speeds else 0.0
    mode = MODES.index(row.first.mode) if row.first.mode in MODES else len(MODES)
    return mode, row.first.device, str(row.workload), bool(row.refusal), -speed


def summarize(results: Results) -> list[Section]:
    """The sections of a report, in the order of the runs."""
    certificates: dict[Subject, Certificate] = {}
    for certificate in results.certificates:
        certificates.setdefault(certificate.subject, certificate)
    sections: dict[tuple[str, str], dict[tuple[Any, ...], list[Run]]] = {}
    for run in results.runs:
        rows = sections.setdefault((run.task, run.recipe), {})
        key = (run.backend, run.mode, run.device, run.host, run.epochs, run.examples, run.batch_size)
        rows.setdefault(key, []).append(run)
    for subject in certificates:  # a task that was only certified has no runs
        sections.setdefault((subject.task, subject.recipe), {})
    most, rates = most_of(results.runs), matrix_rates(results.runs)
    backends = sorted({run.backend for run in results.runs})
    return [
        Section(
            task,
            recipe,
            [
                Row(tuple(runs), certificates.get(runs[0].subject), rates.get((runs[0].host, runs[0].device)))
                for runs in rows.values()
            ],
            most,
            backends,
            results.hosts,
        )
        for (task, recipe), rows in sections.items()
    ]
