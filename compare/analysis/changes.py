"""What changed between two runs by more than their intervals allow; and what cannot be compared, and why."""

from collections.abc import Mapping, Sequence

from compare.analysis.findings import Change, Diff, Finding
from compare.analysis.groups import Compared
from compare.analysis.rows import Row
from compare.analysis.sections import Section, summarize
from compare.analysis.statistics import MINIMUM_ROUNDS, mean_interval
from compare.records.results import Results
from compare.text import clean, label, times, times_range, workload_label
from tasks.errors import SideBySideError
from tasks.mnist import SHA256

MACHINE = ("machine", "cpu", "cores", "cpu_quota", "memory_bytes")
"""Fields of the host that must be equal for speeds to be compared; any other field that differs is only shown."""
NAMED = 3
"""The rows that are named, of each of two runs that have none in common."""
LONGEST = 100
"""Characters of such a name that are shown; a damaged file may hold names of any length."""
GROSS = 0.05
"""With one seed there is no interval; a drop by more than this still counts as worse: rounding never causes it."""


def find_changes(first: Results, second: Results) -> Diff:
    """Compares two runs; the second is the newer one.

    A speed has changed if its 95 % intervals in the two runs do not overlap. This asks for more evidence than a ratio
    within one run does, because the rounds of two runs were not run in turn, so that nothing cancels between them.

    Raises:
        SideBySideError: the runs have no row in common.
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
    if not rows[0].keys() & rows[1].keys():
        raise SideBySideError(_nothing_shared(*(list(by_key.values()) for by_key in rows)))
    other_files = _data_file(first) != _data_file(second)
    for key in dict.fromkeys([*rows[0], *rows[1]]):
        old, new = rows[0].get(key), rows[1].get(key)
        subject = _subject(old or rows[1][key])
        if old is None or new is None:
            if new is None:
                findings.append(Finding(subject, "row", "worse", "lost: the second run lacks it"))
            else:
                incomparable.append(f"{subject}: only in the second run")
            continue
        differences += [f"{subject}: {text}" for text in _row_differences(old, new)]
        findings += _completion(subject, old, new)
        data = _other_data(old, new, other_files=other_files)
        findings += _accuracy(subject, old, new, incomparable, "the data files differ" if other_files else data)
        if not machine_text:
            findings += _speed(subject, old, new, incomparable, data)
    if not machine_text:
        for name, section in sections[0].items():
            if name in sections[1]:
                findings += _ratios(section, sections[1][name])
    if any("speed" in finding.quantity and finding.change != "unchanged" for finding in findings):
        differences.append(f"load average before the cells: {_loads(first)} -> {_loads(second)}")
    return Diff(tuple(findings), tuple(dict.fromkeys(incomparable)), tuple(dict.fromkeys(differences)))


def _nothing_shared(first: Sequence[Row], second: Sequence[Row]) -> str:
    """What each of two runs has that have no row in common."""
    has = []
    for rows in (first, second):
        more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
        names = [name if len(name) <= LONGEST else f"{name[:LONGEST]}..." for name in map(_subject, rows[:NAMED])]
        has.append((", ".join(names) or "no row") + more)
    return f"the runs have no row in common to compare: the first has {has[0]}; the second has {has[1]}"


def _loads(results: Results) -> str:
    loads = [run.load_average for run in results.runs if run.load_average is not None]
    return f"{min(loads):.1f} to {max(loads):.1f}" if loads else "not recorded"


def _subject(row: Row) -> str:
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
    return ""


def _data_file(results: Results) -> object:
    """The hash of the file that the run's data are from; None if they are the tasks' own."""
    recorded = results.settings.get("data_sha256")
    return None if recorded == SHA256 else recorded


def _other_data(old: Row, new: Row, *, other_files: bool) -> str:
    """How the training data differ; empty if they do not.

    Certified rows have a hash of their training data. If one has none, only the files of the two runs can tell.
    """
    if None in (old.data_sha256, new.data_sha256):
        return "the data files differ" if other_files else ""
    return "the data differ" if old.data_sha256 != new.data_sha256 else ""


def _speed(subject: str, old: Row, new: Row, incomparable: list[str], data: str) -> list[Finding]:
    if refusal := _refusal(old, new) or data:
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


def _accuracy(subject: str, old: Row, new: Row, incomparable: list[str], data: str) -> list[Finding]:
    seeds = [seed for seed in old.accuracies if seed in new.accuracies]
    if not seeds:
        if old.completed and new.completed:
            incomparable.append(f"{subject}: {new.measure}: the runs share no seed")
        return []
    rates = [dict(row.conditions).get("learning_rate") for row in (old, new)]
    if refusal := "the learning rates differ" if rates[0] != rates[1] else data:
        incomparable.append(f"{subject}: {new.measure}: {refusal}")
        return []
    differences = [round(new.accuracies[seed] - old.accuracies[seed], 12) for seed in seeds]
    changes = mean_interval(differences, new.resolution)
    figures = f"{changes.value * 100:+.2f} points"
    if changes.interval is None:
        if changes.value == 0:
            return [Finding(subject, new.measure, "unchanged", f"{figures}, one seed")]
        change: Change = "worse" if changes.value < -GROSS else "undecided"
        return [Finding(subject, new.measure, change, f"{figures}, and one seed has no interval")]
    low, high = changes.interval
    change = "worse" if high < 0 else "better" if low > 0 else "unchanged"
    text = f"{figures} ({low * 100:+.2f} to {high * 100:+.2f}, {len(seeds)} seeds)"
    return [Finding(subject, new.measure, change, text)]


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
