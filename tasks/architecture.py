"""Network architectures as data: a graph of named layers, with shapes, parameter counts and operations."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.layers import BatchNorm, Dropout, Layer, Merge, Shape

Parameters = dict[str, NDArray[np.floating]]
"""Arrays by key, ``"<node>/<name>"``: a network's parameters and its state, or gradients, of parameters alone."""


class NodeError(ValueError):
    """A node that does not fit into its network.

    Attributes:
        index: of the node, from 0.
        field: the field that is wrong: ``"name"`` or ``"inputs"``; empty where the layer does not fit its input.
    """

    def __init__(self, message: str, index: int, field: str = "") -> None:
        super().__init__(message)
        self.index, self.field = index, field


INPUT = "input"
"""The name by which nodes take the network's input."""
_NAME = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class Node:
    """A layer in its place in a network.

    Attributes:
        name: letters, digits and underscores; the first part of its parameters' keys.
        layer: what it computes.
        inputs: the names of the nodes whose outputs it takes, or ``INPUT``.
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Variable:
    """A parameter or a state in its place in a network.

    Attributes:
        node: of the layer that it belongs to.
        name: in its layer: ``kernel``, ``bias``; ``mean``, ``variance``.
        shape: in the canonical layout.
        trained: whether the optimizer moves it. State is moved by the layer itself, in training.
    """

    node: Node
    name: str
    shape: Shape
    trained: bool

    @property
    def key(self) -> str:
        """``"<node>/<name>"``: its name in the network."""
        return f"{self.node.name}/{self.name}"


@dataclass(frozen=True)
class Architecture:
    """A graph of layers and the shape of one input; ``sequence`` makes one of layers that follow one another.

    Attributes:
        input_shape: of one example.
        nodes: each after those whose outputs it takes; the last gives the network's output.

    Raises:
        ValueError: a layer does not fit the shape before it, or a node's name or inputs are wrong.
    """

    input_shape: Shape
    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        self.shapes  # noqa: B018 - checks that the layers fit
        used = {name for node in self.nodes for name in node.inputs}
        for index, node in enumerate(self.nodes[:-1]):
            if node.name not in used:
                raise NodeError(f"{node.name}: nothing takes its output; only the last node's is the network's", index)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape of the input and of each node's output, by name."""
        shapes = {INPUT: self.input_shape}
        for index, node in enumerate(self.nodes):
            if not _NAME.fullmatch(node.name) or node.name in shapes:
                rule = "letters, digits and _, each name once"
                raise NodeError(f"{node.name!r} cannot be a node's name: {rule}", index, "name")
            for name in node.inputs:
                if name not in shapes:
                    raise NodeError(f"{node.name}: no node before it has the name {name!r}", index, "inputs")
            before = [shapes[name] for name in node.inputs]
            if not before or (len(before) > 1 and not isinstance(node.layer, Merge)):
                wanted = "at least one input" if isinstance(node.layer, Merge) else "one input"
                raise NodeError(f"{node.name}: {node.layer.kind} takes {wanted}, not {len(before)}", index, "inputs")
            layer = node.layer
            try:
                shapes[node.name] = (
                    layer.merged_shape(before) if isinstance(layer, Merge) else layer.output_shape(before[0])
                )
            except ValueError as error:
                raise NodeError(str(error), index) from error
        return shapes

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in the order of the nodes."""
        return tuple(node.layer for node in self.nodes)

    @property
    def is_sequence(self) -> bool:
        """Whether the layers follow one another, without a branch."""
        before = [INPUT, *(node.name for node in self.nodes)]
        return all(node.inputs == (name,) for node, name in zip(self.nodes, before, strict=False))

    def shape_before(self, node: Node) -> Shape:
        """The shape of a node's input, or of its first one."""
        return self.shapes[node.inputs[0]]

    @property
    def output_shape(self) -> Shape:
        return self.shapes[self.nodes[-1].name] if self.nodes else self.input_shape

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """The trained parameters and the state, in the order of the nodes."""
        variables: list[Variable] = []
        for node in self.nodes:
            shape = self.shape_before(node)
            trained, state = node.layer.parameter_shapes(shape), node.layer.state_shapes(shape)
            variables += [Variable(node, name, of_one, True) for name, of_one in trained.items()]
            variables += [Variable(node, name, of_one, False) for name, of_one in state.items()]
        return tuple(variables)

    @property
    def parameters(self) -> tuple[Variable, ...]:
        """The trained parameters, in the order of the nodes."""
        return tuple(variable for variable in self.variables if variable.trained)

    @property
    def state(self) -> tuple[Variable, ...]:
        """What layers keep beside their parameters, in the order of the nodes."""
        return tuple(variable for variable in self.variables if not variable.trained)

    @property
    def portable(self) -> tuple[Variable, ...]:
        """What the frameworks' own layers have too, and so their own files: all but dropout's place in our masks."""
        return tuple(variable for variable in self.variables if not isinstance(variable.node.layer, Dropout))

    @cached_property
    def parameter_shapes(self) -> dict[str, Shape]:
        """The shapes of the trained parameters by key, in the order of the nodes."""
        return {parameter.key: parameter.shape for parameter in self.parameters}

    @cached_property
    def variable_shapes(self) -> dict[str, Shape]:
        """The shapes of the trained parameters and the state by key, in the order of the nodes."""
        return {variable.key: variable.shape for variable in self.variables}

    @property
    def cancelled_biases(self) -> tuple[tuple[Node, Node], ...]:
        """The layers whose bias does nothing in training, each with the BatchNorm that takes it away again."""
        by_name = {node.name: node for node in self.nodes}
        norms = [node for node in self.nodes if isinstance(node.layer, BatchNorm) and node.inputs != (INPUT,)]
        before = [(by_name[norm.inputs[0]], norm) for norm in norms]
        return tuple((node, norm) for node, norm in before if f"{node.name}/bias" in self.parameter_shapes)

    @property
    def parameter_counts(self) -> dict[str, int]:
        """Trained parameters of each node that has any."""
        counts: dict[str, int] = {}
        for parameter in self.parameters:
            counts[parameter.node.name] = counts.get(parameter.node.name, 0) + prod(parameter.shape)
        return counts

    @property
    def parameter_count(self) -> int:
        return sum(self.parameter_counts.values())

    def forward_operations(self) -> int:
        """Floating-point operations of the matrix products of one forward pass of one example."""
        return sum(node.layer.operations(self.shape_before(node)) for node in self.nodes)

    def training_operations(self) -> int:
        """Floating-point operations of the matrix products of forward and backward pass of one example.

        The backward pass does each product twice, for the kernel's gradient and for the input's; the latter is needed
        only where parameters come before. Element-wise work and the optimizer are not counted.
        """
        operations, trained = 0, {INPUT: False}
        for node in self.nodes:
            product = node.layer.operations(self.shape_before(node))
            behind_others = any(trained[name] for name in node.inputs)
            recurrent = node.layer.recurrent_operations(self.shape_before(node))
            operations += product * 3 if behind_others else product * 2 + recurrent
            trained[node.name] = behind_others or bool(node.layer.parameter_shapes(self.shape_before(node)))
        return operations


def sequence(input_shape: Shape, layers: Sequence[Layer]) -> Architecture:
    """An architecture of layers that follow one another; its nodes are named ``"<index>_<kind>"``."""
    names = [INPUT, *(f"{index}_{layer.kind}" for index, layer in enumerate(layers))]
    nodes = [Node(name, layer, (before,)) for name, layer, before in zip(names[1:], layers, names, strict=False)]
    return Architecture(input_shape, tuple(nodes))


def check_parameters(architecture: Architecture, parameters: Mapping[str, NDArray[Any]]) -> None:
    """Raises ValueError, naming the first difference, unless names and shapes are the architecture's."""
    expected = architecture.variable_shapes
    for name in [*expected, *parameters]:
        if name not in parameters:
            raise ValueError(f"parameter {name} is missing")
        if name not in expected:
            raise ValueError(f"parameter {name} is not in the architecture")
        if parameters[name].shape != expected[name]:
            raise ValueError(f"parameter {name} has shape {parameters[name].shape}, not {expected[name]}")
