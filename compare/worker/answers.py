"""The outputs of a model for any number of inputs, and what is kept of them for the report."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.base import Model
from compare.records.weights import arrays_of_weights
from tasks.architecture import Parameters
from tasks.dataset import Dataset

EVALUATION_BATCH = 500
FIRST_IMAGES = 16
"""Test images that are kept with a model's predictions, right or wrong."""
WRONG_IMAGES = 200
"""Test images that a model gets wrong and that are kept with its predictions, the first of them."""


def outputs_of(model: Model, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
    """The model's outputs ``(n, outputs)`` for inputs ``(n, *input_shape)``, in parts that fit into memory."""
    parts = range(0, len(inputs), EVALUATION_BATCH)
    return np.concatenate([model.logits(inputs[at : at + EVALUATION_BATCH]) for at in parts])


def answers_of(predictions: NDArray[Any], dataset: Dataset) -> dict[str, NDArray[Any]]:
    """What a model made of the test set, so that a report needs no data: predictions, labels, and wrong images."""
    labels = dataset.test_labels
    arrays: dict[str, NDArray[Any]] = {"predictions": predictions.astype(labels.dtype), "labels": labels}
    if dataset.test_images is not None:
        arrays["first_images"] = np.ascontiguousarray(dataset.test_images[:FIRST_IMAGES])
        wrong = np.flatnonzero(predictions != dataset.test_labels)[:WRONG_IMAGES]
        arrays["wrong_indices"] = wrong.astype(np.int32)
        arrays["wrong_images"] = np.ascontiguousarray(dataset.test_images[wrong])
    return arrays


def drawn_arrays(
    predictions: NDArray[Any], step_losses: NDArray[np.float32], parameters: Parameters, dataset: Dataset
) -> dict[str, NDArray[Any]]:
    """What the report draws: answers for the test set, the loss of every step, and the weights' distributions.

    Args:
        predictions: for the test set, ``(m,)``.
        step_losses: ``(epochs, steps)``, or a mean of each epoch.
        parameters: as they are after the training.
        dataset: of the task.
    """
    arrays = {**answers_of(predictions, dataset), "step_losses": step_losses.astype(np.float32)}
    arrays |= arrays_of_weights(parameters)
    kernels = [array for name, array in parameters.items() if name.endswith("/kernel")]
    if kernels:
        arrays["first_kernel"] = np.ascontiguousarray(kernels[0], np.float32)
    return arrays
