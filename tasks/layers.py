"""The layers of a network as data: output shapes, parameter shapes, floating-point operations.

Nothing here knows a framework. Everything is written for one example; the batch axis is left out of every shape.
The canonical layout, which every backend converts to and from: inputs NHWC, dense kernels ``(in, out)``,
convolution kernels ``(height, width, in, out)``, flatten in NHWC order.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

Shape = tuple[int, ...]


class Layer(ABC):
    """One layer of a network: a function of one tensor, with or without parameters."""

    kind: ClassVar[str]

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """The shape after this layer, given the shape before it. Raises ValueError where the layer does not fit."""

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        """The shapes of this layer's parameters by name, given the shape before it."""
        return {}

    def operations(self, shape: Shape) -> int:
        """Floating-point operations of the layer's matrix product for one example (a multiply-add counts 2)."""
        return 0


def _need_rank(layer: Layer, shape: Shape, rank: int) -> None:
    if len(shape) != rank:
        raise ValueError(f"{layer.kind} needs an input of {rank} axes, not one of shape {shape}")


def _need_positive(layer: Layer, **values: int | tuple[int, ...]) -> None:
    for name, value in values.items():
        if min(value if isinstance(value, tuple) else (value,)) < 1:
            raise ValueError(f"{layer.kind}: {name} must be at least 1, not {value}")


@dataclass(frozen=True)
class Dense(Layer):
    """``y = x @ kernel + bias``, from ``(in,)`` to ``(units,)``."""

    units: int
    kind: ClassVar[str] = "dense"

    def __post_init__(self) -> None:
        _need_positive(self, units=self.units)

    def output_shape(self, shape: Shape) -> Shape:
        _need_rank(self, shape, 1)
        return (self.units,)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {"kernel": (shape[0], self.units), "bias": (self.units,)}

    def operations(self, shape: Shape) -> int:
        return 2 * shape[0] * self.units


@dataclass(frozen=True)
class Conv2D(Layer):
    """Two-dimensional cross-correlation plus a bias, from ``(height, width, in)`` to ``(height', width', filters)``.

    ``padding="same"`` is TensorFlow's: the output has ``ceil(size / stride)`` positions, and an odd zero goes to the
    bottom and to the right. Without a stride this is PyTorch's ``padding="same"`` too.
    """

    filters: int
    kernel_size: tuple[int, int] = (3, 3)
    strides: tuple[int, int] = (1, 1)
    padding: Literal["same", "valid"] = "same"
    kind: ClassVar[str] = "conv2d"

    def __post_init__(self) -> None:
        _need_positive(self, filters=self.filters, kernel_size=self.kernel_size, strides=self.strides)
        if self.padding not in ("same", "valid"):
            raise ValueError(f"conv2d: padding must be 'same' or 'valid', not {self.padding!r}")

    def pads(self, shape: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
        """Zeros before and after, for the height and for the width."""
        if self.padding == "valid":
            return (0, 0), (0, 0)
        totals = [
            max((-(-size // stride) - 1) * stride + kernel - size, 0)
            for size, kernel, stride in zip(shape, self.kernel_size, self.strides, strict=False)
        ]
        height, width = ((total // 2, total - total // 2) for total in totals)
        return height, width

    def output_shape(self, shape: Shape) -> Shape:
        _need_rank(self, shape, 3)
        height, width = (
            (size + sum(pad) - kernel) // stride + 1
            for size, pad, kernel, stride in zip(shape, self.pads(shape), self.kernel_size, self.strides, strict=False)
        )
        if min(height, width) < 1:
            raise ValueError(f"conv2d: a kernel of {self.kernel_size} does not fit into an input of shape {shape}")
        return (height, width, self.filters)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {"kernel": (*self.kernel_size, shape[2], self.filters), "bias": (self.filters,)}

    def operations(self, shape: Shape) -> int:
        return 2 * prod(self.kernel_size) * shape[2] * prod(self.output_shape(shape))


@dataclass(frozen=True)
class MaxPool2D(Layer):
    """The maximum over windows that do not overlap; rows and columns that fill no window are dropped ("valid").

    Where several elements of a window are the maximum, the gradient goes to the first of them in row order.
    """

    size: tuple[int, int] = (2, 2)
    kind: ClassVar[str] = "max_pool2d"

    def __post_init__(self) -> None:
        _need_positive(self, size=self.size)

    def output_shape(self, shape: Shape) -> Shape:
        _need_rank(self, shape, 3)
        height, width = shape[0] // self.size[0], shape[1] // self.size[1]
        if min(height, width) < 1:
            raise ValueError(f"max_pool2d: a window of {self.size} does not fit into an input of shape {shape}")
        return (height, width, shape[2])


@dataclass(frozen=True)
class Flatten(Layer):
    """From any shape to one axis, in row-major order: ``(height, width, channel)`` for images."""

    kind: ClassVar[str] = "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(shape),)


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
