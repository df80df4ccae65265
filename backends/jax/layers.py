"""The layers of ``flax.nnx``, in the order of tasks/layers.py.

Each entry takes a layer's description and the canonical shape of one example before it, and returns the module, or a
function where there are no parameters. A module has to be told its number of inputs, and asks for a source of random
numbers even where its initial parameters are 0 (they are replaced anyway). JAX's images are (n, height, width,
channels), NHWC, and nnx's kernels (in, out): the canonical layout as it is.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from flax import nnx

from backends.jax.stateful import _MaskedDropout, batch_norm
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

Module: TypeAlias = Callable[..., jax.Array]
BuildLayer = Callable[[Any, Shape], Module]


def conv2d(layer: Conv2D, shape: Shape, kind: Callable[..., Module] = nnx.Conv) -> Module:
    """(n, height, width, in) to (n, height', width', filters), with a kernel (height, width, in, filters).

    XLA's ``padding="SAME"`` is the canonical one.
    """
    options = {"strides": layer.strides, "padding": layer.padding.upper(), **_zeros()}
    return kind(shape[2], layer.filters, layer.kernel_size, **options)


def _zeros() -> dict[str, Any]:
    return {"kernel_init": nnx.initializers.zeros, "rngs": nnx.Rngs(0)}


LAYERS: dict[type[Layer], BuildLayer] = {
    # (n, in) to (n, units), with a kernel (in, units): x @ kernel + bias
    Dense: lambda layer, shape: nnx.Linear(shape[0], layer.units, **_zeros()),
    Conv2D: conv2d,
    # (n, height, width, channels) to (n, height', width', channels); windows overlap by default
    MaxPool2D: lambda layer, shape: lambda x: nnx.max_pool(x, layer.size, strides=layer.size),
    # to (n, height * width * channels), in this order, which is the canonical one
    Flatten: lambda layer, shape: lambda x: x.reshape(x.shape[0], -1),
    # (n, ...) to (n, ...)
    ReLU: lambda layer, shape: nnx.relu,
    Tanh: lambda layer, shape: nnx.tanh,
    Sigmoid: lambda layer, shape: nnx.sigmoid,
    # (n, outputs) to (n, outputs); JAX takes the last axis by default
    Softmax: lambda layer, shape: nnx.softmax,
    # several (n, ...) to one
    Add: lambda layer, shape: lambda *inputs: sum(inputs[1:], inputs[0]),
    Concatenate: lambda layer, shape: lambda *inputs: jnp.concatenate(inputs, axis=-1),
    # (n, ...) to (n, ...)
    BatchNorm: batch_norm,
    Dropout: _MaskedDropout,
}
