"""The layers of ``keras.layers``, in the order of tasks/layers.py.

Each entry takes a layer's description and the canonical shape of one example before it, and returns the layer; it finds
out its number of inputs when the network is built. Keras's images are (n, height, width, channels), NHWC, and its
kernels (in, out): the canonical layout as it is, but for transposed and depthwise convolutions.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import keras

from backends.keras import _is_depthwise
from backends.keras.recurrent import lstm
from backends.keras.stateful import _MaskedDropout, batch_norm
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
    OwnDropout,
    Pads,
    ReLU,
    Reshape,
    Shape,
    Sigmoid,
    Softmax,
    Tanh,
)

Module: TypeAlias = keras.layers.Layer
BuildLayer = Callable[[Any, Shape], Module]


def conv2d(layer: Conv2D, shape: Shape, kind: Callable[..., Module] = keras.layers.Conv2D) -> Module:
    """(n, height, width, in) to (n, height', width', filters), with a kernel (height, width, in, filters).

    TensorFlow's ``padding="same"`` is the canonical one. Keras's convolutions cannot be told how many rows and columns
    to pad: ``ZeroPadding2D`` before them can. A depthwise convolution is a layer of its own, with a kernel (height,
    width, in, filters / in).
    """
    padding = layer.padding if isinstance(layer.padding, str) else "valid"
    options = {"strides": layer.strides, "padding": padding, "use_bias": layer.bias}
    if _is_depthwise(layer, shape):
        multiplier = layer.filters // layer.groups
        convolution = keras.layers.DepthwiseConv2D(layer.kernel_size, depth_multiplier=multiplier, **options)
    else:
        convolution = kind(layer.filters, layer.kernel_size, groups=layer.groups, **options)
    if isinstance(layer.padding, str):
        return convolution
    return keras.Sequential([keras.layers.ZeroPadding2D(layer.padding), convolution])


def _conv_transpose2d(layer: ConvTranspose2D, shape: Shape) -> Module:
    """(n, height, width, in) to (n, height', width', filters), with a kernel (height, width, filters, in).

    Unless ``output_padding`` is 0, Keras adds rows where the kernel is smaller than the stride, with "valid" too.
    """
    options = {"padding": layer.padding, "output_padding": 0 if layer.padding == "valid" else None}
    return keras.layers.Conv2DTranspose(layer.filters, layer.kernel_size, layer.strides, use_bias=layer.bias, **options)


def _max_pool2d(layer: MaxPool2D, shape: Shape) -> Module:
    """(n, height, width, channels) to (n, height', width', channels); windows do not overlap by default."""
    if isinstance(layer.padding, str):
        return keras.layers.MaxPooling2D(layer.size, layer.steps, layer.padding)
    return keras.Sequential([_LowestPadding(layer.padding), keras.layers.MaxPooling2D(layer.size, layer.steps)])


class _LowestPadding(keras.layers.ZeroPadding2D):
    """Pads with what is never the maximum; Keras's own pools cannot be told how much to pad."""

    def __init__(self, padding: Pads) -> None:
        super().__init__(padding, name=_unique("lowest_padding"))

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return keras.ops.pad(x, [(0, 0), *self.padding, (0, 0)], constant_values=-math.inf)


def _average_pool2d(layer: AveragePool2D, shape: Shape) -> Module:
    """(n, height, width, channels) to (n, height', width', channels); Keras never counts what it pads."""
    pads = layer.pads(shape)
    if isinstance(layer.padding, str) and (not layer.count_padding or not any(map(any, pads))):
        return keras.layers.AveragePooling2D(layer.size, layer.steps, layer.padding)
    if layer.count_padding:
        pool = keras.layers.AveragePooling2D(layer.size, layer.steps)
        return keras.Sequential([keras.layers.ZeroPadding2D(pads), pool])
    return _UncountedAveragePool(layer)


class _UncountedAveragePool(keras.layers.Layer):
    """An average pool that is told how much to pad, and does not count that: the mean over the share that counts."""

    def __init__(self, layer: AveragePool2D) -> None:
        super().__init__(name=_unique("uncounted_average_pool"))
        self.zeros = keras.layers.ZeroPadding2D(layer.padding)
        self.pool = keras.layers.AveragePooling2D(layer.size, layer.steps)

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return self.pool(self.zeros(x)) / self.pool(self.zeros(keras.ops.ones_like(x[:1, :, :, :1])))

    def compute_output_shape(self, shape: Any) -> Any:
        return self.pool.compute_output_shape(self.zeros.compute_output_shape(shape))


def _unique(name: str) -> str:
    """A layer's name; Keras would make one of its class's that begins with an underscore, which TensorFlow refuses."""
    return f"{name}_{keras.backend.get_uid(name)}"


LAYERS: dict[type[Layer], BuildLayer] = {
    # (n, in) to (n, units), with a kernel (in, units): x @ kernel + bias
    Dense: lambda layer, shape: keras.layers.Dense(layer.units, use_bias=layer.bias),
    Conv2D: conv2d,
    ConvTranspose2D: _conv_transpose2d,
    MaxPool2D: _max_pool2d,
    AveragePool2D: _average_pool2d,
    # (n, height, width, channels) to (n, channels)
    GlobalAveragePool2D: lambda layer, shape: keras.layers.GlobalAveragePooling2D(),
    # (n, ..., channels) to (n, ..., channels); Keras's own epsilon is 1e-3
    LayerNorm: lambda layer, shape: keras.layers.LayerNormalization(epsilon=layer.epsilon),
    # to (n, height * width * channels), in this order, which is the canonical one
    Flatten: lambda layer, shape: keras.layers.Flatten(),
    Reshape: lambda layer, shape: keras.layers.Reshape(layer.shape),
    # (n, time, features) to (n, time, units) or (n, units)
    LSTM: lstm,
    # (n, ...) to (n, ...)
    ReLU: lambda layer, shape: keras.layers.ReLU(),
    # Keras's own slope is 0.3
    LeakyReLU: lambda layer, shape: keras.layers.LeakyReLU(layer.slope),
    # exact by default
    GELU: lambda layer, shape: keras.layers.Activation(partial(keras.activations.gelu, approximate=layer.approximate)),
    Tanh: lambda layer, shape: keras.layers.Activation("tanh"),
    Sigmoid: lambda layer, shape: keras.layers.Activation("sigmoid"),
    # (n, outputs) to (n, outputs); Keras takes the last axis by default
    Softmax: lambda layer, shape: keras.layers.Softmax(),
    # a list of several (n, ...) to one
    Add: lambda layer, shape: keras.layers.Add(),
    Concatenate: lambda layer, shape: keras.layers.Concatenate(),
    # (n, ...) to (n, ...)
    BatchNorm: batch_norm,
    Dropout: _MaskedDropout,
    OwnDropout: lambda layer, shape: keras.layers.Dropout(layer.rate),
}
