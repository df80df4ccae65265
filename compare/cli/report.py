"""The commands about stored runs: ``sidebyside report`` and ``diff``."""

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from compare.cli.status import OK
from compare.report.render import ENDINGS
from tasks.errors import SideBySideError
from tasks.files import check_output, write_whole

if TYPE_CHECKING:
    from compare.records.results import Results

Form = Literal["table", "markdown", "html", "csv", "json", "latex", "pyperf"]


def report(
    folder: Annotated[Path, Parameter(name="DIR")],
    *,
    format: Form | None = None,
    output: Path | None = None,
    charts: Path | None = None,
    log_to: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative_iterable=())] = (),
    verbose: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Show a stored run again.

    Args:
        folder: The folder that run wrote.
        format: The form of the report; the one that the output's name ends in, else a table, unless given.
        output: The file to write; standard output, unless given.
        charts: Also write every chart into this folder, as PNG and SVG.
        log_to: Log the results to a tracker, and show nothing: mlflow:sqlite:///runs.db, or tensorboard:FOLDER.
        verbose: In the table, also show every column and the fairness ledger.
    """
    form = _form(format, output)
    if output:
        check_output(output)
    from compare.report.render import render
    from compare.run.reading import read_results

    results = read_results(folder)
    if log_to:
        from compare.trackers import log_results

        for target in log_to:
            print(f"logged to {target}: {log_results(results, target)} runs")
        return OK
    folder = folder if folder.is_dir() else folder.parent
    try:
        if charts:
            from compare.report.charts import write_charts

            charts.mkdir(parents=True, exist_ok=True)
            for path in write_charts(results, folder, charts):
                print(f"written: {path}", file=sys.stderr)
        if form == "table":
            _print_table(results, output, verbose=verbose)
        elif output:
            write_whole(output, render(results, folder, form, beside=output.parent).encode())
        else:
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8")  # as a page says that it is, whatever the terminal's may be
            print(render(results, folder, form))
    except OSError as error:
        if error.filename is None:  # standard output: its reader has gone, or its disk is full
            raise
        raise SideBySideError(f"{error.filename}: cannot be written ({error.strerror}); name another") from error
    if output:
        print(f"written: {output}", file=sys.stderr)
    return OK


def diff(first: Annotated[Path, Parameter(name="DIR1")], second: Annotated[Path, Parameter(name="DIR2")]) -> int:
    """Show what changed from one run to another, beyond noise.

    Args:
        first: The folder of the earlier run.
        second: The folder of the later run.
    """
    from compare.analysis.changes import find_changes
    from compare.report.layout import print_lines
    from compare.run.reading import read_results

    changes = find_changes(read_results(first), read_results(second))
    print_lines(changes.text().splitlines(), indent=4)
    return changes.exit_status


def _form(format: Form | None, output: Path | None) -> Form:
    """The form of a report: as it was asked for, or as the name of its file says.

    Raises:
        SideBySideError: these contradict each other, or the name says nothing that is known.
    """
    ending = output.suffix.lower() if output else ""
    forms: dict[str, Form] = {**ENDINGS, ".txt": "table"}
    if format is None and ending and ending not in forms:
        raise SideBySideError(f"{output}: name a file that ends in {', '.join(forms)}, or give --format")
    form = forms.get(ending, "table") if format is None else format
    if form != forms.get(ending, form):
        raise SideBySideError(f"{output}: --format {form} contradicts this name, whose ending says {forms[ending]}")
    return form


def _print_table(results: "Results", output: Path | None, *, verbose: bool) -> None:
    from rich.console import Console

    from compare.report.terminal import print_results

    if output is None:
        print_results(results, Console(), verbose=verbose)
        return
    with output.open("w", encoding="utf-8") as file:
        print_results(results, Console(file=file), verbose=verbose)
