"""Tables in the terminal."""

from collections.abc import Callable, Iterable, Mapping
from statistics import median

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from compare import statistics
from compare.report.summary import Section, clean, summarize, times, times_range
from compare.results import Certificate, Distance, Results, Run


def print_results(results: Results, console: Console) -> None:
    """Prints the tables; then the ledger and what went wrong."""
    if not console.is_terminal:
        console.width = max(console.width, 200)  # a file has no edge to fit
    print_tables(results, console)
    print_ledger(results, console)
    if not results.settings.get("certified", True):
        console.print("No certificates were made (--no-certify): every row is unverified.")
    for c in results.certificates:
        if not c.granted:
            subject = f"{c.task} {c.backend} {c.mode} {c.device}"
            console.print(escape(clean(f"refused: {subject}: first to fail: {c.failure}")), soft_wrap=True)
    for run in results.runs:
        if run.status != "ok" or run.message:
            label = f"{run.task} {run.backend} {run.mode} {run.device}"
            console.print(escape(clean(f"{label}: {run.status}: {run.message}")), highlight=False, soft_wrap=True)


def print_tables(results: Results, console: Console) -> None:
    """Prints, for each task and recipe, its table and what may be concluded."""
    lines_of = self_check_lines if results.settings.get("self_check") else comparison_lines
    for section in summarize(results):
        runs = [run for row in section.rows for run in row.runs]
        if not runs:
            continue
        console.print(_task_table(section.task, section.recipe, runs, results, MAIN))
        if console.width >= COSTS_WIDTH:
            console.print(_task_table(section.task, section.recipe, runs, results, COSTS))
        for line in lines_of(section):
            console.print(escape(line), highlight=False, soft_wrap=True)
        console.print()


# Heading, and how a run's figure is found and written; a cell of the table is the median over rounds and seeds.
Column = tuple[str, Callable[[Run], float | None], str]
MAIN: tuple[Column, ...] = (
    ("test\naccuracy", lambda run: run.accuracy, ".4f"),
    ("parameters", lambda run: run.parameter_count, ",.0f"),
    ("training\nexamples/s", lambda run: run.examples_per_second, ",.0f"),
    ("first epoch's\nend, s", lambda run: run.first_epoch_end_seconds, ".1f"),
    ("total, s", lambda run: run.total_seconds, ".1f"),
)
COSTS: tuple[Column, ...] = (
    ("import, s", lambda run: run.import_seconds, ".1f"),
    ("build, s", lambda run: run.build_seconds, ".1f"),
    ("compile, s", lambda run: run.compile_seconds, ".2f"),
    ("to target\naccuracy, s", lambda run: run.seconds_to_target, ".2f"),
    ("share of\nmatrix rate", lambda run: run.share_of_matrix_rate, ".1%"),
    ("inference\nexamples/s", lambda run: run.inference_examples_per_second, ",.0f"),
    ("latency, ms\n(95 %)", lambda run: _times(run.latency_seconds, 1e3), ".2f"),
    ("peak\nmemory, MB", lambda run: _times(run.peak_memory_bytes, 1e-6), ",.0f"),
)


COSTS_WIDTH = 140
"""Columns of text that the second table needs; a narrower terminal is spared it, the results hold it all."""


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _task_table(task: str, recipe: str, runs: list[Run], results: Results, columns: tuple[Column, ...]) -> Table:
    """One row for each backend, mode and device; what is the same in every row stands in the title."""
    keys = list(dict.fromkeys((run.backend, run.mode, run.device) for run in runs))
    varying = [index for index in range(3) if index == 0 or len({key[index] for key in keys}) > 1]
    constant = [keys[0][index] for index in (1, 2) if index not in varying]
    words = [task, *([recipe] if recipe != "standard" else []), *constant]
    table = Table(title=escape(clean(", ".join(words))), title_justify="left", box=box.SIMPLE_HEAD)
    for index in varying:
        table.add_column(("backend", "mode", "device")[index], no_wrap=True)
    for heading, _, _ in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("certificate", no_wrap=True)
    for key in keys:
        words = [escape(clean(key[index])) for index in varying]
        same = [run for run in runs if (run.backend, run.mode, run.device) == key]
        well = [run for run in same if run.status == "ok"]
        figures = [_figure(map(value, well), form) for _, value, form in columns]
        verdict = ("granted" if results.verified(well[0]) else "unverified") if well else same[0].status
        table.add_row(*words, *figures, verdict)
    return table


def print_ledger(results: Results, console: Console) -> None:
    """Prints the fairness ledger: the machine, and what each backend and mode was set to."""
    loads = [run.load_average for run in results.runs if run.load_average is not None]
    host = ", ".join(f"{key} {value}" for key, value in results.host.items())
    console.print(escape(clean(f"machine: {host}")), highlight=False, soft_wrap=True)
    if loads:
        console.print(f"load average before the cells: {min(loads):.1f} to {max(loads):.1f}", highlight=False)
    for subject, run in {(run.task, run.backend, run.mode, run.device): run for run in results.runs}.items():
        if run.settings:
            settings = ", ".join(f"{key} {value}" for key, value in {**run.versions, **run.settings}.items())
            console.print(escape(clean(f"{' '.join(subject)}: {settings}")), highlight=False, soft_wrap=True)


