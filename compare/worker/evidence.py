"""The evidence of a certificate: gathered inside a backend's own process, and written as plain arrays."""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from backends import load_backend
from backends.base import Model
from backends.numpy.noise import NoisyModel, nudged
from compare.records.cell import Cell
from compare.records.event import EvidenceSummary, Reply
from compare.records.quantity import Quantity
from compare.records.request import Copy, EvidenceRequest
from compare.worker.turned import turned_on
from tasks import load_task
from tasks.batches import Batches
from tasks.dataset import Dataset, Labels
from tasks.files import write_whole
from tasks.reproducible import sha256_of
from tasks.task import Task

LOGITS_EXAMPLES = 64
LAYER_EXAMPLES, LAYER_NUMBERS = 8, 500_000
"""The most test examples for which the layers' outputs are compared, and the most numbers in these outputs, about."""
EPOCH_STEPS, EPOCHS = 9, 10
"""The last call of a certificate has at most this number of epochs, of so many steps each."""
OPERATIONS = 1.5e11
"""Floating-point operations of a certificate's steps, about: some seconds for each computation of the reference."""


def checkpoints(task: Task, batch_size: int) -> tuple[int, int, int]:
    """The training steps after which the parameters are compared: 1, 10 and 100, or fewer where a step is large."""
    steps = OPERATIONS / (max(task.architecture.training_operations(), 1) * batch_size)
    epochs = int(min(max((steps - 1) // EPOCH_STEPS - 1, 1), EPOCHS))
    return 1, 1 + EPOCH_STEPS, 1 + EPOCH_STEPS * (1 + epochs)


def certificate_batches(task: Task, example_count: int, seed: int, batch_size: int | None = None) -> list[Batches]:
    """The batches of three calls of ``train`` that end after 1, 10 and 100 steps; see :func:`checkpoints`.

    The first call is one full batch; the others are epochs of nine steps, the last of them a smaller batch, of the size
    that the recipe's has if it has one, so that a remainder that is dropped does not pass.
    """
    whole = task.batches(example_count, seed, epochs=1, batch_size=batch_size)
    size = whole.batch_size
    rest = whole.rest or size // 2  # a run of a part of the data has one, where the recipe's whole has none
    epochs = (checkpoints(task, size)[2] - 1) // EPOCH_STEPS - 1
    full = EPOCH_STEPS - (rest > 0)
    lengths = [(1, 1, 0), (1, full, rest), (epochs, full, rest)]
    needed = sum(epochs * (full * size + rest) for epochs, full, rest in lengths)
    orders = task.batches(example_count, seed, epochs=-(-needed // whole.examples), batch_size=batch_size)
    stream = np.concatenate([orders.indices.reshape(orders.epochs, -1), orders.remainder], axis=1).ravel()
    calls = []
    for epochs, full, rest in lengths:
        count = epochs * (full * size + rest)
        part, stream = stream[:count].reshape(epochs, -1), stream[count:]
        calls.append(
            Batches(
                np.ascontiguousarray(part[:, : full * size]).reshape(epochs, full, size),
                np.ascontiguousarray(part[:, full * size :]),
            )
        )
    return calls


def load_cell_task(cell: Cell, data: str | None, *, own_randomness: bool = False) -> tuple[Task, Dataset]:
    """The task of a cell, with its recipe, its learning rate and its workload; and its data."""
    task = load_task(cell.task, cell.recipe).with_learning_rate(cell.learning_rate)
    task = task.with_own_randomness() if own_randomness else task
    dataset = task.dataset(Path(data) if data else None)
    workload = {"epochs": cell.epochs, "examples": cell.examples, "batch_size": cell.batch_size}
    return task.with_workload(len(dataset.train_labels), **workload), dataset


def compute_evidence(request: EvidenceRequest) -> Reply:
    """Computes the evidence of the reference, once for each copy that is asked for."""
    cell = request.cell
    load_backend(cell.backend).configure(request.threads)
    task, dataset = load_cell_task(cell, request.data)
    workload = {"epochs": cell.epochs, "examples": cell.examples, "batch_size": cell.batch_size}
    task = turned_on(task, request.turned).with_workload(len(dataset.train_labels), **workload)
    summaries = []
    for copy in request.copies:
        arithmetic = copy.dtype, copy.rounding, copy.nudge_seed
        model = NoisyModel(task.recipe, task.parameters(cell.seed), "cpu", *arithmetic)
        model.place(dataset)
        summaries.append(gather(model, task, dataset, cell, copy))
    return Reply(evidence=summaries[0])


@np.errstate(over="ignore")  # a training may diverge
def gather(model: Model, task: Task, dataset: Dataset, cell: Cell, copy: Copy) -> EvidenceSummary:
    """Asks a model for everything that a certificate compares, and writes it to a file as safetensors.

    The model starts again from the seed's parameters and is trained through the very ``train`` that is timed.

    Args:
        model: with the task's data placed.
        task: with the recipe that the model was built from.
        dataset: the task's data.
        cell: whose seed and batch size are used.
        copy: the file, and which parameters to start from.
    """
    model.load_parameters(nudged(task.architecture, task.parameters(cell.seed), copy.nudge_seed))
    calls = certificate_batches(task, len(dataset.train_labels), cell.seed, cell.batch_size)
    initial = model.parameters()
    inputs, labels = model.held_data()
    held_batches = [model.held_batches(call) for call in calls]
    batch = calls[1].indices.reshape(-1)[: calls[1].batch_size]
    examples = dataset.train_inputs[batch], dataset.train_labels[batch]
    arrays = {
        quantity.text: array
        for quantity, array in [
            *answers(model, dataset, copy),
            *_gradients(model, *examples, copy),
            *_trained(model, calls, checkpoints(task, calls[0].batch_size), copy),
            *answers(model, dataset, copy, checkpoints(task, calls[0].batch_size)[-1]),
        ]
    }
    content = save({name: np.asarray(array, order="C") for name, array in arrays.items()})
    write_whole(Path(copy.path), content)
    return EvidenceSummary(
        quantities=tuple(arrays),
        parameters_sha256=sha256_of({key: value.astype(np.float32) for key, value in initial.items()}),
        data_sha256=sha256_of({"inputs": inputs, "labels": labels}),
        batches_sha256=sha256_of(
            {f"{at} {name}": array for at, held in enumerate(held_batches) for name, array in vars(held).items()}
        ),
        parameter_counts=_counts_by_layer({key: initial[key] for key in task.architecture.parameter_shapes}),
        parameter_count=model.parameter_count(),
    )


def answers(model: Model, dataset: Dataset, copy: Copy, step: int | None = None) -> list[tuple[Quantity, NDArray[Any]]]:
    """The outputs of every layer, and the network's; after training of those that answer by a state that it moved."""
    architecture = model.recipe.architecture
    moved = {variable.node.name for variable in architecture.state}
    if step is not None and not moved:
        return []
    numbers = sum(prod(architecture.shapes[node.name]) for node in architecture.nodes)
    inputs = dataset.test_inputs[: max(min(LAYER_NUMBERS // numbers, LAYER_EXAMPLES), 1)]
    quantities: list[tuple[Quantity, NDArray[Any]]] = [
        (Quantity(kind="layer_output", name=name, step=step), output)
        for name, output in model.layer_outputs(inputs).items()
        if step is None or name in moved
    ]
    if copy.with_sizes and isinstance(model, NoisyModel):
        sizes = model.output_sizes(inputs)
        quantities += [(Quantity(kind="size", name=quantity.text), sizes[quantity.name]) for quantity, _ in quantities]
    logits = model.logits(dataset.test_inputs[:LOGITS_EXAMPLES])
    return [*quantities, (Quantity(kind="logits", step=step), logits)]


def _gradients(
    model: Model, inputs: NDArray[np.float32], labels: Labels, copy: Copy
) -> list[tuple[Quantity, NDArray[Any]]]:
    """Loss and gradients of one batch."""
    loss, gradients = model.loss_and_gradients(inputs, labels)
    quantities: list[tuple[Quantity, NDArray[Any]]] = [(Quantity(kind="loss"), np.array([loss]))]
    quantities += [(Quantity(kind="gradient", name=key), value) for key, value in gradients.items()]
    if copy.with_sizes and isinstance(model, NoisyModel):
        sizes = model.gradient_sizes(inputs, labels)
        named = {Quantity(kind="gradient", name=key).text: value for key, value in sizes.items()}
        quantities += [(Quantity(kind="size", name=name), value) for name, value in named.items()]
    return quantities


def _trained(
    model: Model, calls: list[Batches], steps: Sequence[int], copy: Copy
) -> list[tuple[Quantity, NDArray[Any]]]:
    """Losses and parameters after each of the calls."""
    quantities: list[tuple[Quantity, NDArray[Any]]] = []
    for step, call in zip(steps, calls, strict=True):
        losses = model.train(call)
        means, each = Quantity(kind="mean_losses", step=step), Quantity(kind="losses", step=step)
        quantities.append((means, call.epoch_means(losses)))
        if losses.shape[1] == call.steps:  # else the framework's own loop keeps only the means
            quantities.append((each, losses.ravel()))
        if copy.with_sizes and isinstance(model, NoisyModel):
            sizes = np.array(model.loss_sizes[-losses.size :])
            quantities.append((Quantity(kind="size", name=each.text), sizes))
            of_epochs = call.epoch_means(sizes.reshape(losses.shape).astype(np.float32))
            quantities.append((Quantity(kind="size", name=means.text), of_epochs))
        quantities += [(Quantity(kind="parameter", name=key, step=step), p) for key, p in model.parameters().items()]
    return quantities


def _counts_by_layer(parameters: dict[str, NDArray[Any]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for key, value in parameters.items():
        layer = key.partition("/")[0]
        counts[layer] = counts.get(layer, 0) + value.size
    return counts
