"""The one draw of initial parameters that every backend starts from."""

from math import prod, sqrt
from typing import Literal

import numpy as np

from tasks.architecture import Architecture, Parameter, Parameters
from tasks.layers import ConvTranspose2D, Shape
from tasks.reproducible import random_stream

Initializer = Literal["pytorch", "keras", "normal"]


def draw_parameters(architecture: Architecture, initializer: Initializer, seed: int) -> Parameters:
    """Draws the initial parameters that every backend starts from.

    Args:
        architecture: whose parameters to draw.
        initializer: ``"pytorch"``: kernels and biases uniform within 1/sqrt(fan_in) (``torch.nn.Linear`` and
            ``Conv2d``); ``"keras"``: kernels Glorot uniform, within sqrt(6 / (fan_in + fan_out)), biases 0;
            ``"normal"``: everything standard normal. Layers without a kernel, which normalize, have in each framework
            scales of 1 and biases of 0; these are not drawn, except by ``"normal"``.
        seed: any int from 0.

    Returns:
        float32 arrays in the canonical layout, by ``"<node>/<name>"``.
    """
    random = random_stream(seed, "parameters")
    parameters: Parameters = {}
    for parameter in architecture.parameters:
        shape, kernel = parameter.shape, _kernel_shape(architecture, parameter)
        if initializer == "normal":
            values = random.standard_normal(shape)
        elif kernel is None:
            values = np.ones(shape) if parameter.name == "scale" else np.zeros(shape)
        elif initializer == "keras" and parameter.name != "kernel":
            values = np.zeros(shape)
        else:
            fan_in, fan_out = prod(kernel[:-1]), prod(kernel[:-2]) * kernel[-1]
            limit = 1 / sqrt(fan_in) if initializer == "pytorch" else sqrt(6 / (fan_in + fan_out))
            values = random.uniform(-limit, limit, shape)
        parameters[parameter.key] = values.astype(np.float32)
    return parameters


def _kernel_shape(architecture: Architecture, parameter: Parameter) -> Shape | None:
    """The kernel (..., in, out) of a parameter's layer, whose range its bias has too; None where there is none."""
    kernel = architecture.parameter_shapes.get(f"{parameter.node.name}/kernel")
    if kernel and isinstance(parameter.node.layer, ConvTranspose2D):
        return (*kernel[:-2], kernel[-1], kernel[-2])  # PyTorch and Keras take its outputs for its inputs
    return kernel
