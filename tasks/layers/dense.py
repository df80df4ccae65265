"""Layers of vectors: dense, and flatten, which makes a vector of an image."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from tasks.layers.base import Layer, Shape, need_positive, need_rank


@dataclass(frozen=True)
class Dense(Layer):
    """``y = x @ kernel + bias``, from ``(in,)`` to ``(units,)``."""

    units: int
    bias: bool = True
    kind: ClassVar[str] = "dense"

    def __post_init__(self) -> None:
        need_positive(self, units=self.units)

    def output_shape(self, shape: Shape) -> Shape:
        need_rank(self, shape, 1)
        return (self.units,)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        kernel = {"kernel": (shape[0], self.units)}
        return kernel | ({"bias": (self.units,)} if self.bias else {})

    def operations(self, shape: Shape) -> int:
        return 2 * shape[0] * self.units


@dataclass(frozen=True)
class Flatten(Layer):
    """From any shape to one axis, in row-major order: ``(height, width, channel)`` for images."""

    kind: ClassVar[str] = "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(shape),)
