"""Forward and backward passes of activations."""

from math import erf, pi, sqrt
from typing import Any

import numpy as np

from backends.numpy.arrays import Array, LayerParameters
from tasks.layers import GELU, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh

_erf = np.frompyfunc(erf, 1, 1)
"""The error function, which NumPy lacks."""


def relu_forward(layer: ReLU, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """``max(x, 0)``: (n, ...) to (n, ...)."""
    return np.maximum(x, 0), x > 0


def relu_backward(layer: ReLU, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """The slope is 1 above 0, else 0: at 0 too."""
    return dy * kept, {}


def leaky_relu_forward(layer: LeakyReLU, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """``x`` above 0, else ``slope * x``: (n, ...) to (n, ...)."""
    slopes = np.where(x > 0, x.dtype.type(1), x.dtype.type(layer.slope))
    return x * slopes, slopes


def leaky_relu_backward(layer: LeakyReLU, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """The slope is 1 above 0, else that of the layer: at 0 too."""
    return dy * kept, {}


def gelu_forward(layer: GELU, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """``x * P(X < x)`` for a normal X, or its approximation: (n, ...) to (n, ...). Keeps the slopes."""
    if layer.approximate:
        root, cubic = sqrt(2 / pi), 0.044715
        tanh = np.tanh(root * (x + cubic * x**3))
        slopes = (1 + tanh) / 2 + x / 2 * (1 - tanh * tanh) * root * (1 + 3 * cubic * x * x)
        return x / 2 * (1 + tanh), slopes
    probability = (1 + _erf(x / sqrt(2)).astype(x.dtype)) / 2
    return x * probability, probability + x * np.exp(-x * x / 2) / sqrt(2 * pi)


def gelu_backward(layer: GELU, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """The slope is ``P(X < x) + x * density(x)``; of the approximation, its own."""
    return dy * kept, {}


def tanh_forward(layer: Tanh, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """(n, ...) to (n, ...)."""
    y = np.tanh(x)
    return y, y


def tanh_backward(layer: Tanh, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """The slope is ``1 - y**2``."""
    return dy * (1 - kept * kept), {}


def sigmoid_forward(layer: Sigmoid, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """``1 / (1 + exp(-x))``: (n, ...) to (n, ...)."""
    small = np.exp(-np.abs(x))  # exp of a negative number never overflows
    y = np.where(x >= 0, 1, small) / (1 + small)
    return y, y


def sigmoid_backward(layer: Sigmoid, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """The slope is ``y (1 - y)``."""
    return dy * kept * (1 - kept), {}


def softmax_forward(layer: Softmax, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """``exp(x) / sum(exp(x))`` over the last axis: (n, outputs) to (n, outputs)."""
    y = np.exp(x - x.max(axis=-1, keepdims=True))
    y /= y.sum(axis=-1, keepdims=True)
    return y, y


def softmax_backward(layer: Softmax, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """``dx_i = y_i (dy_i - sum_j dy_j y_j)``: every output depends on every input."""
    return kept * (dy - (dy * kept).sum(axis=-1, keepdims=True)), {}
