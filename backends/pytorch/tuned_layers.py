"""Layers in forms that PyTorch's compiler makes more of, with the same parameters and the same results."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from backends.pytorch.model import LAYERS, BuildLayer
from tasks.architecture import Dense, Flatten, Layer, MaxPool2D, Shape

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
