"""What a run came to, complete or not, and how it shows itself."""

import io
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import get_terminal_size
from types import TracebackType
from typing import TYPE_CHECKING

from compare.executors.environment import python_environment
from compare.folders import Scratch
from compare.interrupts import Interrupted
from compare.report.render import ENDINGS
from tasks.errors import SideBySideError
from tasks.files import check_output, write_whole

if TYPE_CHECKING:  # rich and the like are imported when there is something to show
    import pandas

    from compare.records.results import Results

REPORT_NAME = "report.html"


@dataclass(frozen=True, repr=False)
class Comparison:
    """What a run came to; in a notebook it shows itself as the tables and charts of the report.

    Attributes:
        results: everything that was measured, as in ``results.json``.
        folder: where that file, the report and the arrays lie.
    """

    results: "Results"
    folder: Path

    def __repr__(self) -> str:
        from rich.console import Console

        from compare.report.terminal import print_tables

        width = get_terminal_size((100, 24)).columns
        console = Console(file=io.StringIO(), width=width, force_jupyter=False, color_system=None)
        print_tables(self.results, console)
        lines = [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
        return "\n".join([*lines, f"written: {shown_path(self.folder)}"])

    def _repr_html_(self) -> str:
        from compare.report.html import render_cell

        return render_cell(self.results, self.folder)

    def to_pandas(self) -> "pandas.DataFrame":
        """A data frame with one row a cell: every figure and name that is one value, and ``verified``.

        Raises:
            SideBySideError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise SideBySideError("a data frame needs the package pandas: pip install pandas") from error

        runs = [run.model_dump() | {"verified": self.results.verified(run)} for run in self.results.runs]
        return pandas.DataFrame(
            [{name: v for name, v in run.items() if not isinstance(v, dict | list)} for run in runs]
        )

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Writes the report; the ending says in which form: .html, .md, .csv, .json or .tex.

        Raises:
            SideBySideError: the ending is another, or the file cannot be written.
        """
        file = Path(path)
        ending = file.suffix.lower()
        if ending not in ENDINGS:
            raise SideBySideError(f"{file}: name a file that ends in {', '.join(ENDINGS)}")
        check_output(file)
        from compare.report.render import render

        content = render(self.results, self.folder, ENDINGS[ending], beside=file.parent)
        try:
            write_whole(file, content.encode())
        except OSError as error:
            raise SideBySideError(f"{file}: cannot be written ({error.strerror}); name another") from error
        return file

    def draw_report(self) -> str:
        """Writes ``report.html`` into the folder, in a process of its own: the library that draws may end its process.

        Returns:
            one line that says what went wrong; empty if the report is there.
        """
        file = self.folder / REPORT_NAME
        command = [sys.executable, "-P", "-m", "compare", "report", str(self.folder), "--output", str(file)]
        try:
            with Scratch() as scratch:
                subprocess.run(
                    command, env=python_environment(scratch), stdin=subprocess.DEVNULL, capture_output=True, check=True
                )
            return ""
        except subprocess.CalledProcessError as error:
            lines = error.stderr.decode(errors="replace").split("\n")
            reason = next((line for line in reversed(lines) if line.strip()), f"status {error.returncode}")
        except (OSError, SideBySideError) as error:
            reason = str(error)
        shown = shown_path(self.folder)
        again = shlex.join(["sidebyside", "report", str(shown), "--output", str(shown / REPORT_NAME)])
        return f"the report could not be drawn ({reason.removeprefix('sidebyside: ')}); to try again: {again}"


class RunInterruptedError(Interrupted):
    """The run was interrupted, by Ctrl-C or by a signal.

    Attributes:
        comparison: what was done; its folder can be resumed.
    """

    def __init__(self, number: int, comparison: Comparison) -> None:
        super().__init__(number)
        self.comparison = comparison

    def __str__(self) -> str:
        done = sum(run.status != "interrupted" for run in self.comparison.results.runs)
        cells = f"{done} cell{'s' * (done != 1)}"
        folder = shown_path(self.comparison.folder)
        return f"interrupted; what was done ({cells}) is kept in {folder}; go on with resume={str(folder)!r}"

    def _render_traceback_(self) -> list[str]:
        """In a notebook: what was done, and one line; an interrupt is no fault that a traceback would help to find."""
        if "IPython" in sys.modules and self.comparison.results.runs:
            from IPython.display import display

            display(self.comparison)
        return [f"KeyboardInterrupt: {self} (what was done: sys.last_value.comparison)"]


def as_keyboard_interrupt(interrupted: Interrupted) -> KeyboardInterrupt:
    """The exception that leaves ``compare()``, with the same attributes; where nobody catches it, one line is printed.

    It is KeyboardInterrupt itself: only then does Python end as it does after any Ctrl-C, by the signal, so that a
    shell's loop ends too. After another signal it ends with that signal's exit status.
    """
    error = KeyboardInterrupt(str(interrupted) or "interrupted")
    error.__dict__.update(number=interrupted.number)
    if isinstance(interrupted, RunInterruptedError):
        error.__dict__.update(comparison=interrupted.comparison, _render_traceback_=interrupted._render_traceback_)
    sys.excepthook = partial(_show, sys.excepthook)
    return error


def _show(
    before: Callable[[type[BaseException], BaseException, TracebackType | None], object],
    kind: type[BaseException],
    value: BaseException,
    trace: TracebackType | None,
) -> None:
    """Shows an exception that nobody caught: that of an interrupted run in one line, all others as before."""
    number = vars(value).get("number")
    if kind is not KeyboardInterrupt or number is None:
        before(kind, value, trace)
        return
    print(f"KeyboardInterrupt: {value}", file=sys.stderr)
    if number != signal.SIGINT:
        sys.exit(128 + number)


class UnfinishedRunError(SideBySideError):
    """The run could not go on because its folder cannot be written to.

    Attributes:
        comparison: what was done, from memory.
    """

    def __init__(self, message: str, comparison: Comparison) -> None:
        super().__init__(message)
        self.comparison = comparison


def shown_path(path: Path) -> Path:
    """The path as short as it can be named from the current folder."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
