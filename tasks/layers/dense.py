"""Layers of vectors: dense; and those that change the shape alone: flatten, which makes a vector, and reshape."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from tasks.errors import FieldError
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


@dataclass(frozen=True)
class Reshape(Layer):
    """The same numbers in another shape, in row-major order: the rows of an image as a sequence (time, features)."""

    shape: tuple[int, ...]
    kind: ClassVar[str] = "reshape"

    def __post_init__(self) -> None:
        if not 1 <= len(self.shape) <= 3:
            raise FieldError(self.kind, "shape", f"must be of one to three sizes, not {list(self.shape)}")
        need_positive(self, shape=self.shape)

    def output_shape(self, shape: Shape) -> Shape:
        if prod(shape) != prod(self.shape):
            raise ValueError(f"reshape: {prod(shape)} numbers of shape {list(shape)} do not make {list(self.shape)}")
        return self.shape
