"""The race: which formulation of a tuned loop is the fastest on this machine."""

import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from backends.about import Mode
from backends.base import Backend, Model
from compare.records.request import CellRequest
from compare.worker import memory
from compare.worker.clocks import clock
from tasks.architecture import Parameters
from tasks.batches import Batches
from tasks.dataset import Dataset
from tasks.task import Task

STEPS = 250
"""The most steps of a timed call; an epoch of a quick preset has fewer, so that it is compiled for already."""
ENTRANTS = 2
"""The first so many of a loop's formulations enter: each costs seconds of compiling."""
LEAST, CALLS, SECONDS = 2, 5, 0.5
"""Each formulation is timed in at least and at most so many calls, and no further once they have lasted so long."""
BEHIND = 1.25
"""A formulation whose fastest call takes more than this times the fastest of all is timed no further.

The fastest calls are compared: whatever disturbs a call makes it slower."""


class Built(NamedTuple):
    """A model, and what it took to come by it.

    Attributes:
        model: of the fastest formulation, or of the only one.
        build_seconds: how long its building took.
        compile_seconds: what its first call in the race took longer than the others; 0 without a race.
        examples_per_second: in the race, by formulation; empty without one.
    """

    model: Model
    build_seconds: float
    compile_seconds: float = 0.0
    examples_per_second: Mapping[str, float] = {}


class _Entrant:
    """A formulation in the race."""

    def __init__(self, build: Callable[[], Model], batches: Batches) -> None:
        self.built = timed_build(build)
        self.batches = batches
        self.first = self._train()
        self.seconds: list[float] = []

    def _train(self) -> float:
        return clock(lambda: self.built.model.train(self.batches))

    def run(self) -> None:
        """One timed call more, unless there were enough."""
        if len(self.seconds) < LEAST or sum(self.seconds) < SECONDS:
            self.seconds.append(self._train())


def timed_build(build: Callable[[], Model]) -> Built:
    """Builds a model without a race."""
    start = time.perf_counter()
    model = build()
    return Built(model, time.perf_counter() - start)


def race(builds: Mapping[str, Callable[[], Model]], batches: Batches) -> Built:
    """Builds a model of each formulation, and has them train in turn until the fastest is known.

    Args:
        builds: by formulation, what builds its model and places the data.
        batches: of the recipe; the first steps of the first epoch are trained.

    Returns:
        the model of the fastest, which has been trained. One that cannot be run takes no part.
    """
    part = next(batches.parts(0, min(STEPS, batches.steps), STEPS))
    entrants: dict[str, _Entrant] = {}
    for name, build in builds.items():
        try:
            entrants[name] = _Entrant(build, part)
        except Exception as error:
            if not entrants and name == list(builds)[-1]:  # none can be run
                raise
            traceback.print_exception(error)  # into the worker's log; the others race without it
    running = list(entrants.values())
    for called in range(1, CALLS + 1):
        for entrant in running:
            entrant.run()
        if called >= LEAST:
            fastest = min(min(entrant.seconds) for entrant in running)
            running = [entrant for entrant in running if min(entrant.seconds) <= BEHIND * fastest]
    seconds = {name: min(entrant.seconds) for name, entrant in entrants.items()}
    best = entrants[min(seconds, key=lambda name: seconds[name])]
    return best.built._replace(
        compile_seconds=max(best.first - min(best.seconds), 0.0),
        examples_per_second={name: part.examples / taken for name, taken in seconds.items()},
    )


def build_model(
    request: CellRequest,
    backend: Backend,
    task: Task,
    parameters: Parameters,
    dataset: Dataset,
    batches: Batches,
) -> Built:
    """The model of a cell, with the data placed: of the fastest formulation in a race where one is asked for.

    Else of the formulation that is asked for, as far as the loop has it for this task.
    """
    cell = request.cell
    mode: Mode = cell.mode  # type: ignore[assignment] # checked by build

    def build(formulation: str | None) -> Model:
        model = backend.build(task, parameters, device=cell.device, mode=mode, formulation=formulation)
        model.place(dataset)
        return model

    names = backend.formulations(task, cell.device, mode)
    if not request.race or len(names) < 2:
        return timed_build(partial(build, request.formulation if request.formulation in names else None))
    built = race({name: partial(build, name) for name in names[:ENTRANTS]}, batches)
    built.model.load_parameters(parameters)
    memory.forget_peak()  # it was that of all entrants
    return built
