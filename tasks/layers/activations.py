"""Activations: functions of each number, or of the last axis, that keep the shape."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from tasks.errors import FieldError
from tasks.layers.base import Layer, Shape


class _Activation(Layer):
    def output_shape(self, shape: Shape) -> Shape:
        return shape


@dataclass(frozen=True)
class ReLU(_Activation):
    """``max(x, 0)``; the gradient at 0 is 0."""

    kind: ClassVar[str] = "relu"


@dataclass(frozen=True)
class LeakyReLU(_Activation):
    """``x`` above 0, else ``slope * x``; the gradient at 0 is the slope.

    The default is PyTorch's and JAX's slope; that of Keras's layer is 0.3.
    """

    slope: float = 0.01
    kind: ClassVar[str] = "leaky_relu"

    def __post_init__(self) -> None:
        if not 0 <= self.slope < inf:
            raise FieldError(self.kind, "slope", f"must be at least 0, not {self.slope}")


@dataclass(frozen=True)
class GELU(_Activation):
    """``x * P(X < x)`` for a normal X: ``x / 2 * (1 + erf(x / sqrt(2)))``.

    With ``approximate``: ``x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))``, which is up to 4.7e-4 away.
    """

    approximate: bool = False
    kind: ClassVar[str] = "gelu"


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
