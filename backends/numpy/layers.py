"""Forward and backward passes of every layer, in the order of tasks/layers.py.

Each layer is a pair of functions. ``forward(layer, x, p)`` takes the input and the layer's parameters, and returns the
output and what the backward pass will need. ``backward(layer, kept, dy)`` takes that and the gradient of the loss for
the output, and returns the gradient ``dx`` for the input, of the input's shape, and the gradient for each parameter.
Those that merge several inputs take them, and return their gradients, as lists.
Images are (n, height, width, channels): NHWC.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tasks.layers import Add, Concatenate, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Sigmoid, Softmax, Tanh

Array = NDArray[np.floating]
LayerParameters = dict[str, Array]
Forward = Callable[[Any, Any, LayerParameters], tuple[Array, Any]]
Backward = Callable[[Any, Any, Array], tuple[Any, LayerParameters]]


def dense_forward(layer: Dense, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """``y = x @ kernel + bias``: (n, in) to (n, units), with a kernel (in, units)."""
    return x @ p["kernel"] + p["bias"], (x, p["kernel"])


def dense_backward(layer: Dense, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """``dx = dy @ kernel.T``, ``d_kernel = x.T @ dy``, ``d_bias``: the sum of dy over the batch. dy is (n, units)."""
    x, kernel = kept
    return dy @ kernel.T, {"kernel": x.T @ dy, "bias": dy.sum(axis=0)}


def conv2d_forward(layer: Conv2D, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """Cross-correlation plus bias: (n, height, width, in) to (n, height', width', filters).

    By "im2col": every window that the kernel sees becomes a row, so that the convolution is one matrix product. The
    kernel is (kernel height, kernel width, in, filters).
    """
    pads = layer.pads(x.shape[1:])
    padded = np.pad(x, ((0, 0), *pads, (0, 0)))
    windows = sliding_window_view(padded, layer.kernel_size, axis=(1, 2))  # (n, y, x, channel, kernel y, kernel x)
    windows = windows[:, :: layer.strides[0], :: layer.strides[1]]
    n, height, width = windows.shape[:3]
    columns = windows.transpose(0, 1, 2, 4, 5, 3).reshape(n * height * width, -1)
    kernel = p["kernel"].reshape(-1, layer.filters)
    y = (columns @ kernel + p["bias"]).reshape(n, height, width, layer.filters)
    return y, (columns, p["kernel"], x.shape, padded.shape, pads)


def conv2d_backward(layer: Conv2D, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """From dy (n, height', width', filters): the same products as a dense layer's, of the windows' rows."""
    columns, kernel, shape, padded_shape, ((top, _), (left, _)) = kept
    n, height, width, filters = dy.shape
    rows = dy.reshape(-1, filters)
    d_kernel = (columns.T @ rows).reshape(kernel.shape)
    # From columns back to the image: each place in the kernel adds its share to the pixels that it was multiplied with.
    d_windows = (rows @ kernel.reshape(-1, filters).T).reshape(n, height, width, *kernel.shape[:3])
    d_padded = np.zeros(padded_shape, dy.dtype)
    step_y, step_x = layer.strides
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            d_padded[:, i : i + height * step_y : step_y, j : j + width * step_x : step_x] += d_windows[:, :, :, i, j]
    dx = d_padded[:, top : top + shape[1], left : left + shape[2]]
    return dx, {"kernel": d_kernel, "bias": rows.sum(axis=0)}


def max_pool2d_forward(layer: MaxPool2D, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """The maximum of each window: (n, height, width, channels) to (n, height', width', channels)."""
    y = np.maximum.reduce([x[candidates] for candidates in _pool_slices(layer, x.shape)])
    return y, (x, y)


def max_pool2d_backward(layer: MaxPool2D, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """From dy (n, height', width', channels): each number goes to its window's maximum, to the first of equal ones."""
    x, y = kept
    dx = np.zeros_like(x)
    searching = np.ones(y.shape, bool)  # the first of equal maxima gets the gradient
    for candidates in _pool_slices(layer, x.shape):
        winner = searching & (x[candidates] == y)
        dx[candidates] = dy * winner
        searching &= ~winner
    return dx, {}


def _pool_slices(layer: MaxPool2D, shape: tuple[int, ...]) -> list[tuple[slice, ...]]:
    """The pixels at one place of every window, for each place in a window."""
    (size_y, size_x), (_, height, width, _) = layer.size, shape
    bottom, right = height // size_y * size_y, width // size_x * size_x
    every = slice(None)
    return [
        (every, slice(i, bottom, size_y), slice(j, right, size_x), every) for i in range(size_y) for j in range(size_x)
    ]


def flatten_forward(layer: Flatten, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """(n, height, width, channels) to (n, height * width * channels), in this order."""
    return x.reshape(len(x), -1), x.shape


def flatten_backward(layer: Flatten, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """From dy (n, inputs): the same numbers in the input's shape."""
    return dy.reshape(kept), {}


def relu_forward(layer: ReLU, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """``max(x, 0)``: (n, ...) to (n, ...)."""
    return np.maximum(x, 0), x > 0


def relu_backward(layer: ReLU, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """The slope is 1 above 0, else 0: at 0 too."""
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


def add_forward(layer: Add, x: list[Array], p: LayerParameters) -> tuple[Array, Any]:
    """The sum of several (n, ...)."""
    return sum(x[1:], x[0]), len(x)


def add_backward(layer: Add, kept: Any, dy: Array) -> tuple[list[Array], LayerParameters]:
    """Every input's gradient is the output's."""
    return [dy] * kept, {}


def concatenate_forward(layer: Concatenate, x: list[Array], p: LayerParameters) -> tuple[Array, Any]:
    """Several (n, ..., channels) side by side: (n, ..., all channels)."""
    return np.concatenate(x, axis=-1), np.cumsum([part.shape[-1] for part in x])[:-1].tolist()


def concatenate_backward(layer: Concatenate, kept: Any, dy: Array) -> tuple[list[Array], LayerParameters]:
    """Every input's gradient is its part of the output's."""
    return np.split(dy, kept, axis=-1), {}


LAYERS: dict[type[Layer], tuple[Forward, Backward]] = {
    Dense: (dense_forward, dense_backward),
    Conv2D: (conv2d_forward, conv2d_backward),
    MaxPool2D: (max_pool2d_forward, max_pool2d_backward),
    Flatten: (flatten_forward, flatten_backward),
    ReLU: (relu_forward, relu_backward),
    Tanh: (tanh_forward, tanh_backward),
    Sigmoid: (sigmoid_forward, sigmoid_backward),
    Softmax: (softmax_forward, softmax_backward),
    Add: (add_forward, add_backward),
    Concatenate: (concatenate_forward, concatenate_backward),
}
