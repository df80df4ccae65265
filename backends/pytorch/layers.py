"""The layers of ``torch.nn``, in the order of tasks/layers.py.

Each entry takes a layer's description and the canonical shape of one example before it, and returns the module; it has
to be told its number of inputs. Torch's images are (n, channels, height, width): NCHW.
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from backends.pytorch.recurrent import lstm
from backends.pytorch.stateful import _MaskedDropout, batch_norm
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

Module: TypeAlias = nn.Module
BuildLayer = Callable[[Any, Shape], Module]


def conv2d(layer: Conv2D, shape: Shape, kind: Callable[..., Module] = nn.Conv2d) -> Module:
    """(n, in, height, width) to (n, filters, height', width'), with a kernel (filters, in / groups, height, width).

    Torch pads both sides alike and refuses ``padding="same"`` with a stride: otherwise a layer of its own pads.
    """
    (top, bottom), (left, right) = pads = layer.pads(shape)
    options = {"stride": layer.strides, "groups": layer.groups, "bias": layer.bias}
    if (top, left) == (bottom, right):
        return kind(shape[2], layer.filters, layer.kernel_size, padding=(top, left), **options)
    return nn.Sequential(nn.ZeroPad2d(_sides(pads)), kind(shape[2], layer.filters, layer.kernel_size, **options))


def _conv_transpose2d(layer: ConvTranspose2D, shape: Shape) -> Module:
    """(n, in, height, width) to (n, filters, height', width'), with a kernel (in, filters, height, width).

    Torch's ``padding`` is cropped, on both sides alike, and ``output_padding`` is added at the bottom and at the right.
    Where more has to be cropped there, a layer of its own crops: one that pads a negative number.
    """
    (top, bottom), (left, right) = layer.crops()
    convolution = nn.ConvTranspose2d(
        shape[2],
        layer.filters,
        layer.kernel_size,
        layer.strides,
        padding=(top, left),
        output_padding=(max(top - bottom, 0), max(left - right, 0)),
        bias=layer.bias,
    )
    below, beside = max(bottom - top, 0), max(right - left, 0)
    return nn.Sequential(convolution, nn.ZeroPad2d((0, -beside, 0, -below))) if below or beside else convolution


def _max_pool2d(layer: MaxPool2D, shape: Shape) -> Module:
    """(n, channels, height, width) to (n, channels, height', width').

    Torch pads both sides alike, and at most half a window: otherwise a layer of its own pads.
    """
    pads = layer.pads(shape)
    padding = _own_padding(pads, layer.size)
    if padding is not None:
        return nn.MaxPool2d(layer.size, layer.steps, padding)
    return nn.Sequential(nn.ConstantPad2d(_sides(pads), -math.inf), nn.MaxPool2d(layer.size, layer.steps))


def _average_pool2d(layer: AveragePool2D, shape: Shape) -> Module:
    """(n, channels, height, width) to (n, channels, height', width'); torch counts the padding by default."""
    pads = layer.pads(shape)
    padding = _own_padding(pads, layer.size)
    if padding is not None:
        return nn.AvgPool2d(layer.size, layer.steps, padding, count_include_pad=layer.count_padding)
    if layer.count_padding:
        return nn.Sequential(nn.ZeroPad2d(_sides(pads)), nn.AvgPool2d(layer.size, layer.steps))
    return _UncountedAveragePool(layer, _sides(pads))


class _UncountedAveragePool(nn.AvgPool2d):
    """An average pool that pads its sides unequally and does not count that: the mean over the share that counts."""

    def __init__(self, layer: AveragePool2D, sides: tuple[int, int, int, int]) -> None:
        super().__init__(layer.size, layer.steps)
        self.sides = sides

    def forward(self, x: Tensor) -> Tensor:
        shares = super().forward(functional.pad(torch.ones_like(x[:1, :1]), self.sides))
        return super().forward(functional.pad(x, self.sides)) / shares


def _own_padding(pads: Pads, size: tuple[int, int]) -> tuple[int, int] | None:
    """The padding of a pool of torch's; None where it cannot be told it."""
    (top, bottom), (left, right) = pads
    fits = (top, left) == (bottom, right) and 2 * top <= size[0] and 2 * left <= size[1]
    return (top, left) if fits else None


