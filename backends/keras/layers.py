"""The layers of ``keras.layers``, in the order of tasks/layers.py.

Each entry takes a layer's description and the canonical shape of one example before it, and returns the layer; it finds
out its number of inputs when the network is built. Keras's images are (n, height, width, channels), NHWC, and its
kernels (in, out): the canonical layout as it is.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import keras

from backends.keras.stateful import _MaskedDropout, batch_norm
from tasks.layers import (
    Add,
    BatchNorm,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPool2D,
    ReLU,
    Shape,
    Sigmoid,
    Softmax,
    Tanh,
)

Module: TypeAlias = keras.layers.Layer
BuildLayer = Callable[[Any, Shape], Module]


def conv2d(layer: Conv2D, shape: Shape, kind: Callable[..., Module] = keras.layers.Conv2D) -> Module:
    """(n, height, width, in) to (n, height', width', filters), with a kernel (height, width, in, filters).

    TensorFlow's ``padding="same"`` is the canonical one.
    """
    return kind(layer.filters, layer.kernel_size, strides=layer.strides, padding=layer.padding)


LAYERS: dict[type[Layer], BuildLayer] = {
    # (n, in) to (n, units), with a kernel (in, units): x @ kernel + bias
    Dense: lambda layer, shape: keras.layers.Dense(layer.units),
    Conv2D: conv2d,
    # (n, height, width, channels) to (n, height', width', channels); windows do not overlap by default
    MaxPool2D: lambda layer, shape: keras.layers.MaxPooling2D(layer.size),
    # to (n, height * width * channels), in this order, which is the canonical one
    Flatten: lambda layer, shape: keras.layers.Flatten(),
    # (n, ...) to (n, ...)
    ReLU: lambda layer, shape: keras.layers.ReLU(),
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
}
