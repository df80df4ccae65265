"""The trainings of one task in one worker: of the aligned model, and of the same with some defaults turned on."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from compare.executors.local import LocalExecutor
from compare.records.cell import Cell
from compare.records.effect import EffectFigures
from compare.records.request import EffectRequest, Turned
from tasks.errors import SideBySideError


class EffectFailedError(SideBySideError):
    """A model with a default could not be trained; the message says why."""


class Trainings:
    """One worker, and the file in which the aligned model's first steps are kept.

    Args:
        cell: whose backend trains, with its seed and its workload.
        seeds: how many whole runs are trained of each recipe.
        threads: of the worker.
        data: a data file in place of the task's own data.
    """

    def __init__(self, cell: Cell, seeds: int, threads: int, data: str | None = None) -> None:
        self.cell, self.seeds, self.data = cell, seeds, data
        self.folder = TemporaryDirectory(prefix="sidebyside-")
        # Compiling each of the changed models would take ten times as long as training them; the numbers are the same.
        executor = LocalExecutor(threads, environment={"TORCH_COMPILE_DISABLE": "1"})
        self.session = executor.open(cell.backend)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()
        self.folder.cleanup()

    def figures(self, turned: Sequence[Turned] = ()) -> EffectFigures:
        """What training came to with some defaults; without any, for the aligned model, which must be the first.

        Raises:
            EffectFailedError: it could not be trained.
        """
        request = EffectRequest(
            cell=self.cell,
            data=self.data,
            turned=tuple(turned),
            seeds=self.seeds,
            aligned=str(Path(self.folder.name) / "aligned.safetensors"),
        )
        reply = self.session.ask(request)
        if reply.effect is None:
            raise EffectFailedError(f"{self.cell.backend}: {reply.message}")
        return reply.effect
