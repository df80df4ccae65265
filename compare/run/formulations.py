"""Which formulation each tuned loop is run in: the one that was asked for, or the fastest of an earlier race."""

import hashlib
import json
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from backends.about import About
from backends.registry import about
from compare.executors.base import Executor
from compare.folders import cache
from compare.records.base import Rate
from compare.records.cell import Cell
from compare.records.request import CellRequest
from compare.records.run import Run
from compare.run.options import RunOptions
from tasks import load_task
from tasks.files import write_whole

_FIGURES: TypeAdapter[dict[str, Rate]] = TypeAdapter(dict[str, Rate])


class Formulations:
    """The formulations of one comparison. What a race finds is kept for later runs, and so are its figures.

    Args:
        options: of the comparison.
        executor: starts the workers.
    """

    def __init__(self, options: RunOptions, executor: Executor) -> None:
        self.executor = executor
        self.forced = options.formulation
        self.probe = options.probe

    def asked(self, request: CellRequest) -> CellRequest:
        """A cell's request with the formulation that is known, or with a race where none is."""
        cell = request.cell
        names = about(cell.backend).formulations
        if cell.mode != "tuned" or not request.train or not names:
            return request
        if self.forced is not None:
            return request.model_copy(update={"formulation": self.forced if self.forced in names else None})
        if not self.probe:
            return request
        figures = self._kept(cell)
        if not figures:
            return request.model_copy(update={"race": True})
        return request.model_copy(update={"formulation": fastest(figures)})

    def noted(self, run: Run, request: CellRequest) -> Run:
        """A run with the figures of the race that chose its formulation; those of a race of its own are kept."""
        if run.race:
            path = self._path(run.cell)
            with suppress(OSError):  # it is found again in the next run
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, json.dumps(run.race).encode())
        elif self.forced is None and request.formulation is not None:
            return run.model_copy(update={"race": self._kept(run.cell)})
        return run

    def _kept(self, cell: Cell) -> dict[str, float]:
        """The figures of an earlier race; empty where there was none."""
        try:
            return _FIGURES.validate_json(self._path(cell).read_bytes())
        except (OSError, ValidationError):
            return {}

    def _path(self, cell: Cell) -> Path:
        """The file for the figures of a race: its name is a hash of everything that they depend on."""
        task, described = load_task(cell.task, cell.recipe), self.executor.describe()
        machine = [described[name] for name in ("machine", "cpu", "cores", "python")]
        backend = about(cell.backend)
        digest = hashlib.sha256()
        work = [repr(task.recipe), cell.batch_size, cell.device, self.executor.threads]
        digest.update(json.dumps([machine, cell.backend, dict(self.executor.versions(cell.backend)), work]).encode())
        for source in _sources(backend):
            digest.update(source.read_bytes())
        return cache().path / "formulations" / f"{digest.hexdigest()}.json"


def _sources(backend: About) -> list[Path]:
    """The files of the package that a backend's class is in, ours or another's; or its one file."""
    module = backend.backend.rpartition(".")[0]
    spec = find_spec(module.rpartition(".")[0] or module)
    folders = spec.submodule_search_locations if spec else None
    if folders is None:
        return [Path(spec.origin)] if spec and spec.origin else []
    return sorted(path for folder in folders for path in Path(folder).rglob("*.py"))


def fastest(figures: dict[str, float]) -> str:
    """The formulation that trained the most examples per second."""
    return max(figures, key=lambda name: figures[name])
