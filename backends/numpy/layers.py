"""Forward and backward passes of every layer, in the order of tasks/layers.

Each layer is a pair of functions. ``forward(layer, x, p)`` takes the input and the layer's parameters, and returns the
output and what the backward pass will need. ``backward(layer, kept, dy)`` takes that and the gradient of the loss for
the output, and returns the gradient ``dx`` for the input, of the input's shape, and the gradient for each parameter.
Those that merge several inputs take them, and return their gradients, as lists.
Images are (n, height, width, channels): NHWC.
"""

from typing import Any

import numpy as np

from backends.numpy.activations import (
    gelu_backward,
    gelu_forward,
    leaky_relu_backward,
    leaky_relu_forward,
    relu_backward,
    relu_forward,
    sigmoid_backward,
    sigmoid_forward,
    softmax_backward,
    softmax_forward,
    tanh_backward,
    tanh_forward,
)
from backends.numpy.arrays import Array, Backward, Forward, LayerParameters
from backends.numpy.convolutions import (
    conv2d_backward,
    conv2d_forward,
    conv_transpose2d_backward,
    conv_transpose2d_forward,
)
from backends.numpy.normalization import layer_norm_backward, layer_norm_forward
from backends.numpy.pooling import (
    average_pool2d_backward,
    average_pool2d_forward,
    global_average_pool2d_backward,
    global_average_pool2d_forward,
    max_pool2d_backward,
    max_pool2d_forward,
)
from backends.numpy.recurrent import lstm_backward, lstm_forward
from backends.numpy.stateful import (
    batch_norm_backward,
    batch_norm_forward,
    dropout_backward,
    dropout_forward,
)
from tasks.layers import (
    GELU,
    LSTM,
    Add,
    AveragePool2D,
    BatchNorm,
    Concatenate,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Reshape,
    Sigmoid,
    Softmax,
    Tanh,
)


def dense_forward(layer: Dense, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """``y = x @ kernel + bias``: (n, in) to (n, units), with a kernel (in, units)."""
    y = x @ p["kernel"]
    return y + p["bias"] if layer.bias else y, (x, p["kernel"])


def dense_backward(layer: Dense, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """``dx = dy @ kernel.T``, ``d_kernel = x.T @ dy``, ``d_bias``: the sum of dy over the batch. dy is (n, units)."""
    x, kernel = kept
    bias = {"bias": dy.sum(axis=0)} if layer.bias else {}
    return dy @ kernel.T, {"kernel": x.T @ dy} | bias


def flatten_forward(layer: Flatten, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """(n, height, width, channels) to (n, height * width * channels), in this order."""
    return x.reshape(len(x), -1), x.shape


def flatten_backward(layer: Flatten, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """From dy (n, inputs): the same numbers in the input's shape."""
    return dy.reshape(kept), {}


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


def reshape_forward(layer: Reshape, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """(n, ...) to (n, *shape): the same numbers in the same order."""
    return x.reshape(len(x), *layer.shape), x.shape


def reshape_backward(layer: Reshape, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """From dy (n, *shape): the same numbers in the input's shape."""
    return dy.reshape(kept), {}


LAYERS: dict[type[Layer], tuple[Forward, Backward]] = {
    Dense: (dense_forward, dense_backward),
    Conv2D: (conv2d_forward, conv2d_backward),
    ConvTranspose2D: (conv_transpose2d_forward, conv_transpose2d_backward),
    MaxPool2D: (max_pool2d_forward, max_pool2d_backward),
    AveragePool2D: (average_pool2d_forward, average_pool2d_backward),
    GlobalAveragePool2D: (global_average_pool2d_forward, global_average_pool2d_backward),
    LayerNorm: (layer_norm_forward, layer_norm_backward),
    Flatten: (flatten_forward, flatten_backward),
    Reshape: (reshape_forward, reshape_backward),
    LSTM: (lstm_forward, lstm_backward),
    ReLU: (relu_forward, relu_backward),
    LeakyReLU: (leaky_relu_forward, leaky_relu_backward),
    GELU: (gelu_forward, gelu_backward),
    Tanh: (tanh_forward, tanh_backward),
    Sigmoid: (sigmoid_forward, sigmoid_backward),
    Softmax: (softmax_forward, softmax_backward),
    Add: (add_forward, add_backward),
    Concatenate: (concatenate_forward, concatenate_backward),
    BatchNorm: (batch_norm_forward, batch_norm_backward),
    Dropout: (dropout_forward, dropout_backward),
}
