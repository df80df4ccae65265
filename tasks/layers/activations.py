"""Activations: functions of each number, or of the last axis, that keep the shape."""

from dataclasses import dataclass
from typing import ClassVar

from tasks.layers.base import Layer, Shape


class _Activation(Layer):
    def output_shape(self, shape: Shape) -> Shape:
        return shape


@dataclass(frozen=True)
class ReLU(_Activation):
    """``max(x, 0)``; the gradient at 0 is 0."""

    kind: ClassVar[str] = "relu"


@dataclass(frozen=True)
class Tanh(_Activation):
    """The hyperbolic tangent."""

    kind: ClassVar[str] = "tanh"


@dataclass(frozen=True)
class Sigmoid(_Activation):
    """``1 / (1 + exp(-x))``."""

    kind: ClassVar[str] = "sigmoid"


@dataclass(frozen=True)
class Softmax(_Activation):
    """``exp(x) / sum(exp(x))`` over the last axis."""

    kind: ClassVar[str] = "softmax"
