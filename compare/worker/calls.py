"""The training calls of a cell: each timed, and what it left kept in a file, off the clock."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from backends.base import Model
from compare.records.event import TrainingCall
from compare.worker.clocks import clock
from tasks.architecture import Parameters
from tasks.batches import Batches


class Calls:
    """Makes the training calls of a cell, one after the other, on the same model.

    After each call, its losses, and the parameters and the optimizer's state that the model then holds, are written to
    a file. From them the reference can compute any part of the training again. Which parts these will be is drawn
    later, by another process: the model cannot know.

    Args:
        folder: for the files; None keeps nothing.

    Attributes:
        energy: reads the joules that the device has used so far, or None; by default nothing is known of them.
        joules: what each call used.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.made: list[TrainingCall] = []
        self.energy: Callable[[], float | None] = lambda: None
        self.joules: list[float | None] = []

    @property
    def steps(self) -> int:
        """The steps so far."""
        return self.made[-1].last_step if self.made else 0

    def train(self, model: Model, batches: Batches) -> tuple[NDArray[np.float32], float]:
        """Makes one call of ``Model.train``.

        Returns:
            what it returned; and the seconds until its parameters could be read, without those of reading them: a loop
            that returns before its work is done gains nothing.
        """
        before = self.energy()
        start = time.perf_counter()
        losses = model.train(batches)
        seconds = time.perf_counter() - start
        after = self.energy()
        self.joules.append(None if before is None or after is None else after - before)
        first = clock(model.parameters)
        start = time.perf_counter()
        parameters = model.parameters()
        second = time.perf_counter() - start
        self._keep(model, parameters, losses, batches)
        return losses, seconds + max(first - second, 0.0)

    def joules_a_step(self, count: int) -> float | None:
        """What a step used in the last so many calls; None where it is unknown."""
        known = [joules for joules in self.joules[-count:] if joules is not None]
        steps = sum(call.last_step - call.first_step + 1 for call in self.made[-count:])
        return sum(known) / steps if steps and len(known) == count else None

    def keep_outputs(self, outputs: NDArray[np.floating]) -> None:
        """Keeps the outputs ``(m, outputs)`` for the test set of the model as the last call left it."""
        if self.folder is not None:
            save_file({"outputs": np.ascontiguousarray(outputs)}, self.folder / f"{len(self.made)}.outputs.safetensors")

    def _keep(self, model: Model, parameters: Parameters, losses: NDArray[np.float32], batches: Batches) -> None:
        steps = batches.epochs * batches.steps
        self.made.append(TrainingCall(first_step=self.steps + 1, last_step=self.steps + steps, losses=losses.size))
        if self.folder is None:
            return
        arrays = {"losses": losses}
        arrays |= {f"parameter {key}": array for key, array in parameters.items()}
        arrays |= {f"state {key}": array for key, array in model.optimizer_state().items()}
        contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        save_file(contiguous, self.folder / f"{len(self.made)}.safetensors")
