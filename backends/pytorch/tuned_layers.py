"""Layers in forms that PyTorch's compiler makes more of, with the same parameters and the same results."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from backends.pytorch.model import LAYERS, BuildLayer, Network
from tasks.architecture import Architecture, Dense, Flatten, Layer, MaxPool2D, Shape

SMALL_KERNEL = 256
"""Below so many weights a matrix product costs less than calling a library for it."""


class SlicesMaxPool(nn.Module):
    """The maximum over windows as a maximum over shifted slices; inductor's gradient of ``MaxPool2d`` scatters.

    Between equal maxima ``torch.maximum`` shares the gradient, where the reference gives it to the first.
    """

    def __init__(self, layer: MaxPool2D) -> None:
        super().__init__()
        self.size = layer.size

    def forward(self, x: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():
            return functional.max_pool2d(x, self.size)
        (size_y, size_x), (height, width) = self.size, x.shape[2:]
        bottom, right = height // size_y * size_y, width // size_x * size_x
        slices = [x[:, :, i:bottom:size_y, j:right:size_x] for i in range(size_y) for j in range(size_x)]
        largest = slices[0]
        for candidate in slices[1:]:
            largest = torch.maximum(largest, candidate)
        return largest


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
    MaxPool2D: lambda layer, shape: SlicesMaxPool(layer),
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
