"""The outputs of a model for any number of inputs."""

import numpy as np
from numpy.typing import NDArray

from backends.base import Model

EVALUATION_BATCH = 500


def outputs_of(model: Model, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
    """The model's outputs ``(n, outputs)`` for inputs ``(n, *input_shape)``, in parts that fit into memory."""
    parts = range(0, len(inputs), EVALUATION_BATCH)
    return np.concatenate([model.logits(inputs[at : at + EVALUATION_BATCH]) for at in parts])
