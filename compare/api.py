"""The Python API: one call trains and compares; the command line's ``run`` is the same call."""

import io
import math
import operator
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from backends import framework_backends, missing
from backends.base import MODES, usable_cores
from compare.plan import DEFAULT_TASKS, device_names, list_cells
from tasks import available_recipes, load_task
from tasks.errors import DataError, SideBySideError, UnknownNameError

if TYPE_CHECKING:  # pydantic, rich and the like are imported when there is something to run or to show
    import pandas

    from compare.results import Results
    from compare.run.progress import ProgressWords

PRESETS = ("quick", "full")
RECIPES = ("standard", "as-written")
ORDER_SEED = 0
"""Of the order of the cells in each round; recorded with the results."""
REPORT_NAME = "report.html"
_FORMATS = {".html": "html", ".md": "markdown", ".csv": "csv", ".json": "json", ".tex": "latex"}

Names = str | Sequence[str]


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

        console = Console(file=io.StringIO(), width=100, force_jupyter=False, color_system=None)
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
        if file.suffix not in _FORMATS:
            raise SideBySideError(f"{file}: name a file that ends in {', '.join(_FORMATS)}")
        return _write_report(self.results, self.folder, file)


def compare(
    tasks: Names | None = None,
    backends: Names | None = None,
    *,
    modes: Names = "tuned",
    devices: Names = "cpu",
    seeds: int = 1,
    rounds: int = 1,
    self_check: bool = False,
    preset: str = "quick",
    epochs: int | None = None,
    recipe: str = "standard",
    timeout: float | None = None,
    threads: int | None = None,
    output: str | os.PathLike[str] | None = None,
    resume: str | os.PathLike[str] | None = None,
    data: str | os.PathLike[str] | None = None,
    certify: bool = True,
    save_models: bool = False,
    command: str | None = None,
) -> Comparison:
    """Trains the same models with several frameworks, each cell in a process of its own, and compares them.

    Args:
        tasks: names of tasks; None for ``iris-mlp``, ``mnist-mlp`` and ``mnist-cnn``.
        backends: names of backends; None for every framework that is installed.
        modes: training loops, ``tuned``, ``stock`` or both.
        devices: ``cpu``, ``gpu``, ``gpu:1`` and so on.
        seeds: how many seeds, from 0. From two on accuracies are compared.
        rounds: how often every cell is run, in random order. From three on speeds are compared.
        self_check: compare each backend with itself: how noisy is this machine?
        preset: ``quick``, or ``full`` for each recipe as it stands.
        epochs: in place of the preset's.
        recipe: ``standard``, or ``as-written`` for the tasks that have a source's mistake to show.
        timeout: seconds that a cell may take; None for no limit.
        threads: of each worker; None for as many as there are cores.
        output: the folder to write, new or empty; None for ``runs/<time>``.
        resume: the folder of an earlier run to go on with, in place of ``output``.
        data: an ``.npz`` file with MNIST's keys, for the ``mnist`` tasks.
        certify: whether every model is certified; otherwise all rows are unverified.
        save_models: whether the trained parameters are kept, in the folder's ``models``.
        command: what is recorded as the way to run this again; None for this call.

    Returns:
        the results, which show themselves, and the folder with ``results.json`` and ``report.html``.

    Raises:
        SideBySideError: an argument is wrong, or no framework is installed: one line that says what to do.
    """
    given = dict(locals())
    task_names = _names("tasks", tasks, DEFAULT_TASKS)
    for name in task_names:
        available_recipes(name)  # raises UnknownNameError
    backend_names = _names("backends", backends, framework_backends())
    absent = [message for name in backend_names if (message := missing(name))]
    if len(absent) == len(backend_names):
        raise SideBySideError("; ".join(absent))
    mode_names = _names("modes", modes, ("tuned",))
    for kind, names, known in (
        ("mode", mode_names, MODES),
        ("preset", (preset,), PRESETS),
        ("recipe", (recipe,), RECIPES),
    ):
        for name in names:
            if name not in known:
                raise UnknownNameError(kind, name, tuple(known))
    for what, number in (("seeds", seeds), ("rounds", rounds), ("epochs", epochs), ("threads", threads)):
        if number is not None or what in ("seeds", "rounds"):
            _check_whole(what, number)
    if timeout is not None and not (isinstance(timeout, int | float) and 0 < timeout < math.inf):
        raise SideBySideError(f"timeout is {timeout!r}: give seconds above 0")
    if output is not None and resume is not None:
        raise SideBySideError("give output or resume, not both")
    data_file = None if data is None else Path(data).absolute()
    if data_file is not None:
        _check_data(task_names, data_file)

    from compare.results import read_results
    from compare.runner import Options, run_cells

    earlier = None if resume is None else read_results(Path(resume))
    folder = Path(resume or output or Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S}")
    cells = list_cells(
        task_names,
        backend_names,
        modes=mode_names,
        devices=device_names(_names("devices", devices, ("cpu",))),
        seeds=seeds,
        rounds=rounds * (2 if self_check else 1),
        order_seed=ORDER_SEED,
        preset="full" if preset == "full" else "quick",
        epochs=epochs,
        recipe=recipe,
    )
    _make_folder(folder, empty=resume is None)
    folder = folder.absolute()  # a notebook may go elsewhere before it shows the results
    with (
        TemporaryDirectory(prefix="sidebyside-") as cache,  # of compilers: the first of several rounds finds it empty
        _progress() as progress,
    ):
        options = Options(
            output=folder,
            threads=threads or usable_cores(),
            timeout=timeout,
            data=data_file,
            certify=certify,
            save_models=save_models,
            settings={
                "preset": preset,
                "certified": certify,
                "rounds": rounds,
                "order_seed": ORDER_SEED,
                "self_check": self_check,
            },
            compile_cache=None if rounds == 1 else Path(cache),
            command=command or _call(given),
        )
        results = run_cells(cells, options, progress, earlier)
    _write_report(results, folder, folder / REPORT_NAME)
    return Comparison(results, folder)


