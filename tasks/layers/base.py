"""What every layer says of itself as data: shapes and floating-point operations. Nothing here knows a framework.

Everything is written for one example; the batch axis is left out of every shape. The canonical layout, which every
backend converts to and from: inputs NHWC, dense kernels ``(in, out)``, convolution kernels ``(height, width, in,
out)`` (``in`` divided by the groups), flatten in NHWC order.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import inf
from typing import ClassVar

from tasks.errors import FieldError

Shape = tuple[int, ...]


class Layer(ABC):
    """One layer of a network: a function of one tensor, with or without parameters."""

    kind: ClassVar[str]

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """The shape after this layer, given the shape before it. Raises ValueError where the layer does not fit."""

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        """The shapes of this layer's trained parameters by name, given the shape before it."""
        return {}

    def state_shapes(self, shape: Shape) -> dict[str, Shape]:
        """The shapes of what this layer keeps beside them and training changes without a gradient, by name."""
        return {}

    def operations(self, shape: Shape) -> int:
        """Floating-point operations of the layer's matrix product for one example (a multiply-add counts 2)."""
        return 0

    def recurrent_operations(self, shape: Shape) -> int:
        """Those of them that are with the layer's own outputs, whose gradients are always needed."""
        return 0


class Merge(Layer):
    """A layer that makes one tensor of several. It has no parameters."""

    @abstractmethod
    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        """The shape after this layer, given those before it. Raises ValueError where they do not fit together."""

    def output_shape(self, shape: Shape) -> Shape:
        """The shape after this layer where it has a single input."""
        return self.merged_shape([shape])


def need_rank(layer: Layer, shape: Shape, rank: int) -> None:
    if len(shape) != rank:
        raise ValueError(f"{layer.kind} needs an input of {rank} axes, not one of shape {shape}")


def need_positive(layer: Layer, **values: int | tuple[int, ...]) -> None:
    for name, value in values.items():
        if min(value if isinstance(value, tuple) else (value,)) < 1:
            raise FieldError(layer.kind, name, f"must be at least 1, not {value}")


def need_between(layer: Layer, least: float, most: float, **values: float) -> None:
    for name, value in values.items():
        if not least <= value < most:
            raise FieldError(layer.kind, name, f"must be from {least} and below {most}, not {value}")


def need_above_zero(layer: Layer, **values: float) -> None:
    for name, value in values.items():
        if not 0 < value < inf:
            raise FieldError(layer.kind, name, f"must be above 0, not {value}")
