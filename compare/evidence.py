"""What a certificate is judged by, gathered inside a backend's own process and written as plain arrays."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from backends.base import Model
from backends.numpy.noise import ROUNDINGS, NoisyModel, nudged
from tasks.batches import Batches
from tasks.dataset import Dataset
from tasks.reproducible import sha256_of
from tasks.task import Task

LOGITS_EXAMPLES = 64
CHECKPOINTS = (1, 10, 100)
"""The training steps after which the parameters are compared."""


def certificate_batches(task: Task, example_count: int, seed: int) -> list[Batches]:
    """The batches of three calls of ``train`` that end after 1, 10 and 100 steps.

    The first call is one full batch; the others are epochs of nine steps, the last of them a smaller batch, of the size
    that the recipe's has if it has one, so that a remainder that is dropped does not pass.
    """
    whole = task.batches(example_count, seed, epochs=1)
    size = whole.batch_size
    rest = whole.rest or size // 2  # a run of a part of the data has one, where the recipe's whole has none
    steps_an_epoch = CHECKPOINTS[1] - CHECKPOINTS[0]
    epochs = (CHECKPOINTS[2] - CHECKPOINTS[1]) // steps_an_epoch
    full = steps_an_epoch - (rest > 0)
    lengths = [(1, 1, 0), (1, full, rest), (epochs, full, rest)]
    needed = sum(epochs * (full * size + rest) for epochs, full, rest in lengths)
    orders = task.batches(example_count, seed, epochs=-(-needed // whole.examples))
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


SIZE = "size of "
"""Before a gradient's name: how large it is where its terms do not cancel."""


def gather(
    model: Model, task: Task, dataset: Dataset, seed: int, path: Path, nudge: int = 0, *, sizes: bool = False
) -> dict[str, Any]:
    """Asks a model for everything a certificate compares, and writes it to ``path`` as safetensors.

    The model starts again from the seed's parameters and is trained through the very ``train`` that is timed.

    Args:
        model: with the task's data placed.
        nudge: from 1, for the noise of the reference: the evidence of a copy of the model is gathered instead, which
            starts from neighbouring parameters and rounds differently; see :mod:`backends.numpy.noise`.
        sizes: for the exact reference: whether to add the sizes of its gradients.

    Returns:
        the quantities in the order in which they are computed, the hashes of what the framework holds, and its
        parameters by layer.
    """
    parameters = nudged(task.parameters(seed), nudge)
    if nudge:
        model = NoisyModel(task.recipe, parameters, model.device, model.dtype, ROUNDINGS[nudge])
        model.place(dataset)
    model.load_parameters(parameters)
    calls = certificate_batches(task, len(dataset.train_labels), seed)
    initial = model.parameters()
    inputs, labels = model.held_data()
    held_batches = [model.held_batches(call) for call in calls]
    counts: dict[str, int] = {}
    for key, value in initial.items():
        layer = key.partition("/")[0]
        counts[layer] = counts.get(layer, 0) + value.size
    batch = calls[1].indices.reshape(-1)[: calls[1].batch_size]
    examples = dataset.train_inputs[batch], dataset.train_labels[batch]
    loss, gradients = model.loss_and_gradients(*examples)
    arrays: dict[str, NDArray[Any]] = {
        "logits": model.logits(dataset.test_inputs[:LOGITS_EXAMPLES]),
        "loss": np.array([loss]),
        **{f"gradient of {key}": value for key, value in gradients.items()},
    }
    if sizes:
        sizes_of = NoisyModel(task.recipe, parameters, model.device, model.dtype).gradient_sizes(*examples)
        arrays.update({f"{SIZE}gradient of {key}": value for key, value in sizes_of.items()})
    for steps, call in zip(CHECKPOINTS, calls, strict=True):
        losses = model.train(call)
        arrays[f"mean losses up to step {steps}"] = call.epoch_means(losses)
        if losses.shape[1] == call.steps:  # else the framework's own loop keeps only the means
            arrays[f"losses up to step {steps}"] = losses.ravel()
        arrays.update({f"{key} after {steps} steps": value for key, value in model.parameters().items()})
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    return {
        "quantities": list(arrays),
        "parameters_sha256": sha256_of({key: value.astype(np.float32) for key, value in initial.items()}),
        "data_sha256": sha256_of({"inputs": inputs, "labels": labels}),
        "batches_sha256": sha256_of(
            {f"{at} {name}": array for at, held in enumerate(held_batches) for name, array in vars(held).items()}
        ),
        "parameter_counts": counts,
        "parameter_count": model.parameter_count(),
    }
