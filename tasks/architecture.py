"""Network architectures as data: layers, shapes, parameter counts, floating-point operations, initial parameters.

Nothing here knows a framework. Everything is written for one example; the batch axis is left out of every shape.
The canonical layout, which every backend converts to and from: inputs NHWC, dense kernels ``(in, out)``,
convolution kernels ``(height, width, in, out)``, flatten in NHWC order.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from math import prod, sqrt
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.reproducible import random_stream

Shape = tuple[int, ...]
Parameters = dict[str, NDArray[np.floating]]
Initializer = Literal["pytorch", "keras", "normal"]


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


@dataclass(frozen=True)
class Architecture:
    """A sequence of layers and the shape of one input.

    Raises:
        ValueError: a layer does not fit the shape before it.
    """

    input_shape: Shape
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        self.shapes  # noqa: B018 - checks that the layers fit

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The shape before each layer and, last, the shape of the output."""
        shapes = [self.input_shape]
        for layer in self.layers:
            shapes.append(layer.output_shape(shapes[-1]))
        return tuple(shapes)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """``"<index>_<kind>"`` of each layer."""
        return tuple(f"{index}_{layer.kind}" for index, layer in enumerate(self.layers))

    @property
    def output_shape(self) -> Shape:
        return self.shapes[-1]

    @cached_property
    def parameter_shapes(self) -> dict[str, Shape]:
        """``"<index>_<kind>/<kernel|bias>"`` to shape, in the order of the layers."""
        return {
            f"{name}/{parameter}": shape
            for name, layer, before in zip(self.names, self.layers, self.shapes, strict=False)
            for parameter, shape in layer.parameter_shapes(before).items()
        }

    @property
    def pooled_convolutions(self) -> tuple[int, ...]:
        """Indices of the convolutions that a ReLU and a max pool follow."""
        kinds = [type(layer) for layer in self.layers]
        return tuple(i for i in range(len(kinds)) if kinds[i : i + 3] == [Conv2D, ReLU, MaxPool2D])

    @property
    def parameter_counts(self) -> dict[str, int]:
        """Trained parameters of each layer that has any."""
        counts: dict[str, int] = {}
        for key, shape in self.parameter_shapes.items():
            layer = key.partition("/")[0]
            counts[layer] = counts.get(layer, 0) + prod(shape)
        return counts

    @property
    def parameter_count(self) -> int:
        return sum(self.parameter_counts.values())

    def forward_operations(self) -> int:
        """Floating-point operations of the matrix products of one forward pass of one example."""
        return sum(layer.operations(shape) for layer, shape in zip(self.layers, self.shapes, strict=False))

    def training_operations(self) -> int:
        """Floating-point operations of the matrix products of forward and backward pass of one example.

        The backward pass does each product twice, for the kernel's gradient and for the input's, but the first layer
        with parameters needs no gradient of its input. Element-wise work and the optimizer are not counted.
        """
        products = [layer.operations(shape) for layer, shape in zip(self.layers, self.shapes, strict=False)]
        first = next((product for product in products if product), 0)
        return 3 * sum(products) - first


def draw_parameters(architecture: Architecture, initializer: Initializer, seed: int) -> Parameters:
    """Draws the initial parameters that every backend starts from.

    Args:
        architecture: whose parameters to draw.
        initializer: ``"pytorch"``: kernels and biases uniform within 1/sqrt(fan_in) (``torch.nn.Linear`` and
            ``Conv2d``); ``"keras"``: kernels Glorot uniform, within sqrt(6 / (fan_in + fan_out)), biases 0;
            ``"normal"``: everything standard normal.
        seed: any int from 0.

    Returns:
        float32 arrays in the canonical layout, by ``"<index>_<kind>/<kernel|bias>"``.
    """
    random = random_stream(seed, "parameters")
    parameters: Parameters = {}
    limit = 0.0
    for key, shape in architecture.parameter_shapes.items():
        kernel = key.endswith("/kernel")
        if kernel:
            fan_in, fan_out = prod(shape[:-1]), prod(shape[:-2]) * shape[-1]
            limit = 1 / sqrt(fan_in) if initializer == "pytorch" else sqrt(6 / (fan_in + fan_out))
        if initializer == "normal":
            values = random.standard_normal(shape)
        elif initializer == "keras" and not kernel:
            values = np.zeros(shape)
        else:
            values = random.uniform(-limit, limit, shape)
        parameters[key] = values.astype(np.float32)
    return parameters
