"""A network of the layers in ``layers.py``, and its parameters."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from backends.numpy.layers import Array, Backward, Forward
from tasks.architecture import Architecture, Parameters
from tasks.layers import Layer


class Step(NamedTuple):
    """One layer of a network: its name, as in its parameters' keys, its description, and its two passes."""

    name: str
    layer: Layer
    forward: Forward
    backward: Backward


class Network:
    """Layers, one after the other, and ``parameters`` by canonical key: ``"0_dense/kernel"``."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self.parameters: Parameters = {}

    def forward(self, x: Array) -> tuple[Array, list[Any]]:
        """The outputs (n, outputs) for inputs (n, *input_shape), and what each layer keeps for its backward pass."""
        kept_by_step = []
        for step in self.steps:
            x, kept = step.forward(step.layer, x, self._parameters_of(step))
            kept_by_step.append(kept)
        return x, kept_by_step

    def backward(self, kept_by_step: list[Any], dy: Array) -> Parameters:
        """The gradient of the loss for every parameter, by key, from its gradient for the outputs (n, outputs).

        The chain rule, from the last layer to the first: each turns the gradient for its output into those for its
        input and for its parameters.
        """
        gradients: Parameters = {}
        for step, kept in zip(reversed(self.steps), reversed(kept_by_step), strict=True):
            dy, of_parameters = step.backward(step.layer, kept, dy)
            gradients |= {f"{step.name}/{name}": gradient for name, gradient in of_parameters.items()}
        return {key: gradients[key] for key in self.parameters}

    def _parameters_of(self, step: Step) -> Parameters:
        prefix = f"{step.name}/"
        return {key.removeprefix(prefix): value for key, value in self.parameters.items() if key.startswith(prefix)}


def build_network(architecture: Architecture, layers: Mapping[type[Layer], tuple[Forward, Backward]]) -> Network:
    """The architecture's layers, one after the other; it has no parameters before they are set."""
    pairs = zip(architecture.names, architecture.layers, strict=True)
    return Network([Step(name, layer, *layers[type(layer)]) for name, layer in pairs])


def get_parameters(network: Network) -> Parameters:
    """Copies of the parameters by canonical key."""
    return {key: value.copy() for key, value in network.parameters.items()}


def set_parameters(network: Network, parameters: Parameters, dtype: DTypeLike) -> None:
    """Copies parameters into the network, in a precision of choice."""
    network.parameters = {key: np.array(value, dtype) for key, value in parameters.items()}
