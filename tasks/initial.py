"""The one draw of initial parameters that every backend starts from."""

from math import prod, sqrt
from typing import Literal

import numpy as np

from tasks.architecture import Architecture, Parameters
from tasks.reproducible import random_stream

Initializer = Literal["pytorch", "keras", "normal"]


def draw_parameters(architecture: Architecture, initializer: Initializer, seed: int) -> Parameters:
    """Draws the initial parameters that every backend starts from.

    Args:
        architecture: whose parameters to draw.
        initializer: ``"pytorch"``: kernels and biases uniform within 1/sqrt(fan_in) (``torch.nn.Linear`` and
            ``Conv2d``); ``"keras"``: kernels Glorot uniform, within sqrt(6 / (fan_in + fan_out)), biases 0;
            ``"normal"``: everything standard normal.
        seed: any int from 0.

    Returns:
        float32 arrays in the canonical layout, by ``"<index>_<kind>/<kernel|bias>"``.
    """
    random = random_stream(seed, "parameters")
    parameters: Parameters = {}
    for parameter in architecture.parameters:
        shape, node = parameter.shape, parameter.node
        kernel = architecture.parameter_shapes[f"{node.name}/kernel"]  # a bias has the range of its own layer's kernel
        fan_in, fan_out = prod(kernel[:-1]), prod(kernel[:-2]) * kernel[-1]
        limit = 1 / sqrt(fan_in) if initializer == "pytorch" else sqrt(6 / (fan_in + fan_out))
        if initializer == "normal":
            values = random.standard_normal(shape)
        elif initializer == "keras" and parameter.name != "kernel":
            values = np.zeros(shape)
        else:
            values = random.uniform(-limit, limit, shape)
        parameters[parameter.key] = values.astype(np.float32)
    return parameters
