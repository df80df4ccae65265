"""A network of the layers in ``layers.py``, and its parameters."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from backends.numpy.arrays import Array, Backward, Forward
from tasks.architecture import INPUT, Architecture, Node, Parameters
from tasks.layers import Layer, Merge


class Step(NamedTuple):
    """One layer of a network: its place in it, and its two passes."""

    node: Node
    forward: Forward
    backward: Backward


class Network:
    """Layers, each after those whose outputs it takes, and ``parameters`` by canonical key: ``"0_dense/kernel"``."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self.parameters: Parameters = {}

    def forward(self, x: Array) -> tuple[Array, list[Any]]:
        """The outputs (n, outputs) for inputs (n, *input_shape), and what each layer keeps for its backward pass."""
        values = {INPUT: x}
        kept_by_step = []
        for node, forward, _ in self.steps:
            inputs: Any = [values[name] for name in node.inputs]
            x = inputs if isinstance(node.layer, Merge) else inputs[0]
            values[node.name], kept = forward(node.layer, x, self._parameters_of(node))
            kept_by_step.append(kept)
        return values[self.steps[-1].node.name], kept_by_step

    def backward(self, kept_by_step: list[Any], dy: Array) -> Parameters:
        """The gradient of the loss for every parameter, by key, from its gradient for the outputs (n, outputs).

        The chain rule, from the last layer to the first: each turns the gradient for its output into those for its
        inputs and for its parameters. Where several layers take one output, their gradients for it add up.
        """
        gradients: Parameters = {}
        waiting = {self.steps[-1].node.name: dy}
        for (node, _, backward), kept in zip(reversed(self.steps), reversed(kept_by_step), strict=True):
            dx, of_parameters = backward(node.layer, kept, waiting.pop(node.name))
            for name, gradient in zip(node.inputs, dx if isinstance(dx, list) else [dx], strict=True):
                waiting[name] = waiting[name] + gradient if name in waiting else gradient
            gradients |= {f"{node.name}/{name}": gradient for name, gradient in of_parameters.items()}
        return {key: gradients[key] for key in self.parameters}

    def _parameters_of(self, node: Node) -> Parameters:
        prefix = f"{node.name}/"
        return {key.removeprefix(prefix): value for key, value in self.parameters.items() if key.startswith(prefix)}


def build_network(architecture: Architecture, layers: Mapping[type[Layer], tuple[Forward, Backward]]) -> Network:
    """The architecture's layers; the network has no parameters before they are set."""
    return Network([Step(node, *layers[type(node.layer)]) for node in architecture.nodes])


def get_parameters(network: Network) -> Parameters:
    """Copies of the parameters by canonical key."""
    return {key: value.copy() for key, value in network.parameters.items()}


def set_parameters(network: Network, parameters: Parameters, dtype: DTypeLike) -> None:
    """Copies parameters into the network, in a precision of choice."""
    network.parameters = {key: np.array(value, dtype) for key, value in parameters.items()}
