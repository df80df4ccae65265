"""The report in a terminal: for each task the answer and its table; then what went wrong."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console

from compare.analysis import statistics
from compare.analysis.overview import overview
from compare.analysis.profiles import time_spent
from compare.analysis.remarks import machine_warning
from compare.analysis.rows import Row
from compare.analysis.sections import Section, summarize
from compare.analysis.sweeps import find_sweeps
from compare.records.certificate import Certificate, Distance
from compare.records.results import Results
from compare.report.columns import LAST_COLUMN, MAIN_COLUMNS, RATIO, Column, filled_columns, ratio_text
from compare.report.distances import by_task, worst_by_group
from compare.report.layout import TextColumn, print_line, print_table, table_width, widen_for_a_file
from compare.report.sweeps import print_sweep
from compare.text import NO_RUNS, clean, label, task_label, times, times_range

EPOCHS = 10
"""Epochs of which a table shows the losses."""
_NAME = ("task", "backend", "mode", "device")


def print_results(results: Results, console: Console, *, verbose: bool = False) -> None:
    """Prints the answers and tables, and every run and certificate that failed; if verbose, the ledger too."""
    widen_for_a_file(console)
    print_tables(results, console, verbose=verbose)
    if verbose:
        print_ledger(results, console)
    if not results.settings.get("certified", True) and not results.certificates:
        why = "--own-randomness" if results.settings.get("own_randomness") else "--no-certify"
        print_line(f"No certificates were made ({why}): every row is unverified.", console)
    _print_judgements([certificate for certificate in results.certificates if not certificate.granted], console)
    _print_checks(results, console)
    _print_failures(results, console)


def _print_failures(results: Results, console: Console) -> None:
    """Prints what went wrong with runs; once if it is the same with several."""
    lines = Counter(
        f"{label(run, _NAME)}: {run.status}{f': {run.message}' if run.message else ''}"
        for run in results.runs
        if run.status != "ok" or run.message
    )
    for line, count in lines.items():
        print_line(f"{line} ({count} runs)" if count > 1 else line, console, indent=2)


def _print_judgements(certificates: Sequence[Certificate], console: Console) -> None:
    """Prints what a certificate is refused for, or from where on it judges nothing."""
    for certificate in certificates:
        if certificate.failure:
            name, first = label(certificate, _NAME), "not judged from" if certificate.undecidable else "first to fail:"
            print_line(f"{certificate.outcome}: {name}: {first} {certificate.failure}", console, indent=2)


def _print_checks(results: Results, console: Console) -> None:
    """The runs whose own check is not granted; the others have passed."""
    for run in results.runs:
        if run.check is not None and not run.check.passed:
            name = label(run, _NAME, seed=run.seed, round=run.round)
            print_line(f"{run.check.outcome}: {name}: {run.check.failure}", console, indent=2)


def print_tables(results: Results, console: Console, *, verbose: bool = False) -> None:
    """Prints, for each task and recipe, what may be concluded, and its table; if verbose, with every column."""
    if not results.runs:
        print_line(NO_RUNS, console)
    sections = summarize(results)
    sweeps = find_sweeps(sections)
    swept = {id(point.section) for sweep in sweeps for point in sweep.points}
    for section in sections:
        if id(section) in swept and not verbose:
            continue
        rows = [row for row in section.rows if row.status != "skipped"]
        if not section.rows:
            continue
        print_line(_title(section, rows or section.rows), console, style="bold")
        if not results.settings.get("self_check"):
            print_line(section.answer, console)
            if section.caveats:
                print_line(section.caveats, console)
        if rows:
            console.print()
            _print_table(section, rows, console)
            other = [column for column in filled_columns(section) if column not in (*MAIN_COLUMNS, LAST_COLUMN)]
            columns = _text_columns(section, rows, other)
            if verbose:
                _print_epochs(section, rows, console)
            if other and (verbose or table_width(columns) <= console.width):  # else they are in the report's page
                console.print()
                print_table(columns[0], columns[1:], console)
        lines = self_check_lines(section) if results.settings.get("self_check") else comparison_lines(section)
        lines += [f"{who}: {time_spent(profile)}" for who, profile in section.profiles]
        lines += [f"{who}: {warning}" for who, warning in section.warnings]
        if lines:
            console.print()
        for line in lines:
            print_line(line, console, indent=2)
        console.print()

    if (sentence := overview(sections).sentence) and not results.settings.get("self_check"):
        print_line(sentence, console)
        console.print()
    for sweep in sweeps:
        print_sweep(sweep, console)
    if warning := machine_warning(results.host):
        print_line(warning, console)
        console.print()


def _title(section: Section, rows: Sequence[Row]) -> str:
    """The task, and the mode and device that all rows share."""
    common = [rows[0].key[at] for at in (1, 2) if len({row.key[at] for row in rows}) == 1]
    return ", ".join([section.title, *common])


def _print_table(section: Section, rows: Sequence[Row], console: Console) -> None:
    """Prints the main table: accuracy, speed and certificate first, which a narrow terminal shows together."""
    first, accuracy, parameters, speed, end = _text_columns(section, rows, (*MAIN_COLUMNS, LAST_COLUMN))
    words = [row.certificate_text.partition(":")[0] for row in rows]
    verdicts = [TextColumn("certificate", words, right=False)]
    if any(row.status != "ok" for row in rows):
        verdicts.append(TextColumn("status", [row.status for row in rows], right=False))
    ratio = TextColumn(RATIO, [ratio_text(section, row).partition(" (")[0] for row in rows])
    print_table(first, [accuracy, speed, *verdicts, ratio, parameters, end], console)


def _print_epochs(section: Section, rows: Sequence[Row], console: Console) -> None:
    """Prints training loss, validation loss and accuracy of each row's first run, after at most ten epochs."""
    for row in rows:
        run = row.completed[0] if row.completed else None
        if run is None or run.curve is None or not run.curve.epochs:
            continue
        curve = run.curve
        last = len(curve.epochs) - 1
        chosen = sorted({round(at * last / (EPOCHS - 1)) for at in range(EPOCHS)})
        console.print()
        title = f"{section.label(row)}: " + (
            "a second training, off the clock" if curve.apart else "the timed training"
        )
        print_line(title, console, indent=2)
        columns = [
            TextColumn("training loss", [f"{run.losses[curve.epochs[at] - 1]:.4f}" for at in chosen]),
            TextColumn("validation loss", [f"{curve.losses[at]:.4f}" for at in chosen]),
            TextColumn(f"test {row.measure}", [f"{curve.accuracies[at]:.4f}" for at in chosen]),
        ]
        print_table(TextColumn("epoch", [f"{curve.epochs[at]:,}" for at in chosen]), columns, console)


