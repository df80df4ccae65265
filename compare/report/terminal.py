"""Tables in the terminal."""

from collections.abc import Mapping, Sequence
from textwrap import fill

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from compare.analysis import statistics
from compare.analysis.sections import Section, summarize
from compare.records.certificate import Certificate, Distance
from compare.records.results import Results
from compare.report.columns import COLUMNS, Column
from compare.report.tables import MAIN, main_columns
from compare.text import clean, times, times_range


def print_results(results: Results, console: Console) -> None:
    """Prints the tables; then the ledger and what went wrong."""
    if not console.is_terminal:
        console.width = max(console.width, 400)  # a file has no edge to fit
    print_tables(results, console)
    print_ledger(results, console)
    if not results.settings.get("certified", True) and not results.certificates:
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
        if not section.rows:
            continue
        console.print(_task_table(section, main_columns()))
        costs = [column for column in COLUMNS if column.name not in MAIN]
        costs = [column for column in costs if any(column.figure(row).value is not None for row in section.rows)]
        table = _task_table(section, costs)
        if console.measure(table).maximum <= console.width:  # a narrow terminal is spared it, the results hold it all
            console.print(table)
        for line in lines_of(section):
            console.print(escape(line), highlight=False, soft_wrap=True)
        console.print()


def _task_table(section: Section, columns: Sequence[Column]) -> Table:
    """One line for each row; the mode and device that all share stand in the title."""
    common = [section.rows[0].key[at] for at in (1, 2) if len({row.key[at] for row in section.rows}) == 1]
    title = clean(", ".join([section.title, *common]))
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("backend", no_wrap=True)
    for column in columns:
        table.add_column(fill(column.heading, 13), justify="right", no_wrap=True)
    table.add_column("certificate", no_wrap=True)
    if any(row.status != "ok" for row in section.rows):
        table.add_column("status")
    for row in section.rows:
        figures = [column.figure(row).text for column in columns]
        verdict = "unverified" if row.certificate is None else "granted" if row.verified else "refused"
        words = (escape(word) for word in (section.label(row), *figures, verdict, row.status))
        table.add_row(*list(words)[: len(table.columns)])
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
