"""The one draw of initial parameters that every backend starts from."""

from math import prod, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.architecture import Architecture, Parameters, Variable
from tasks.layers import Shape
from tasks.masks import SEEDS
from tasks.reproducible import random_stream

Initializer = Literal["pytorch", "keras", "normal"]
STATE = {"mean": 0.0, "variance": 1.0, "next_row": 0.0}
"""What the state begins with, by name; a seed is drawn."""


def draw_parameters(architecture: Architecture, initializer: Initializer, seed: int) -> Parameters:
    """Draws the initial parameters, and the initial state, that every backend starts from.

    Args:
        architecture: whose parameters to draw.
        initializer: ``"pytorch"``: kernels and biases uniform within 1/sqrt(fan_in) (``torch.nn.Linear`` and
            ``Conv2d``); ``"keras"``: kernels Glorot uniform, within sqrt(6 / (fan_in + fan_out)), biases 0;
            ``"normal"``: everything standard normal. Where a layer has no kernel, its scale is 1 and its bias 0.
        seed: any int from 0.

    Returns:
        float32 arrays in the canonical layout, by key.
    """
    random, of_masks = random_stream(seed, "parameters"), random_stream(seed, "masks")
    arrays: Parameters = {}
    for variable in architecture.variables:
        kernel = architecture.parameter_shapes.get(f"{variable.node.name}/kernel")
        if not variable.trained:
            start = of_masks.randint(SEEDS) if variable.name == "seed" else STATE[variable.name]
            values = np.full(variable.shape, start)
        elif kernel is None:
            values = np.full(variable.shape, float(variable.name == "scale"))
        else:
            values = _draw(variable, kernel, initializer, random)
        arrays[variable.key] = values.astype(np.float32)
    return arrays


def _draw(
    parameter: Variable, kernel: Shape, initializer: Initializer, random: np.random.RandomState
) -> NDArray[np.float64]:
    """Draws a kernel, or the bias beside it, which has the kernel's range."""
    if initializer == "normal":
        return random.standard_normal(parameter.shape)
    fan_in, fan_out = prod(kernel[:-1]), prod(kernel[:-2]) * kernel[-1]
    limit = 1 / sqrt(fan_in) if initializer == "pytorch" else sqrt(6 / (fan_in + fan_out))
    if initializer == "keras" and parameter.name != "kernel":
        return np.zeros(parameter.shape)
    return random.uniform(-limit, limit, parameter.shape)
