"""What changed between two runs by more than their intervals allow; and what cannot be compared, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from compare.analysis.groups import Compared
from compare.analysis.rows import Row
from compare.analysis.sections import Section, summarize
from compare.analysis.statistics import MINIMUM_ROUNDS, mean_interval
from compare.records.results import Results
from compare.text import clean, label, times, times_range, workload_label

Change = Literal["better", "worse", "unchanged", "undecided", "changed"]

MACHINE = ("machine", "cpu", "cores", "memory_bytes")
"""Fields of the host that must be equal for speeds to be compared; any other field that differs is only shown."""
GROSS = 0.05
"""With one seed there is no interval; a drop by more than this still counts as worse: rounding never causes it."""


@dataclass(frozen=True)
class Finding:
    """How one quantity of a row, or the ratio of two rows' speeds, changed from the first run to the second.

    Attributes:
        subject: task, recipe, row and workload in words.
        quantity: ``training speed``, ``accuracy``, ``status``, ``certificate``, ``row`` or ``speed beside <row>``.
        change: of the second run against the first; a ratio has ``changed``, because either row may be the cause.
        text: the values in words.
    """

    subject: str
    quantity: str
    change: Change
    text: str


@dataclass(frozen=True)
class Diff:
    """The comparison of two runs.

    Attributes:
        findings: what was compared.
        incomparable: what was not compared, and why.
        differences: host, settings and versions that differ.
        shared: number of rows that are in both runs.
    """

    findings: tuple[Finding, ...]
    incomparable: tuple[str, ...]
    differences: tuple[str, ...]
    shared: int

    @property
    def worse(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.change == "worse")

    @property
    def exit_status(self) -> int:
        """1 if something became worse beyond noise or is lost; 2 if no row is in both runs; otherwise 0."""
        return 2 if not self.shared else 1 if self.worse else 0

    def text(self) -> str:
        """The comparison as plain text, safe to print in a terminal."""
        lines = []
        for change, heading in (
            ("worse", "Worse beyond the intervals"),
            ("better", "Better beyond the intervals"),
            ("changed", "Ratios of two rows that changed beyond the intervals"),
            ("undecided", "Not decided"),
            ("unchanged", "Unchanged within the intervals"),
        ):
            findings = [f"  {f.subject}: {f.quantity}: {f.text}" for f in self.findings if f.change == change]
            lines += [f"{heading}:", *findings] if findings else []
        lines += ["Cannot be compared:", *(f"  {text}" for text in self.incomparable)] if self.incomparable else []
        lines += ["Differs:", *(f"  {text}" for text in self.differences)] if self.differences else []
        return "\n".join(lines or ["Nothing to compare: neither run has a row."]) + "\n"


def find_changes(first: Results, second: Results) -> Diff:
    """Compares two runs; the second is the newer one.

    A speed has changed if its 95 % intervals in the two runs do not overlap. This asks for more evidence than a ratio
    within one run does, because the rounds of two runs were not run in turn, so that nothing cancels between them.
    """
    machine = [_difference(name, first.host, second.host) for name in MACHINE]
    machine_text = ", ".join(text for text in machine if text)
    differences = [f"host: {text}" for text in _differences(first.host, second.host)]
    differences += [f"settings: {text}" for text in _differences(first.settings, second.settings)]
    findings: list[Finding] = []
    incomparable: list[str] = []
    if machine_text:
        incomparable.append(f"speeds: the runs are of different machines ({machine_text})")

    sections = [{(s.task, s.recipe): s for s in summarize(results)} for results in (first, second)]
    rows = [
        {(*key, *row.key, row.workload): row for key, s in by_task.items() for row in s.rows} for by_task in sections
    ]
    shared = 0
    for key in dict.fromkeys([*rows[0], *rows[1]]):
        old, new = rows[0].get(key), rows[1].get(key)
        subject = _subject(old or new)
        if old is None or new is None:
            incomparable.append(f"{subject}: only in the {'second' if old is None else 'first'} run")
            if new is None:
                findings.append(Finding(subject, "row", "worse", "lost: the second run lacks it"))
            continue
        shared += 1
        differences += [f"{subject}: {text}" for text in _row_differences(old, new)]
        findings += _completion(subject, old, new)
        findings += _accuracy(subject, old, new, incomparable)
        if not machine_text:
            findings += _speed(subject, old, new, incomparable)
    if not machine_text:
        for name, section in sections[0].items():
            if name in sections[1]:
                findings += _ratios(section, sections[1][name])
    if any("speed" in finding.quantity and finding.change != "unchanged" for finding in findings):
        differences.append(f"load average before the cells: {_loads(first)} -> {_loads(second)}")
    return Diff(tuple(findings), tuple(dict.fromkeys(incomparable)), tuple(dict.fromkeys(differences)), shared)


def _loads(results: Results) -> str:
    loads = [run.load_average for run in results.runs if run.load_average is not None]
    return f"{min(loads):.1f} to {max(loads):.1f}" if loads else "not recorded"


def _subject(row: Row | None) -> str:
    assert row is not None  # one of two has the key
    return clean(f"{label(row.first)} ({workload_label(*row.workload)})")


def _difference(name: str, first: Mapping[str, object], second: Mapping[str, object]) -> str:
    if first.get(name) == second.get(name):
        return ""
    old, new = (clean(side[name]) if name in side else "not recorded" for side in (first, second))
    return f"{clean(name)}: {old} -> {new}"


def _differences(first: Mapping[str, object], second: Mapping[str, object]) -> list[str]:
    differences = [_difference(name, first, second) for name in dict.fromkeys([*first, *second])]
    return [text for text in differences if text]


def _row_differences(old: Row, new: Row) -> list[str]:
    if not old.completed or not new.completed:
        return []
    before, after = old.completed[0], new.completed[0]
    return _differences(before.versions, after.versions) + _differences(before.settings, after.settings)


def _completion(subject: str, old: Row, new: Row) -> list[Finding]:
    """Whether the runs are still completed and the row is still certified."""
    findings = []
    shares = [len(row.completed) / len(row.runs) for row in (old, new)]
    if old.status != new.status or shares[0] != shares[1]:
        change: Change = "worse" if shares[1] < shares[0] else "better" if shares[1] > shares[0] else "undecided"
        findings.append(Finding(subject, "status", change, f"{old.status} -> {new.status}"))
    if old.verified != new.verified:
        change = "worse" if old.verified else "better"
        text = f"{old.certificate_text} -> {new.certificate_text}"
        findings.append(Finding(subject, "certificate", change, text))
    return findings


def _refusal(old: Row, new: Row) -> str:
    """Why the speeds of a row cannot be compared."""
    for row, which in ((old, "first"), (new, "second")):
        if row.refusal:
            return f"in the {which} run it is not ranked ({row.refusal})"
    if old.conditions != new.conditions:
        return f"settings differ ({', '.join(_differences(dict(old.conditions), dict(new.conditions)))})"
    return "the data differ" if _other_data(old, new) else ""


def _other_data(old: Row, new: Row) -> bool:
    """Whether the data are known to differ; a run without certificates does not record their hash."""
    return None not in (old.data_sha256, new.data_sha256) and old.data_sha256 != new.data_sha256


def _speed(subject: str, old: Row, new: Row, incomparable: list[str]) -> list[Finding]:
    if refusal := _refusal(old, new):
        incomparable.append(f"{subject}: speed: {refusal}")
        return []
    assert old.speed is not None  # _refusal names a row without speeds
    assert new.speed is not None
    if old.speed.interval is None or new.speed.interval is None:
        incomparable.append(f"{subject}: speed: fewer than {MINIMUM_ROUNDS} rounds have no interval")
        return []
    ratio = new.speed.value / old.speed.value
    low, high = new.speed.interval[0] / old.speed.interval[1], new.speed.interval[1] / old.speed.interval[0]
    change: Change = "worse" if high < 1 else "better" if low > 1 else "unchanged"
    figures = f"{old.speed.value:,.0f} -> {new.speed.value:,.0f} examples/s"
    text = f"{figures}, {times(ratio)} times ({times_range(low, high)})"
    return [Finding(subject, "training speed", change, text)]


def _accuracy(subject: str, old: Row, new: Row, incomparable: list[str]) -> list[Finding]:
    seeds = [seed for seed in old.accuracies if seed in new.accuracies]
    if not seeds:
        if old.completed and new.completed:
            incomparable.append(f"{subject}: accuracy: the runs share no seed")
        return []
    rates = [dict(row.conditions).get("learning_rate") for row in (old, new)]
    if _other_data(old, new) or rates[0] != rates[1]:
        what = "learning rates" if rates[0] != rates[1] else "data"
        incomparable.append(f"{subject}: accuracy: the {what} differ")
        return []
    examples = new.completed[0].test_examples
    changes = mean_interval(
        [round(new.accuracies[seed] - old.accuracies[seed], 12) for seed in seeds], 1 / examples if examples else 0.0
    )
    figures = f"{changes.value * 100:+.2f} points"
    if changes.interval is None:
        if changes.value == 0:
            return [Finding(subject, "accuracy", "unchanged", f"{figures}, one seed")]
        change: Change = "worse" if changes.value < -GROSS else "undecided"
        return [Finding(subject, "accuracy", change, f"{figures}, and one seed has no interval")]
    low, high = changes.interval
    change = "worse" if high < 0 else "better" if low > 0 else "unchanged"
    text = f"{figures} ({low * 100:+.2f} to {high * 100:+.2f}, {len(seeds)} seeds)"
    return [Finding(subject, "accuracy", change, text)]


def _ratios(old: Section, new: Section) -> list[Finding]:
    """The ratios of two rows' speeds whose intervals in the two runs do not overlap."""

    def by_names(section: Section) -> dict[tuple[object, ...], Compared]:
        pairs = [*section.comparisons, *section.tutorial_costs]
        return {(p.first.key, p.first.workload, p.second.key, p.second.workload): p for p in pairs}

    findings = []
    later = by_names(new)
    for names, before in by_names(old).items():
        after = later.get(names)
        turned = after is None
        after = later.get((*names[2:], *names[:2])) if after is None else after
        if after is None or before.speed.interval is None or after.speed.interval is None:
            continue
        low, high = after.speed.interval
        low, high = (1 / high, 1 / low) if turned else (low, high)
        if low <= before.speed.interval[1] and before.speed.interval[0] <= high:
            continue
        text = f"{times_range(*before.speed.interval)} times -> {times_range(low, high)} times"
        beside = clean(label(before.second.first, ("backend", "mode", "device")))
        findings.append(Finding(_subject(before.first), f"speed beside {beside}", "changed", text))
    return findings
