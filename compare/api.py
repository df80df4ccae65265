"""The Python API: one call trains and compares; the command line's ``run`` is the same call."""

import inspect
import shlex
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

from compare.comparison import Comparison, RunInterruptedError, UnfinishedRunError, as_keyboard_interrupt, shown_path
from compare.interrupts import Interrupted, handled
from compare.records.cell import Cell
from compare.records.results import Results
from compare.run.options import RunOptions, make_options
from compare.run.repeating import as_call
from tasks import load_task
from tasks.errors import DataError, SideBySideError, UnknownNameError
from tasks.file_source import FileSource
from tasks.registry import given_word

if TYPE_CHECKING:  # rich and the like are imported when there is something to run or to show
    from compare.executors.local import LocalExecutor
    from compare.run.machines import Machines
    from compare.run.progress import Progress
    from compare.run.runner import Runner
    from compare.run.store import Store

Arguments = ParamSpec("Arguments")


def _with_options_of(
    options: Callable[Arguments, RunOptions],
) -> Callable[[Callable[[RunOptions], Comparison]], Callable[Arguments, Comparison]]:
    """Gives a function the arguments of RunOptions: by name, or ``tasks`` and ``backends`` by position too."""

    def decorate(function: Callable[[RunOptions], Comparison]) -> Callable[Arguments, Comparison]:
        def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Comparison:
            for name in kwargs:
                if name not in signature.parameters:
                    raise TypeError(str(UnknownNameError("argument", name, tuple(signature.parameters))))
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
        fields = RunOptions.model_fields.items()
        described = (f"        {name}: {' '.join((field.description or '').split())}" for name, field in fields)
        arguments = "\n".join(described)
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
        KeyboardInterrupt: the run was interrupted; its ``comparison`` holds what was done, if it had begun.
    """
    from compare.run.claim import EarlierRunError

    try:
        with handled():
            comparison = run_comparison(options, as_call(options))
            try:
                failure = comparison.draw_report()
            except Interrupted as error:
                raise RunInterruptedError(error.number, comparison) from None
    except Interrupted as error:
        raise as_keyboard_interrupt(error) from None
    except EarlierRunError as error:
        raise EarlierRunError(error.folder, f"resume={str(error.folder)!r}") from None
    if failure:
        warnings.warn(failure, stacklevel=3)
    return comparison


def run_comparison(options: RunOptions, command: str) -> Comparison:
    """Runs a comparison and writes its results; the report is not drawn yet.

    Args:
        options: of the run.
        command: how to repeat it, for the report.

    Raises:
        SideBySideError: no framework is installed, the data do not fit, or the folder cannot be used.
        RunInterruptedError: the run was interrupted.
    """
    from compare.executors.address import ClusterError
    from compare.folders import cache
    from compare.run.claim import StoreError, new_folder
    from compare.run.precision import run_rounds
    from compare.run.store import open_store

    check_data(options)
    with handled(), _progress() as progress, _runner_of(options, progress, command) as make_runner:
        folder = Path(options.resume or options.output or new_folder(Path("runs")))
        with open_store(folder, resume=options.resume is not None, note=progress.note) as store:
            if cache().note:
                progress.note(cache().note)

            def run(options: RunOptions, cells: Sequence[Cell]) -> Results:
                return make_runner(options, store).run(cells)

            try:
                results = run_rounds(options, run, progress.note)
                _log(results, options.log_to, store.folder, progress.note)
                return Comparison(results, store.folder)
            except KeyboardInterrupt as error:
                number = error.number if isinstance(error, Interrupted) else signal.SIGINT
                raise RunInterruptedError(number, Comparison(store.results, store.folder)) from None
            except (StoreError, ClusterError) as error:
                raise UnfinishedRunError(str(error), Comparison(store.results, store.folder)) from error


@contextmanager
def _runner_of(
    options: RunOptions, progress: "Progress", command: str
) -> Iterator[Callable[[RunOptions, "Store"], "Runner | Machines"]]:
    """What makes the runner of options and a store: one of this machine, or one of a cluster's machines."""
    from compare.folders import Scratch
    from compare.run.runner import Runner

    if options.scheduler is not None:
        from compare.executors.address import check_address
        from compare.executors.cluster import Cluster
        from compare.run.machines import Machines

        check_address(options.scheduler, insecure=options.insecure)
        with Cluster(options.scheduler, options.backend_names) as cluster:
            cluster.wait()
            yield lambda options, store: Machines(options, store, cluster, progress, command)
        return
    absent = absent_backends(options)
    if len(absent) == len(options.backend_names):
        raise SideBySideError("; ".join(absent))
    with Scratch() as scratch:
        # Of several rounds, the first finds the compilers' cache empty.
        executor = _executor(options, None if options.rounds == 1 else scratch / "compiled")
        yield lambda options, store: Runner(options, store, executor, progress, command=command)


def _log(results: Results, targets: Sequence[str], folder: Path, note: Callable[[str], None]) -> None:
    """Logs results to trackers; one that fails costs nothing but a note."""
    from compare.trackers import TrackerError, log_results

    for target in targets:
        try:
            note(f"logged to {target}: {log_results(results, target)} runs")
        except TrackerError as error:
            again = shlex.join(["sidebyside", "report", str(shown_path(folder)), "--log-to", target])
            note(f"{error}; once that is mended: {again}")


def run_apart(options: RunOptions, cells: Sequence[Cell], *, train: bool) -> Results:
    """Runs cells, or only certifies their models, and keeps nothing on the disk."""
    from compare.folders import Scratch
    from compare.run.runner import Runner
    from compare.run.store import open_store

    with (
        Scratch() as scratch,
        _progress() as progress,
        open_store(scratch / "run", resume=False, note=progress.note) as store,
    ):
        return Runner(options, store, _executor(options), progress, train=train).run(cells)


def absent_backends(options: RunOptions) -> list[str]:
    """What to install, in one line for each backend that is asked for and not installed.

    Raises:
        SideBySideError: an interpreter cannot run workers.
    """
    executor = _executor(options)
    return [message for name in options.backend_names if (message := executor.missing(name))]


def _executor(options: RunOptions, compile_cache: Path | None = None) -> "LocalExecutor":
    from compare.executors.interpreters import find_interpreters
    from compare.executors.local import LocalExecutor

    interpreters = find_interpreters(options.interpreters)
    return LocalExecutor(options.worker_threads, compile_cache=compile_cache, interpreters=interpreters)


def check_data(options: RunOptions) -> None:
    """Looks at data in files once before any cell is started. Raises DataError."""
    for name in options.tasks:
        source = load_task(name).source
        if isinstance(source, FileSource):
            try:
                source.check()
            except DataError as error:
                if options.resume is None or source.is_found:
                    raise
                again = shlex.join(
                    ["sidebyside", "run", *map(given_word, options.tasks), "--resume", str(options.resume)]
                )
                advice = f"the run's folder does not hold them: name the task's file too ({again})"
                raise DataError(f"{error}; {advice}, or change to the folder that has the data") from error
    if options.data_file is None:
        return
    if not all(load_task(name).source.takes_file for name in options.tasks):
        raise DataError("a data file is for the mnist tasks alone: name them, and leave out the others")
    from tasks.mnist import read_digits

    read_digits(options.data_file)


def _progress() -> AbstractContextManager["Progress"]:
    """In a notebook the output of the cell; else a bar on a terminal, or lines on standard error."""
    from rich.console import Console

    from compare.report.layout import see_width
    from compare.run.progress import NotebookProgress, TerminalProgress

    see_width(console := Console(stderr=True))
    return NotebookProgress() if console.is_jupyter else TerminalProgress(console)
