"""The report in a terminal: tables, certificates, and what went wrong."""

from collections.abc import Mapping, Sequence
from textwrap import fill

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from compare.analysis import statistics
from compare.analysis.sections import Section, summarize
from compare.report.columns import MAIN_COLUMNS, Column, filled_columns
from compare.report.distances import share_of_limit, worst_by_group
from compare.results import Certificate, Distance, Results
from compare.text import clean, label, task_label, times, times_range

_NAME = ("task", "backend", "mode", "device")


def print_results(results: Results, console: Console) -> None:
    """Prints the tables, the ledger, and every run and certificate that failed."""
    if not console.is_terminal:
        console.width = max(console.width, 400)  # a file has no edge to fit
    print_tables(results, console)
    print_ledger(results, console)
    if not results.settings.get("certified", True) and not results.certificates:
        console.print("No certificates were made (--no-certify): every row is unverified.")
    _print_refused(results.certificates, console)
    for run in results.runs:
        if run.status != "ok" or run.message:
            _print_line(f"{label(run, _NAME)}: {run.status}: {run.message}", console)


def _print_line(text: str, console: Console) -> None:
    console.print(escape(clean(text)), highlight=False, soft_wrap=True)


def _print_refused(certificates: Sequence[Certificate], console: Console) -> None:
    for certificate in certificates:
        if not certificate.granted:
            text = f"refused: {label(certificate, _NAME)}: first to fail: {certificate.failure}"
            console.print(escape(clean(text)), soft_wrap=True)


def print_tables(results: Results, console: Console) -> None:
    """Prints, for each task and recipe, its table and what may be concluded."""
    lines_of = self_check_lines if results.settings.get("self_check") else comparison_lines
    for section in summarize(results):
        if not section.rows:
            continue
        console.print(_task_table(section, MAIN_COLUMNS))
        table = _task_table(section, [column for column in filled_columns(section) if column not in MAIN_COLUMNS])
        if console.measure(table).maximum <= console.width:  # the other figures are in the other forms of the report
            console.print(table)
        for line in lines_of(section):
            _print_line(line, console)
        console.print()


def _task_table(section: Section, columns: Sequence[Column]) -> Table:
    """A table with a line for each row; the mode and device that all rows share stand in the title."""
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
    """Prints the fairness ledger: the machine, and the versions and settings of each backend and mode."""
    loads = [run.load_average for run in results.runs if run.load_average is not None]
    host = ", ".join(f"{key} {value}" for key, value in results.host.items())
    _print_line(f"machine: {host}", console)
    if loads:
        console.print(f"load average before the cells: {min(loads):.1f} to {max(loads):.1f}", highlight=False)
    for name, run in {label(run, _NAME): run for run in results.runs}.items():
        if run.settings:
            settings = ", ".join(f"{key} {value}" for key, value in {**run.versions, **run.settings}.items())
            _print_line(f"{name}: {settings}", console)


def comparison_lines(section: Section) -> list[str]:
    """The answer in a sentence; then a line for each ratio that it rests on."""
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
    """A line for each certified row: the speeds of its even rounds relative to those of the odd rounds after them."""
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
        console.print(_certificate_table(task_label(task, recipe), certificates))
        _print_refused(certificates, console)
        for pair in results.pairs:
            if (pair.task, pair.recipe) == (task, recipe):
                distance = f"{pair.relative:.1e} apart at most, in {pair.quantity}"
                _print_line(f"{pair.first} and {pair.second}: {distance}", console)


def _certificate_table(title: str, certificates: Sequence[Certificate]) -> Table:
    """A table with a column for each certificate, and a line for each group of quantities."""
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("relative distance from\nfloat64, share of limit", no_wrap=True)
    for certificate in certificates:
        heading = f"{certificate.backend}\n{label(certificate, ('mode', 'device'))}"
        table.add_column(heading, justify="right", no_wrap=True)
    worst = [worst_by_group(certificate.distances) for certificate in certificates]
    for group in dict.fromkeys(group for distances in worst for group in distances):
        table.add_row(group, *(_distance_text(distances.get(group)) for distances in worst))
    table.add_row("certificate", *("granted" if c.granted else "refused" for c in certificates))
    return table


def _distance_text(distance: Distance | None) -> str:
    if distance is None:
        return "-"
    return f"{distance.relative:.1e} {share_of_limit(distance):4.0%}{'' if distance.passed else ' !'}"
