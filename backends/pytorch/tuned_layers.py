"""Layers in forms that PyTorch's compiler makes faster code of, with the same parameters and the same results."""

from functools import partial, reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from backends.fusion import PooledConv2D
from backends.pytorch.layers import LAYERS, BuildLayer, Module, _ChannelsLastFlatten, conv2d
from backends.pytorch.recurrent import _UnrolledLSTM
from tasks.layers import LSTM, Dense, Flatten, Layer, MaxPool2D, Shape

_SMALL_KERNEL = 256
"""Dense layers with fewer weights are computed element by element: calling the matrix library would take longer."""


class _SmallLinear(nn.Linear):
    """A dense layer as products and a sum, which the compiler fuses with its surroundings: (n, in) to (n, units)."""

    def forward(self, x: Tensor) -> Tensor:
        y = (x[:, None, :] * self.weight).sum(dim=2)
        return y if self.bias is None else y + self.bias


def _dense(layer: Dense, shape: Shape) -> Module:
    kind = _SmallLinear if shape[0] * layer.units < _SMALL_KERNEL else nn.Linear
    return kind(shape[0], layer.units, bias=layer.bias)


class _PoolFirst(nn.Conv2d):
    """Convolution, pool, bias, ReLU: (n, in, height, width) to (n, filters, height', width') of the pooled image."""

    def __init__(self, pool: MaxPool2D, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.pool = _WindowsMaxPool(pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(functional.conv2d(x, self.weight, None, self.stride, self.padding))
        return functional.relu(x if self.bias is None else x + self.bias[:, None, None].to(x.dtype))


def _pooled_conv2d(layer: PooledConv2D, shape: Shape) -> Module:
    return conv2d(layer.convolution, shape, partial(_PoolFirst, layer.pool))


class _WindowsMaxPool(nn.Module):
    """The maximum over windows as the maximum of slices: the compiler's gradient of ``MaxPool2d`` is a slow scatter.

    For windows that neither overlap nor are padded.
    """

    def __init__(self, layer: MaxPool2D) -> None:
        super().__init__()
        self.size = layer.size

    def forward(self, x: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():
            return functional.max_pool2d(x, self.size)
        (size_y, size_x), (height, width) = self.size, x.shape[2:]
        return _LargestInWindow.apply(x[:, :, : height // size_y * size_y, : width // size_x * size_x], self.size)


class _LargestInWindow(torch.autograd.Function):
    """The maximum of each window; the first of equal ones gets the gradient. (n, c, height, width) of whole windows."""

    @staticmethod
    def forward(x: Tensor, size: tuple[int, int]) -> Tensor:
        slices = [x[:, :, i :: size[0], j :: size[1]] for i in range(size[0]) for j in range(size[1])]
        return reduce(torch.maximum, slices)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, tuple[int, int]], output: Tensor) -> None:
        x, ctx.size = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Finds the place of each window's maximum and compares, in one pass over the image.

        Torch's own gradient of the slices would put together one image for each place in a window.
        """
        (x,), (size_y, size_x) = ctx.saved_tensors, ctx.size
        windows = x.permute(0, 2, 3, 1).unflatten(2, (-1, size_x)).unflatten(1, (-1, size_y))
        places = torch.arange(size_y * size_x, dtype=x.dtype, device=x.device).view(size_y, 1, size_x, 1)
        largest = windows[:, :, :1, :, :1]
        place = torch.zeros_like(largest)
        for number in range(1, size_y * size_x):
            i, j = divmod(number, size_x)
            value = windows[:, :, i, None, :, j, None]
            # The place is a float of the data's own width, so that the selection needs no conversion.
            place = torch.where(value > largest, float(number), place)
            largest = torch.maximum(largest, value)
        shares = torch.where(place == places, gradient.permute(0, 2, 3, 1)[:, :, None, :, None], 0)
        return shares.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2), None


TUNED_LAYERS: dict[type[Layer], BuildLayer] = {
    **LAYERS,
    Dense: _dense,
    PooledConv2D: _pooled_conv2d,
    MaxPool2D: lambda layer, shape: _WindowsMaxPool(layer) if layer.is_plain else LAYERS[MaxPool2D](layer, shape),
    Flatten: lambda layer, shape: _ChannelsLastFlatten(),
    LSTM: lambda layer, shape: _UnrolledLSTM(layer, shape[-1]),
}
