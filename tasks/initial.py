"""The one draw of initial parameters that every backend starts from."""

from math import prod, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.architecture import Architecture, Parameters, Variable
from tasks.layers import LSTM, ConvTranspose2D, Shape
from tasks.masks import SEEDS
from tasks.reproducible import random_stream

Initializer = Literal["pytorch", "keras", "flax", "he", "normal"]
_TRUNCATED_DEVIATION = 0.8796256610342398
"""The standard deviation of a standard normal that is truncated at two of its own."""
STATE = {"mean": 0.0, "variance": 1.0, "next_row": 0.0}
"""What the state begins with, by name; a seed is drawn."""


def draw_parameters(architecture: Architecture, initializer: Initializer, seed: int) -> Parameters:
    """Draws the initial parameters, and the initial state, that every backend starts from.

    Args:
        architecture: whose parameters to draw.
        initializer: ``"pytorch"``: kernels and biases uniform within 1/sqrt(fan_in) (``torch.nn.Linear`` and
            ``Conv2d``); ``"keras"``: kernels Glorot uniform, within sqrt(6 / (fan_in + fan_out)), biases 0;
            ``"flax"``: kernels normal with the variance 1 / fan_in, truncated at two standard deviations (LeCun's),
            biases 0; ``"he"``: kernels normal with the variance 2 / fan_in, biases 0;
            ``"normal"``: everything standard normal. Layers without a kernel, which normalize, have in each framework
            scales of 1 and biases of 0; these are not drawn, except by ``"normal"``. All numbers of an LSTM are uniform
            within 1/sqrt(units) by ``"pytorch"``; the others make its recurrent kernel orthogonal and its bias 0,
            ``"keras"`` 1 in the forget gate.
        seed: any int from 0.

    Returns:
        float32 arrays in the canonical layout, by ``"<node>/<name>"``.
    """
    random, of_masks = random_stream(seed, "parameters"), random_stream(seed, "masks")
    arrays: Parameters = {}
    for variable in architecture.variables:
        if variable.trained:
            values = _draw(variable, _kernel_shape(architecture, variable), initializer, random)
        else:
            start = of_masks.randint(SEEDS) if variable.name == "seed" else STATE[variable.name]
            values = np.full(variable.shape, start)
        arrays[variable.key] = values.astype(np.float32)
    return arrays


def _draw(
    parameter: Variable, kernel: Shape | None, initializer: Initializer, random: np.random.RandomState
) -> NDArray[np.float64]:
    """Draws a parameter of a layer with such a kernel, whose range a bias has too."""
    if initializer == "normal":
        return random.standard_normal(parameter.shape)
    if kernel is None:
        return np.full(parameter.shape, float(parameter.name == "scale"))
    layer = parameter.node.layer
    if initializer != "pytorch" and parameter.name == "recurrent_kernel":
        return _orthogonal(parameter.shape, random)
    if initializer != "pytorch" and parameter.name != "kernel":
        bias = np.zeros(parameter.shape)
        if initializer == "keras" and isinstance(layer, LSTM):
            bias[layer.units : 2 * layer.units] = 1  # in the forget gate
        return bias
    fan_in, fan_out = prod(kernel[:-1]), prod(kernel[:-2]) * kernel[-1]
    if initializer == "he":
        return random.standard_normal(parameter.shape) * sqrt(2 / fan_in)
    if initializer == "flax":
        return _truncated_normal(parameter.shape, random) * sqrt(1 / fan_in)
    of_pytorch = 1 / sqrt(layer.units if isinstance(layer, LSTM) else fan_in)
    limit = of_pytorch if initializer == "pytorch" else sqrt(6 / (fan_in + fan_out))
    return random.uniform(-limit, limit, parameter.shape)


def _orthogonal(shape: Shape, random: np.random.RandomState) -> NDArray[np.float64]:
    """Rows (rows, columns) of length 1 that are at right angles, evenly distributed; there are more columns."""
    columns, corner = np.linalg.qr(random.standard_normal(shape[::-1]))
    return (columns * np.sign(np.diag(corner))).T


def _truncated_normal(shape: Shape, random: np.random.RandomState) -> NDArray[np.float64]:
    """A standard normal truncated at two standard deviations, and scaled so that its variance is 1 again."""
    values = random.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = random.standard_normal(int(outside.sum()))
    return values / _TRUNCATED_DEVIATION


def _kernel_shape(architecture: Architecture, parameter: Variable) -> Shape | None:
    """The kernel (..., in, out) of a parameter's layer; None where there is none."""
    kernel = architecture.parameter_shapes.get(f"{parameter.node.name}/kernel")
    if kernel and isinstance(parameter.node.layer, ConvTranspose2D):
        return (*kernel[:-2], kernel[-1], kernel[-2])  # PyTorch and Keras take its outputs for its inputs
    return kernel
