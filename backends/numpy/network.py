"""A network of the layers in ``layers.py``, and its parameters."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from backends.numpy.arrays import Array, Backward, Forward
from backends.numpy.stateful import INFERENCE, STATE
from tasks.architecture import INPUT, Architecture, Node, Parameters
from tasks.layers import Layer, Merge


class Step(NamedTuple):
    """One layer of a network: its place in it, and its two passes."""

    node: Node
    forward: Forward
    backward: Backward


class Network:
    """Layers, each after those whose outputs it takes, and their parameters and state by canonical key."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self.parameters: Parameters = {}
        self.state: Parameters = {}
        self.next_state: Parameters = {}
        """The state that the last forward pass of training came to; it counts when the step is done."""

    def forward(self, x: Array) -> tuple[Array, list[Any]]:
        """The outputs (n, outputs) for inputs (n, *input_shape), and what each layer keeps for its backward pass."""
        values = {INPUT: x}
        kept_by_step = []
        for node, forward, _ in self.steps:
            own = self.variables_of(node)
            values[node.name], kept = forward(node.layer, inputs_of(node, values), own)
            kept_by_step.append(kept)
            if type(node.layer) in STATE:
                state = STATE[type(node.layer)](node.layer, kept, own)
                self.next_state |= {f"{node.name}/{name}": value for name, value in state.items()}
        return values[self.steps[-1].node.name], kept_by_step

    def layer_outputs(self, x: Array) -> dict[str, Array]:
        """The output of every layer by its node's name, for inputs (n, *input_shape), in inference."""
        values = {INPUT: x}
        for node, forward, _ in self.steps:
            inputs, own, inference = inputs_of(node, values), self.variables_of(node), INFERENCE.get(type(node.layer))
            values[node.name] = inference(node.layer, inputs, own) if inference else forward(node.layer, inputs, own)[0]
        return {node.name: values[node.name] for node, _, _ in self.steps}

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

    def variables_of(self, node: Node) -> Parameters:
        """A node's own parameters and state, by name."""
        prefix, variables = f"{node.name}/", self.parameters | self.state
        return {key.removeprefix(prefix): value for key, value in variables.items() if key.startswith(prefix)}


def inputs_of(node: Node, values: Mapping[str, Array]) -> Any:
    """What a node's layer is called with: its input, or the list of all where it merges them."""
    inputs = [values[name] for name in node.inputs]
    return inputs if isinstance(node.layer, Merge) else inputs[0]


def build_network(architecture: Architecture, layers: Mapping[type[Layer], tuple[Forward, Backward]]) -> Network:
    """The architecture's layers; the network has no parameters before they are set."""
    return Network([Step(node, *layers[type(node.layer)]) for node in architecture.nodes])


def get_parameters(network: Network, architecture: Architecture) -> Parameters:
    """Copies of the parameters and the state by canonical key."""
    variables = network.parameters | network.state
    return {key: variables[key].copy() for key in architecture.variable_shapes}


def set_parameters(network: Network, architecture: Architecture, parameters: Parameters, dtype: DTypeLike) -> None:
    """Copies parameters and state into the network, in a precision of choice."""
    network.parameters = {key: np.array(parameters[key], dtype) for key in architecture.parameter_shapes}
    network.state = {variable.key: np.array(parameters[variable.key], dtype) for variable in architecture.state}
