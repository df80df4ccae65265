"""The Python API: one call trains and compares; the command line's ``run`` is the same call."""

import inspect
import io
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import get_terminal_size
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ParamSpec

import backends
from compare.report.render import ENDINGS
from compare.run.options import RunOptions, make_options
from tasks import load_task
from tasks.errors import DataError, SideBySideError

if TYPE_CHECKING:  # rich and the like are imported when there is something to run or to show
    import pandas

    from compare.records.results import Results
    from compare.run.progress import Progress

REPORT_NAME = "report.html"
Arguments = ParamSpec("Arguments")


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
        if file.suffix not in ENDINGS:
            raise SideBySideError(f"{file}: name a file that ends in {', '.join(ENDINGS)}")
        return _write_report(self.results, self.folder, file)


def _with_options_of(
    options: Callable[Arguments, RunOptions],
) -> Callable[[Callable[[RunOptions], Comparison]], Callable[Arguments, Comparison]]:
    """Gives a function the arguments of RunOptions: by name, or ``tasks`` and ``backends`` by position too."""

    def decorate(function: Callable[[RunOptions], Comparison]) -> Callable[Arguments, Comparison]:
        def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Comparison:
            given: dict[str, Any] = dict(signature.bind(*args, **kwargs).arguments)
            return function(make_options(given))

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters = [
            parameter.replace(kind=kind) if parameter.name in ("tasks", "backends") else parameter
            for parameter in inspect.signature(options).parameters.values()
        ]
        signature = inspect.Signature(parameters, return_annotation=Comparison)
        call.__signature__ = signature  # type: ignore[attr-defined]
        call.__name__ = call.__qualname__ = function.__name__
        call.__module__ = function.__module__
        arguments = "\n".join(f"    {name}: {field.description}" for name, field in RunOptions.model_fields.items())
        call.__doc__ = (function.__doc__ or "").replace("    ARGUMENTS", arguments)
        return call

    return decorate


@_with_options_of(RunOptions)
def compare(options: RunOptions) -> Comparison:
    """Trains the same models with several frameworks, each cell in a process of its own, and compares them.

    Args:
    ARGUMENTS

    Returns:
        the results, which show themselves, and the folder with ``results.json`` and ``report.html``.

    Raises:
        SideBySideError: an argument is wrong, or no framework is installed: one line that says what to do.
    """
    return run_comparison(options, options.as_call())


def run_comparison(options: RunOptions, command: str) -> Comparison:
    """Runs a comparison and writes its results and its report.

    Args:
        options: of the run.
        command: how to repeat it, for the report.

    Raises:
        SideBySideError: no framework is installed, the data do not fit, or the folder cannot be used.
    """
    absent = [message for name in options.backend_names if (message := backends.missing(name))]
    if len(absent) == len(options.backend_names):
        raise SideBySideError("; ".join(absent))
    _check_data(options)

    from compare.executors.local import LocalExecutor
    from compare.run.plan import list_cells
    from compare.run.runner import Runner
    from compare.run.store import read_results

    earlier = None if options.resume is None else read_results(Path(options.resume))
    folder = Path(options.resume or options.output or Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S}")
    _make_folder(folder, empty=options.resume is None)
    folder = folder.absolute()  # a notebook may go elsewhere before it shows the results
    with (
        TemporaryDirectory(prefix="sidebyside-") as cache,  # of compilers: the first of several rounds finds it empty
        _progress() as progress,
    ):
        executor = LocalExecutor(options.worker_threads, compile_cache=None if options.rounds == 1 else Path(cache))
        runner = Runner(options, folder, executor, progress, command=command)
        results = runner.run(list_cells(options), earlier)
    _write_report(results, folder, folder / REPORT_NAME)
    return Comparison(results, folder)


def shown_path(path: Path) -> Path:
    """The path as short as it can be named from the current folder."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _check_data(options: RunOptions) -> None:
    """Reads the data file once before any cell is started. Raises DataError."""
    if options.data_file is None:
        return
    if not all(load_task(name).accepts_file for name in options.tasks):
        raise DataError("a data file is for the mnist tasks alone: name them, and leave out the others")
    from tasks.mnist import read_digits

    read_digits(options.data_file)


def _make_folder(folder: Path, *, empty: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if empty and any(folder.iterdir()):
            raise SideBySideError(f"{folder} is not empty: name another folder, or resume that run")
    except OSError as error:
        raise SideBySideError(f"{folder}: cannot be a run's folder ({error.strerror}); name another") from error


def _progress() -> AbstractContextManager["Progress"]:
    """In a notebook the output of the cell; else a bar on a terminal, or lines on standard error."""
    from rich.console import Console

    from compare.run.progress import NotebookProgress, TerminalProgress

    return NotebookProgress() if Console().is_jupyter else TerminalProgress(Console(stderr=True))


def _write_report(results: "Results", folder: Path, file: Path) -> Path:
    from compare.report.render import render
    from tasks.files import write_whole

    content = render(results, folder, ENDINGS[file.suffix], beside=file.parent)
    try:
        write_whole(file, content.encode())
    except OSError as error:
        raise SideBySideError(f"{file}: cannot be written ({error.strerror}); name another") from error
    return file
