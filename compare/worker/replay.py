"""Computes some steps of a run again, in the reference: from what the run's model held before them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from backends import load_backend
from backends.numpy.noise import NoisyModel, nudged
from compare.records.event import Reply
from compare.records.request import Copy, ReplayRequest
from compare.worker.answers import outputs_of
from compare.worker.evidence import load_cell_task
from tasks.architecture import Parameters
from tasks.batches import Batches
from tasks.dataset import Dataset
from tasks.files import write_whole
from tasks.training import OptimizerState


def replay(request: ReplayRequest) -> Reply:
    """Computes the steps once for each copy that is asked for, and writes what came of them."""
    cell = request.cell
    load_backend(cell.backend).configure(request.threads)
    task, dataset = load_cell_task(cell, request.data)
    batches = task.batches(
        len(dataset.train_labels),
        cell.seed,
        epochs=cell.epochs,
        examples=cell.examples,
        batch_size=cell.batch_size,
    )
    parameters, state = task.parameters(cell.seed), None
    if request.start is not None:
        parameters, state = read_call(Path(request.start))
        if "steps" in state:  # how many there were is known: a count that begins anew does not pass
            state["steps"] = np.array(request.first_step - 1)
    for copy in request.copies:
        arithmetic = copy.dtype, copy.rounding, copy.nudge_seed
        model = NoisyModel(task.recipe, task.parameters(cell.seed), "cpu", *arithmetic)
        model.place(dataset)
        start = nudged(task.architecture, parameters, copy.nudge_seed)
        if state is None:
            model.load_parameters(start)
        else:
            model.load_state(start, state)
        arrays = _steps(model, dataset, batches, request, copy)
        content = save({name: np.asarray(array, order="C") for name, array in arrays.items()})
        write_whole(Path(copy.path), content)
    return Reply()


def read_call(path: Path) -> tuple[Parameters, OptimizerState]:
    """The parameters and the optimizer's state that a training call left; see :class:`compare.worker.calls.Calls`."""
    arrays = load_file(path)
    parameters, state = (
        {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        for prefix in ("parameter ", "state ")
    )
    return parameters, state


def _steps(
    model: NoisyModel, dataset: Dataset, batches: Batches, request: ReplayRequest, copy: Copy
) -> dict[str, NDArray[Any]]:
    """The loss of each step, with its size and its number of examples; and after them the parameters and outputs."""
    begin = request.first_step - 1
    losses, counts = [], []
    for part in batches.parts(begin, begin + request.steps, 1):
        batch = next(part.of_epoch(0))
        inputs, labels = dataset.train_inputs[batch], dataset.train_labels[batch]
        losses.append(model.train_step(inputs, labels))
        counts.append(len(batch))
    arrays: dict[str, NDArray[Any]] = {"losses": np.array(losses), "examples": np.array(counts)}
    arrays |= {"sizes": np.array(model.loss_sizes)} if copy.with_sizes else {}
    arrays |= {f"parameter {key}": array for key, array in model.parameters().items()}
    return arrays | {"outputs": outputs_of(model, dataset.test_inputs[list(request.test_examples)])}
