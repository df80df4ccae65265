"""Pools of images (height, width, channels)."""

from dataclasses import dataclass
from typing import ClassVar

from tasks.layers.base import Layer, Shape, need_positive, need_rank


@dataclass(frozen=True)
class MaxPool2D(Layer):
    """The maximum over windows that do not overlap; rows and columns that fill no window are dropped ("valid").

    Where several elements of a window are the maximum, the gradient goes to the first of them in row order.
    """

    size: tuple[int, int] = (2, 2)
    kind: ClassVar[str] = "max_pool2d"

    def __post_init__(self) -> None:
        need_positive(self, size=self.size)

    def output_shape(self, shape: Shape) -> Shape:
        need_rank(self, shape, 3)
        height, width = shape[0] // self.size[0], shape[1] // self.size[1]
        if min(height, width) < 1:
            raise ValueError(f"max_pool2d: a window of {self.size} does not fit into an input of shape {shape}")
        return (height, width, shape[2])
