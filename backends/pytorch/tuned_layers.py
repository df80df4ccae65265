"""Layers in forms that PyTorch's compiler makes more of, with the same parameters and the same results."""

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from backends.pytorch.model import LAYERS, BuildLayer, Network
from tasks.architecture import Architecture
from tasks.layers import Dense, Flatten, Layer, MaxPool2D, Shape

SMALL_KERNEL = 256
"""Below so many weights a matrix product costs less than calling a library for it."""


class LargestInWindow(torch.autograd.Function):
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
        """Finds each window's place of the maximum, and compares: torch's gradient of slices puts parts together."""
        (x,), (size_y, size_x) = ctx.saved_tensors, ctx.size
        windows = x.permute(0, 2, 3, 1).unflatten(2, (-1, size_x)).unflatten(1, (-1, size_y))
        places = torch.arange(size_y * size_x, dtype=x.dtype, device=x.device).view(size_y, 1, size_x, 1)
        largest = windows[:, :, :1, :, :1]
        place = torch.zeros_like(largest)
        for number in range(1, size_y * size_x):
            i, j = divmod(number, size_x)
            value = windows[:, :, i, None, :, j, None]
            place = torch.where(value > largest, float(number), place)  # a float is as wide as what it goes with
            largest = torch.maximum(largest, value)
        shares = torch.where(place == places, gradient.permute(0, 2, 3, 1)[:, :, None, :, None], 0)
        return shares.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2), None


class WindowsMaxPool(nn.Module):
    """The maximum over windows from shifted slices; inductor's gradient of ``MaxPool2d`` scatters."""

    def __init__(self, layer: MaxPool2D) -> None:
        super().__init__()
        self.size = layer.size

    def forward(self, x: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():
            return functional.max_pool2d(x, self.size)
        (size_y, size_x), (height, width) = self.size, x.shape[2:]
        return LargestInWindow.apply(x[:, :, : height // size_y * size_y, : width // size_x * size_x], self.size)


class ChannelsLastFlatten(nn.Module):
    """Flattens images in the order in which they lie in memory: height, width, channel. Torch's order needs a copy."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1) if x.ndim == 4 else x


class SmallLinear(nn.Linear):
    """A dense layer as products and a sum: code that the compiler fuses with its surroundings, not a library's call."""

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, None, :] * self.weight).sum(dim=2) + self.bias


def _dense(layer: Dense, shape: Shape) -> nn.Module:
    kind = SmallLinear if shape[0] * layer.units < SMALL_KERNEL else nn.Linear
    return kind(shape[0], layer.units)


TUNED_LAYERS: dict[type[Layer], BuildLayer] = {
    **LAYERS,
    Dense: _dense,
    MaxPool2D: lambda layer, shape: WindowsMaxPool(layer),
    Flatten: lambda layer, shape: ChannelsLastFlatten(),
}


class PoolFirstNetwork(Network):
    """The layers in turn, but where a ReLU and a pool follow a convolution, the pool comes first."""

    def __init__(self, architecture: Architecture, layers: dict[type[Layer], BuildLayer]) -> None:
        super().__init__(architecture, layers)
        self.in_turn: list[Callable[[Tensor], Tensor]] = list(self)
        for index in reversed(architecture.pooled_convolutions):
            if isinstance(self[index], nn.Conv2d):  # not where zeros are put there by hand
                self.in_turn[index : index + 3] = [partial(pool_first, *self.in_turn[index : index + 3])]

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.in_turn:
            x = layer(x)
        return x


def pool_first(convolution: nn.Conv2d, relu: nn.Module, pool: nn.Module, x: Tensor) -> Tensor:
    """Convolution, pool, bias, ReLU: bias and ReLU keep the order of numbers, and of pooled ones there are fewer."""
    x = functional.conv2d(x, convolution.weight, None, convolution.stride, convolution.padding)
    return relu(pool(x) + convolution.bias[:, None, None])
