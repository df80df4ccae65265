"""Forward and backward passes of pools; images are (n, height, width, channels): NHWC."""

from typing import Any

import numpy as np

from backends.numpy.arrays import Array, LayerParameters
from tasks.layers import AveragePool2D, GlobalAveragePool2D, MaxPool2D

_Pool = MaxPool2D | AveragePool2D


def max_pool2d_forward(layer: MaxPool2D, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """The maximum of each window: (n, height, width, channels) to (n, height', width', channels)."""
    padded = np.pad(x, ((0, 0), *layer.pads(x.shape[1:]), (0, 0)), constant_values=-np.inf)
    parts = [padded[places] for places in _places(layer, x.shape)]
    y, place = parts[0], np.zeros(parts[0].shape, np.intp)
    for number, part in enumerate(parts[1:], start=1):
        place[part > y] = number  # the first of equal maxima stays
        y = np.maximum(y, part)
    return y, (place, x.shape)


def max_pool2d_backward(layer: MaxPool2D, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """From dy (n, height', width', channels): each number goes to its window's maximum, to the first of equal ones."""
    place, shape = kept
    return _spread(layer, shape, [dy * (place == number) for number in range(layer.size[0] * layer.size[1])]), {}


def average_pool2d_forward(layer: AveragePool2D, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """The mean of each window: (n, height, width, channels) to (n, height', width', channels)."""
    pads = layer.pads(x.shape[1:])
    padded = np.pad(x, ((0, 0), *pads, (0, 0)))
    places = _places(layer, x.shape)
    counted = np.pad(np.ones((1, *x.shape[1:3], 1), x.dtype), ((0, 0), *pads, (0, 0)))
    parts = [np.ones_like(counted[at]) if layer.count_padding else counted[at] for at in places]
    counts = np.add.reduce(parts)
    return np.add.reduce([padded[at] for at in places]) / counts, (1 / counts, x.shape)


def average_pool2d_backward(layer: AveragePool2D, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """From dy (n, height', width', channels): each number goes to all of its window, divided by their number."""
    shares, shape = kept
    return _spread(layer, shape, [dy * shares] * (layer.size[0] * layer.size[1])), {}


def global_average_pool2d_forward(layer: GlobalAveragePool2D, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """The mean of each channel: (n, height, width, channels) to (n, channels)."""
    return x.mean(axis=(1, 2)), (np.array(1 / (x.shape[1] * x.shape[2]), x.dtype), x.shape)


def global_average_pool2d_backward(layer: GlobalAveragePool2D, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """From dy (n, channels): each number goes to all pixels, divided by their number."""
    share, shape = kept
    return np.broadcast_to((dy * share)[:, None, None], shape), {}


def _places(layer: _Pool, shape: tuple[int, ...]) -> list[tuple[slice, ...]]:
    """The padded image's pixels at one place of every window, for each place in a window."""
    (height, width, _), (step_y, step_x) = layer.output_shape(shape[1:]), layer.steps
    every = slice(None)
    return [
        (every, slice(i, i + height * step_y, step_y), slice(j, j + width * step_x, step_x), every)
        for i, j in np.ndindex(layer.size)
    ]


def _spread(layer: _Pool, shape: tuple[int, ...], parts: list[Array]) -> Array:
    """The gradient for an image of a shape, from what goes to each place of every window."""
    (top, bottom), (left, right) = layer.pads(shape[1:])
    n, height, width, channels = shape
    padded = np.zeros((n, top + height + bottom, left + width + right, channels), parts[0].dtype)
    for places, part in zip(_places(layer, shape), parts, strict=True):
        padded[places] += part
    return padded[:, top : top + height, left : left + width]