def shown_path(path: Path) -> Path:
    """As short as it can be named from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _names(what: str, given: Names | None, default: tuple[str, ...]) -> tuple[str, ...]:
    """The names that were given, each once."""
    if given is None:
        return default
    names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Sequence) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise SideBySideError(f"{what} is {given!r}: give a name, or several in a list")
    return tuple(dict.fromkeys(names))


def _check_whole(what: str, number: Any) -> None:
    try:
        fits = 1 <= operator.index(number) <= 1_000_000
    except TypeError:
        fits = False
    if not fits:
        raise SideBySideError(f"{what} is {number!r}: give a whole number from 1")


def _check_data(names: tuple[str, ...], file: Path) -> None:
    """Reads the file once before any cell is started. Raises DataError."""
    from tasks.mnist import read_digits

    if not all(load_task(name).accepts_file for name in names):
        raise DataError("a data file is for the mnist tasks alone: name them, and leave out the others")
    read_digits(file)


def _make_folder(folder: Path, *, empty: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if empty and any(folder.iterdir()):
            raise SideBySideError(f"{folder} is not empty: name another folder, or resume that run")
    except OSError as error:
        raise SideBySideError(f"{folder}: cannot be a run's folder ({error.strerror}); name another") from error


def _progress() -> AbstractContextManager["ProgressWords"]:
    """In a notebook the output of the cell; else a bar on a terminal, or lines on standard error."""
    from rich.console import Console

    from compare.run.progress import NotebookProgress, TerminalProgress

    return NotebookProgress() if Console().is_jupyter else TerminalProgress(Console(stderr=True))


def _call(given: dict[str, Any]) -> str:
    """The call with the arguments that are not as by default; where it was written does not belong to it."""
    default = {"tasks": None, "backends": None, **(compare.__kwdefaults__ or {})}
    told = {name: given[name] for name in default if name not in ("output", "resume", "command")}
    told["data"] = None if told["data"] is None else os.fspath(told["data"])
    return f"compare({', '.join(f'{name}={value!r}' for name, value in told.items() if value != default[name])})"


def _write_report(results: "Results", folder: Path, file: Path) -> Path:
    from compare.report.render import render
    from tasks.files import write_whole

    content = render(results, folder, _FORMATS[file.suffix], beside=file.parent)  # type: ignore[arg-type]
    try:
        write_whole(file, content.encode())
    except OSError as error:
        raise SideBySideError(f"{file}: cannot be written ({error.strerror}); name another") from error
    return file
