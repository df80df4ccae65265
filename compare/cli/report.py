"""The commands about stored runs: ``sidebyside report`` and ``diff``."""

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from compare.cli.status import OK
from tasks.errors import SideBySideError
from tasks.files import write_whole

if TYPE_CHECKING:
    from compare.records.results import Results


def report(
    folder: Annotated[Path, Parameter(name="DIR")],
    *,
    format: Literal["table", "markdown", "html", "csv", "json", "latex"] = "table",
    output: Path | None = None,
    charts: Path | None = None,
) -> int:
    """Show a stored run again.

    Args:
        folder: The folder that run wrote.
        format: The form of the report.
        output: The file to write; standard output, unless given.
        charts: Also write every chart into this folder, as PNG and SVG.
    """
    from compare.report.render import render
    from compare.run.store import read_results

    results = read_results(folder)
    folder = folder if folder.is_dir() else folder.parent
    try:
        if charts:
            from compare.report.charts import write_charts

            charts.mkdir(parents=True, exist_ok=True)
            for path in write_charts(results, folder, charts):
                print(f"written: {path}", file=sys.stderr)
        if format == "table":
            _print_table(results, output)
        elif output:
            write_whole(output, render(results, folder, format, beside=output.parent).encode())
        else:
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8")  # as a page says that it is, whatever the terminal's may be
            print(render(results, folder, format))
    except BrokenPipeError:
        raise
    except OSError as error:
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
    from compare.run.store import read_results

    changes = find_changes(read_results(first), read_results(second))
    print(changes.text())
    return changes.exit_status


def _print_table(results: "Results", output: Path | None) -> None:
    from rich.console import Console

    from compare.report.terminal import print_results

    if output is None:
        print_results(results, Console())
        return
    with output.open("w", encoding="utf-8") as file:
        print_results(results, Console(file=file))
