"""The layers of ``flax.nnx``, in the order of tasks/layers.py.

Each entry takes a layer's description and the canonical shape of one example before it, and returns the module, or a
function where there are no parameters. A module has to be told its number of inputs, and asks for a source of random
numbers even where its initial parameters are 0 (they are replaced anyway). JAX's images are (n, height, width,
channels), NHWC, and nnx's kernels (in, out): the canonical layout as it is, but for transposed convolutions.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from flax import nnx

from backends.jax.recurrent import lstm
from backends.jax.stateful import _MaskedDropout, batch_norm
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
    Padding,
    ReLU,
    Reshape,
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
    options = {"strides": layer.strides, "padding": _padding(layer.padding), "use_bias": layer.bias, **_zeros()}
    return kind(shape[2], layer.filters, layer.kernel_size, feature_group_count=layer.groups, **options)


def _conv_transpose2d(layer: ConvTranspose2D, shape: Shape) -> Module:
    """(n, height, width, in) to (n, height', width', filters), with a kernel (height, width, filters, in).

    Flax flips the kernel, as a transposed convolution does, only if it is told to; and it pads what the kernel sees of
    the image, where the others crop the output.
    """
    padding = [
        (size - 1 - before, size - 1 - after)
        for size, (before, after) in zip(layer.kernel_size, layer.crops(), strict=True)
    ]
    options = {"padding": padding, "transpose_kernel": True, "use_bias": layer.bias, **_zeros()}
    return nnx.ConvTranspose(shape[2], layer.filters, layer.kernel_size, layer.strides, **options)


def _padding(padding: Padding) -> str | list[tuple[int, int]]:
    return padding.upper() if isinstance(padding, str) else list(padding)


def _max_pool2d(layer: MaxPool2D, shape: Shape) -> Module:
    """(n, height, width, channels) to (n, height', width', channels); windows overlap by default."""
    return lambda x: nnx.max_pool(x, layer.size, layer.steps, _padding(layer.padding))


def _average_pool2d(layer: AveragePool2D, shape: Shape) -> Module:
    """(n, height, width, channels) to (n, height', width', channels); flax counts the padding by default."""
    return lambda x: nnx.avg_pool(x, layer.size, layer.steps, _padding(layer.padding), layer.count_padding)


def _layer_norm(layer: LayerNorm, shape: Shape) -> Module:
    """(n, ..., channels) to (n, ..., channels).

    Flax's own epsilon is 1e-6, and its own variance ``mean(x**2) - mean(x)**2``, which cancels.
    """
    return nnx.LayerNorm(shape[-1], epsilon=layer.epsilon, use_fast_variance=False, rngs=nnx.Rngs(0))


def _zeros() -> dict[str, Any]:
    return {"kernel_init": nnx.initializers.zeros, "rngs": nnx.Rngs(0)}


LAYERS: dict[type[Layer], BuildLayer] = {
    # (n, in) to (n, units), with a kernel (in, units): x @ kernel + bias
    Dense: lambda layer, shape: nnx.Linear(shape[0], layer.units, use_bias=layer.bias, **_zeros()),
    Conv2D: conv2d,
    ConvTranspose2D: _conv_transpose2d,
    MaxPool2D: _max_pool2d,
    AveragePool2D: _average_pool2d,
    # (n, height, width, channels) to (n, channels)
    GlobalAveragePool2D: lambda layer, shape: lambda x: x.mean(axis=(1, 2)),
    LayerNorm: _layer_norm,
    # to (n, height * width * channels), in this order, which is the canonical one
    Flatten: lambda layer, shape: lambda x: x.reshape(x.shape[0], -1),
    Reshape: lambda layer, shape: lambda x: x.reshape(x.shape[0], *layer.shape),
    # (n, time, features) to (n, time, units) or (n, units)
    LSTM: lstm,
    # (n, ...) to (n, ...)
    ReLU: lambda layer, shape: nnx.relu,
    # nnx.leaky_relu has the gradient 1 at 0, where the others have the slope: it matters where inputs and biases are 0
    LeakyReLU: lambda layer, shape: lambda x: jnp.where(x > 0, x, layer.slope * x),
    # approximate by default
    GELU: lambda layer, shape: partial(nnx.gelu, approximate=layer.approximate),
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
    OwnDropout: lambda layer, shape: nnx.Dropout(layer.rate, rngs=nnx.Rngs(0)),
}
