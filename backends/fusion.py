"""Rewrites an architecture for the tuned loops: the same parameters and results, from fewer operations.

A tuned loop trains ``build_network(fuse(architecture), TUNED_LAYERS)``.
"""

from dataclasses import dataclass
from typing import ClassVar

from tasks.architecture import INPUT, Architecture, Node
from tasks.layers import Conv2D, Layer, MaxPool2D, ReLU, Shape


@dataclass(frozen=True)
class PooledConv2D(Layer):
    """A convolution, ReLU and max pool in one layer, computed as convolution, pool, bias, ReLU.

    ``max(relu(x + bias)) = relu(max(x) + bias)``, because neither a bias nor ReLU changes which number is the largest.
    After the pool, bias and ReLU have fewer numbers to go through: a quarter of them where windows are 2x2. With
    groups, or where windows overlap or are padded, the layers stay apart: the tuned loops' forms are not for these.
    """

    convolution: Conv2D
    pool: MaxPool2D
    kind: ClassVar[str] = Conv2D.kind

    def output_shape(self, shape: Shape) -> Shape:
        return self.pool.output_shape(self.convolution.output_shape(shape))

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return self.convolution.parameter_shapes(shape)

    def operations(self, shape: Shape) -> int:
        return self.convolution.operations(shape)


def fuse(architecture: Architecture) -> Architecture:
    """The architecture with each convolution, ReLU and max pool that follow one another as one layer.

    It has the convolution's name, so that every parameter keeps its key.
    """
    nodes, becomes = [], {INPUT: INPUT}
    for node, layer, names in _groups(architecture):
        becomes |= dict.fromkeys(names, node.name)
        nodes.append(Node(node.name, layer, tuple(becomes[name] for name in node.inputs)))
    return Architecture(architecture.input_shape, tuple(nodes))


def fused_names(architecture: Architecture) -> dict[str, str]:
    """For each node of the fused architecture the names of all whose layers it computes: ``"conv, relu, pool"``."""
    return {node.name: ", ".join(names) for node, _, names in _groups(architecture)}


def _groups(architecture: Architecture) -> list[tuple[Node, Layer, list[str]]]:
    """The first node of each group that becomes one, the layer that it becomes, and the names of all."""
    groups: list[tuple[Node, Layer, list[str]]] = []
    fused: set[str] = set()
    for node in architecture.nodes:
        if node.name in fused:
            continue
        layer, names = node.layer, [node.name]
        relu = _only_user(architecture, node)
        pool = _only_user(architecture, relu) if relu else None
        if relu and pool:
            match layer, relu.layer, pool.layer:
                case Conv2D(groups=1) as convolution, ReLU(), MaxPool2D(is_plain=True) as pooling:
                    layer = PooledConv2D(convolution, pooling)
                    names += [relu.name, pool.name]
        fused |= {*names}
        groups.append((node, layer, names))
    return groups


def _only_user(architecture: Architecture, node: Node) -> Node | None:
    """The node that takes this one's output, once, if no other does."""
    users = [other for other in architecture.nodes for name in other.inputs if name == node.name]
    return users[0] if len(users) == 1 else None