def _text_columns(section: Section, rows: Sequence[Row], columns: Sequence[Column]) -> list[TextColumn]:
    names = TextColumn("backend", [section.label(row) for row in rows], right=False)
    return [names, *(TextColumn(c.title(rows), [c.figure(row).text for row in rows]) for c in columns)]


def print_ledger(results: Results, console: Console) -> None:
    """Prints the fairness ledger: the machine, and the versions and settings of each backend and mode."""
    loads = [run.load_average for run in results.runs if run.load_average is not None]
    host = ", ".join(f"{key} {value}" for key, value in results.host.items())
    print_line(f"machine: {host}", console, indent=2)
    if loads:
        print_line(f"load average before the cells: {min(loads):.1f} to {max(loads):.1f}", console, indent=2)
    for name, run in {label(run, _NAME): run for run in results.runs}.items():
        if run.settings:
            settings = ", ".join(f"{key} {value}" for key, value in {**run.versions, **run.settings}.items())
            print_line(f"{name}: {settings}", console, indent=2)
    console.print()


def comparison_lines(section: Section) -> list[str]:
    """A line for each ratio that the answer rests on."""
    lines = []
    pairs = [*((pair, "") for pair in section.comparisons), *((pair, pair.input) for pair in section.tutorial_costs)]
    for pair, tutorial_input in pairs:
        speed, names = pair.speed, f"{section.label(pair.first)} over {section.label(pair.second)}"
        if speed.interval is None:
            lines.append(f"{names}: {times(speed.ratio)} times as fast, with too few rounds for an interval")
        else:
            interval = f"95 % interval {times_range(*speed.interval)}"
            lines.append(f"{names}: {times(speed.ratio)} times as fast, {interval}: {speed.verdict}")
        if tutorial_input:
            lines[-1] += f"; the tutorial's input: {tutorial_input}"
    return [*lines, f"outliers, which are kept: {section.outliers}"] if section.outliers else lines


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
    widen_for_a_file(console)
    pairs = by_task(results.pairs)
    for (task, recipe), certificates in by_task(results.certificates).items():
        print_line(task_label(task, recipe), console, style="bold")
        print_line("relative distance from float64, and its share of the limit", console)
        console.print()
        _print_certificates(certificates, console)
        console.print()
        _print_judgements(certificates, console)
        for pair in pairs.get((task, recipe), []):
            distance = f"{pair.relative:.1e} apart at most, in {pair.quantity}"
            print_line(f"{pair.first} and {pair.second}: {distance}", console, indent=2)
        console.print()


def _print_certificates(certificates: Sequence[Certificate], console: Console) -> None:
    """Prints a table with a column for each certificate, and a line for each group of quantities."""
    worst = [worst_by_group(certificate.distances) for certificate in certificates]
    groups = list(dict.fromkeys(group for distances in worst for group in distances))
    first = TextColumn("quantity", [*map(clean, groups), "certificate"], right=False)
    others = [
        TextColumn(
            clean(label(certificate, ("backend", "mode", "device"))),
            [*(_distance_text(distances.get(g)) for g in groups), certificate.outcome],
        )
        for certificate, distances in zip(certificates, worst, strict=True)
    ]
    print_table(first, others, console)


def _distance_text(distance: Distance | None) -> str:
    if distance is None:
        return "-"
    mark = " ?" if not distance.decidable else "" if distance.passed else " !"
    return f"{distance.relative:.1e} {distance.share:4.0%}{mark}"
