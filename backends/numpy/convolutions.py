"""Forward and backward passes of convolutions; images are (n, height, width, channels): NHWC.

A convolution takes from every window of an image the sum of its products with the kernel; a transposed convolution adds
to every window of an image the product of one pixel with the kernel. Each is the other's backward pass.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from backends.numpy.arrays import Array, LayerParameters
from tasks.layers import Conv2D, ConvTranspose2D, Pads


def conv2d_forward(layer: Conv2D, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """Cross-correlation plus bias: (n, height, width, in) to (n, height', width', filters).

    By "im2col": every window that the kernel sees becomes a row, so that the convolution is one matrix product for each
    group. The kernel is (kernel height, kernel width, in / groups, filters).
    """
    pads = layer.pads(x.shape[1:])
    padded = np.pad(x, ((0, 0), *pads, (0, 0)))
    windows = _windows(padded, layer.kernel_size, layer.strides)
    n, height, width = windows.shape[:3]
    rows = windows.reshape(n * height * width, -1, layer.groups, x.shape[3] // layer.groups)
    columns = rows.transpose(2, 0, 1, 3).reshape(layer.groups, n * height * width, -1)
    kernel = p["kernel"].reshape(-1, layer.groups, layer.filters // layer.groups).transpose(1, 0, 2)
    y = (columns @ kernel).transpose(1, 0, 2).reshape(n, height, width, layer.filters)
    return _with_bias(y, p), (columns, kernel, p["kernel"].shape, x.shape, padded.shape, pads)


def conv2d_backward(layer: Conv2D, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """From dy (n, height', width', filters): the same products as a dense layer's, of the windows' rows."""
    columns, kernel, kernel_shape, shape, padded_shape, ((top, _), (left, _)) = kept
    n, height, width, filters = dy.shape
    rows = dy.reshape(-1, layer.groups, filters // layer.groups).transpose(1, 0, 2)
    d_kernel = (columns.transpose(0, 2, 1) @ rows).transpose(1, 0, 2).reshape(kernel_shape)
    d_columns = (rows @ kernel.transpose(0, 2, 1)).reshape(layer.groups, n * height * width, -1, kernel_shape[2])
    d_windows = d_columns.transpose(1, 2, 0, 3).reshape(n, height, width, *layer.kernel_size, shape[3])
    dx = _overlaid(d_windows, padded_shape, layer.strides)[:, top : top + shape[1], left : left + shape[2]]
    return dx, {"kernel": d_kernel} | _of_bias(layer.bias, dy)


def conv_transpose2d_forward(layer: ConvTranspose2D, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """Each pixel's product with the kernel, overlaid: (n, height, width, in) to (n, height', width', filters).

    The kernel is (kernel height, kernel width, in, filters).
    """
    n, height, width, channels = x.shape
    kernel = p["kernel"].transpose(2, 0, 1, 3).reshape(channels, -1)
    windows = (x.reshape(-1, channels) @ kernel).reshape(n, height, width, *layer.kernel_size, layer.filters)
    (top, bottom), (left, right) = _margins(layer)
    rows, columns, _ = layer.output_shape(x.shape[1:])
    full = _overlaid(windows, (n, top + rows + bottom, left + columns + right, layer.filters), layer.strides)
    return _with_bias(full[:, top : top + rows, left : left + columns], p), (x, kernel)


def conv_transpose2d_backward(layer: ConvTranspose2D, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """From dy (n, height', width', filters): the windows that each pixel was added to, times the kernel and times x."""
    x, kernel = kept
    padded = np.pad(dy, ((0, 0), *_margins(layer), (0, 0)))
    windows = _windows(padded, layer.kernel_size, layer.strides).reshape(-1, kernel.shape[1])
    of_kernel = (x.reshape(-1, x.shape[3]).T @ windows).reshape(x.shape[3], *layer.kernel_size, layer.filters)
    dx = (windows @ kernel.T).reshape(x.shape)
    return dx, {"kernel": of_kernel.transpose(1, 2, 0, 3)} | _of_bias(layer.bias, dy)


def _windows(x: Array, size: tuple[int, int], strides: tuple[int, int]) -> Array:
    """What each window sees: (n, rows, columns, window height, window width, channels)."""
    windows = sliding_window_view(x, size, axis=(1, 2))
    return windows[:, :: strides[0], :: strides[1]].transpose(0, 1, 2, 4, 5, 3)


def _overlaid(windows: Array, shape: tuple[int, ...], strides: tuple[int, int]) -> Array:
    """An image of a shape to which each window has added its numbers, where it stands."""
    image = np.zeros(shape, windows.dtype)
    height, width = windows.shape[1:3]
    for i, j in np.ndindex(windows.shape[3:5]):
        image[:, i : i + height * strides[0] : strides[0], j : j + width * strides[1] : strides[1]] += windows[
            :, :, :, i, j
        ]
    return image


def _margins(layer: ConvTranspose2D) -> Pads:
    """Rows and columns that are computed and then cropped."""
    (top, bottom), (left, right) = layer.crops()
    return (top, max(bottom, 0)), (left, max(right, 0))


def _with_bias(y: Array, p: LayerParameters) -> Array:
    if "bias" in p:
        y += p["bias"]
    return y


def _of_bias(has_bias: bool, dy: Array) -> LayerParameters:
    return {"bias": dy.sum(axis=(0, 1, 2))} if has_bias else {}
