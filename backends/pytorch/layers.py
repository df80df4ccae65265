"""The layers of ``torch.nn``, in the order of tasks/layers.py.

Each entry takes a layer's description and the canonical shape of one example before it, and returns the module; it has
to be told its number of inputs. Torch's images are (n, channels, height, width): NCHW.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from backends.pytorch.stateful import _MaskedDropout, batch_norm
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

Module: TypeAlias = nn.Module
BuildLayer = Callable[[Any, Shape], Module]


def conv2d(layer: Conv2D, shape: Shape, kind: Callable[..., Module] = nn.Conv2d) -> Module:
    """(n, in, height, width) to (n, filters, height', width'), with a kernel (filters, in, height, width).

    Torch pads both sides alike and refuses ``padding="same"`` with a stride: otherwise a layer of its own pads.
    """
    (top, bottom), (left, right) = layer.pads(shape)
    if (top, left) == (bottom, right):
        return kind(shape[2], layer.filters, layer.kernel_size, layer.strides, padding=(top, left))
    convolution = kind(shape[2], layer.filters, layer.kernel_size, layer.strides)
    return nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), convolution)


class _Add(nn.Module):
    """The sum of several (n, ...); torch has no layer for it."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return sum(inputs[1:], inputs[0])


class _Concatenate(nn.Module):
    """Several (n, channels, ...) side by side; torch has no layer for it, and its channels are the second axis."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, dim=1)


class _ChannelsLastFlatten(nn.Module):
    """Flattens images in the canonical order: height, width, channel; without a copy if they lie in memory so."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1) if x.ndim == 4 else x


LAYERS: dict[type[Layer], BuildLayer] = {
    # (n, in) to (n, units), with a kernel (units, in): x @ weight.T + bias
    Dense: lambda layer, shape: nn.Linear(shape[0], layer.units),
    Conv2D: conv2d,
    # (n, channels, height, width) to (n, channels, height', width'); windows do not overlap by default
    MaxPool2D: lambda layer, shape: nn.MaxPool2d(layer.size),
    # to (n, channels * height * width), in this order, where the canonical one is height, width, channel
    Flatten: lambda layer, shape: nn.Flatten(),
    # (n, ...) to (n, ...)
    ReLU: lambda layer, shape: nn.ReLU(),
    Tanh: lambda layer, shape: nn.Tanh(),
    Sigmoid: lambda layer, shape: nn.Sigmoid(),
    # (n, outputs) to (n, outputs); torch has to be told the axis
    Softmax: lambda layer, shape: nn.Softmax(dim=1),
    # several (n, ...) to one
    Add: lambda layer, shape: _Add(),
    Concatenate: lambda layer, shape: _Concatenate(),
    # (n, ...) to (n, ...)
    BatchNorm: batch_norm,
    Dropout: _MaskedDropout,
}