def _sides(pads: Pads) -> tuple[int, int, int, int]:
    """The padding in torch's order: left, right, top, bottom."""
    return (*pads[1], *pads[0])


def _layer_norm(layer: LayerNorm, shape: Shape) -> Module:
    """(n, ..., channels) to (n, ..., channels), images (n, channels, height, width)."""
    return (_ImageLayerNorm if len(shape) == 3 else nn.LayerNorm)(shape[-1], eps=layer.epsilon)


class _ImageLayerNorm(nn.LayerNorm):
    """Normalizes the channels of each pixel, as torchvision's ``LayerNorm2d``: torch's own wants them to be last."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class _Add(nn.Module):
    """The sum of several (n, ...); torch has no layer for it."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return sum(inputs[1:], inputs[0])


class _Concatenate(nn.Module):
    """Several tensors side by side along an axis; torch has no layer for it."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, dim=self.axis)


def _last_axis(shape: Shape) -> int:
    """The axis of torch's tensor that is the canonical last one: of images, the channels, which torch has first."""
    return 1 if len(shape) == 3 else -1


class _ChannelsLastFlatten(nn.Module):
    """Flattens images in the canonical order: height, width, channel; without a copy if they lie in memory so."""

    def forward(self, x: Tensor) -> Tensor:
        return (x.permute(0, 2, 3, 1) if x.ndim == 4 else x).flatten(1)


class _ChannelsLastReshape(nn.Module):
    """The canonical order in another shape: images are brought to it, and back."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        x = (x.permute(0, 2, 3, 1) if x.ndim == 4 else x).reshape(len(x), *self.shape)
        return x.permute(0, 3, 1, 2) if x.ndim == 4 else x


LAYERS: dict[type[Layer], BuildLayer] = {
    # (n, in) to (n, units), with a kernel (units, in): x @ weight.T + bias
    Dense: lambda layer, shape: nn.Linear(shape[0], layer.units, bias=layer.bias),
    Conv2D: conv2d,
    ConvTranspose2D: _conv_transpose2d,
    MaxPool2D: _max_pool2d,
    AveragePool2D: _average_pool2d,
    # (n, channels, height, width) to (n, channels); the pool leaves one row and one column
    GlobalAveragePool2D: lambda layer, shape: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    LayerNorm: _layer_norm,
    # to (n, channels * height * width), in this order, where the canonical one is height, width, channel
    Flatten: lambda layer, shape: nn.Flatten(),
    Reshape: lambda layer, shape: _ChannelsLastReshape(layer.shape),
    # (n, time, features) to (n, time, units) or (n, units)
    LSTM: lstm,
    # (n, ...) to (n, ...)
    ReLU: lambda layer, shape: nn.ReLU(),
    LeakyReLU: lambda layer, shape: nn.LeakyReLU(layer.slope),
    # exact by default
    GELU: lambda layer, shape: nn.GELU("tanh" if layer.approximate else "none"),
    Tanh: lambda layer, shape: nn.Tanh(),
    Sigmoid: lambda layer, shape: nn.Sigmoid(),
    # torch has to be told the axis
    Softmax: lambda layer, shape: nn.Softmax(_last_axis(shape)),
    # several (n, ...) to one
    Add: lambda layer, shape: _Add(),
    Concatenate: lambda layer, shape: _Concatenate(_last_axis(shape)),
    # (n, ...) to (n, ...)
    BatchNorm: batch_norm,
    Dropout: _MaskedDropout,
    OwnDropout: lambda layer, shape: nn.Dropout(layer.rate),
}