def comparison_lines(section: Section) -> list[str]:
    """The answer in a sentence, and the ratios that it rests on, a line each."""
    lines = [section.sentence]
    for pair in [*section.comparisons, *section.tutorial_costs]:
        speed, names = pair.speed, f"{section.label(pair.first)} over {section.label(pair.second)}"
        if speed.interval is None:
            lines.append(f"{names}: {times(speed.ratio)} times as fast, with too few rounds for an interval")
        else:
            interval = f"95 % interval {times_range(*speed.interval)}"
            lines.append(f"{names}: {times(speed.ratio)} times as fast, {interval}: {speed.verdict}")
    outliers = sum(row.outliers for row in section.rows)
    return [*lines, f"{outliers} of the rounds may be outliers; none is left out"] if outliers else lines


def self_check_lines(section: Section) -> list[str]:
    """Each backend against itself: the even rounds against the odd ones that they were run among."""
    return [_self_check(section.label(row), row.speeds) for row in section.rows if row.verified]


def _self_check(name: str, speeds: Mapping[tuple[int, int], float]) -> str:
    pairs = [
        (speed, speeds[seed, round_ + 1])
        for (seed, round_), speed in speeds.items()
        if round_ % 2 == 0 and (seed, round_ + 1) in speeds
    ]
    if len(pairs) < statistics.MINIMUM_ROUNDS:
        return f"self-check, {name}: needs --rounds {statistics.MINIMUM_ROUNDS} or more"
    comparison = statistics.compare_ratio([first for first, _ in pairs], [second for _, second in pairs])
    assert comparison.interval is not None
    unseen = statistics.smallest_detectable(comparison) or 0.0
    noisy = " This machine is too noisy for smaller claims." if unseen > 0.05 else ""
    verdict = "as it should be" if comparison.verdict == "not distinguishable" else "a difference that is not there"
    return (
        f"self-check, {name} over itself: {times(comparison.ratio)}, 95 % interval {times_range(*comparison.interval)}:"
        f" {verdict}; differences under {100 * unseen:.0f} % could not be seen.{noisy}"
    )


def print_certificates(results: Results, console: Console) -> None:
    """Prints the certificates: for each the distances from the float64 reference, and their share of the limit."""
    for task, recipe in dict.fromkeys((c.task, c.recipe) for c in results.certificates):
        certificates = [c for c in results.certificates if (c.task, c.recipe) == (task, recipe)]
        title = task if recipe == "standard" else f"{task}, {recipe}"
        table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column("relative distance from\nfloat64, share of limit", no_wrap=True)
        groups = list(dict.fromkeys(quantity_group(d.quantity) for c in certificates for d in c.distances))
        for certificate in certificates:
            table.add_column(
                f"{certificate.backend}\n{certificate.mode} {certificate.device}", justify="right", no_wrap=True
            )
        for group in groups:
            found = [_worst(certificate, group) for certificate in certificates]
            table.add_row(
                group,
                *("-" if d is None else f"{d.relative:.1e} {_share(d):4.0%}{'' if d.passed else ' !'}" for d in found),
            )
        table.add_row("certificate", *("granted" if c.granted else "refused" for c in certificates))
        console.print(table)
        for certificate in certificates:
            if not certificate.granted:
                subject = f"{task} {certificate.backend} {certificate.mode} {certificate.device}"
                console.print(escape(f"refused: {subject}: first to fail: {certificate.failure}"), soft_wrap=True)
        for pair in results.pairs:
            if (pair.task, pair.recipe) == (task, recipe):
                distance = f"{pair.relative:.1e} apart at most, in {pair.quantity}"
                console.print(escape(f"{pair.first} and {pair.second}: {distance}"), highlight=False, soft_wrap=True)


def quantity_group(quantity: str) -> str:
    """The line of the table in which a quantity stands: gradients together, parameters together by step."""
    if quantity.startswith("gradient of "):
        return "gradients"
    if " after " in quantity:
        return f"after {quantity.rpartition(' after ')[2]}"
    return quantity


def _worst(certificate: Certificate, group: str) -> Distance | None:
    """The quantity of a group that is nearest to its limit, or furthest beyond."""
    distances = [d for d in certificate.distances if quantity_group(d.quantity) == group]
    return max(distances, key=_share, default=None)


def _share(distance: Distance) -> float:
    """How much of its limit a quantity uses up, by the relative or by the largest absolute distance."""
    absolute = distance.absolute / distance.absolute_limit if distance.absolute_limit else float(distance.absolute > 0)
    return max(distance.relative / distance.limit, absolute)


def _figure(values: Iterable[float | None], form: str) -> str:
    """The median of what is there."""
    there = [value for value in values if value is not None]
    return format(median(there), form) if there else "-"
