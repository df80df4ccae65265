"""Network architectures as data: a sequence of layers, with shapes, parameter counts and floating-point operations."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.layers import Layer, Shape

Parameters = dict[str, NDArray[np.floating]]


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


def check_parameters(architecture: Architecture, parameters: Mapping[str, NDArray[Any]]) -> None:
    """Raises ValueError, naming the first difference, unless names and shapes are the architecture's."""
    expected = architecture.parameter_shapes
    for name in [*expected, *parameters]:
        if name not in parameters:
            raise ValueError(f"parameter {name} is missing")
        if name not in expected:
            raise ValueError(f"parameter {name} is not in the architecture")
        if parameters[name].shape != expected[name]:
            raise ValueError(f"parameter {name} has shape {parameters[name].shape}, not {expected[name]}")
