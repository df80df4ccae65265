"""The rewriting of architectures for the tuned loops."""

import pytest

from backends.fusion import PooledConv2D, fuse, fused_names
from tasks.architecture import Architecture, Node, sequence
from tasks.layers import (
    Add,
    AveragePool2D,
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Tanh,
)
from tests.networks import BRANCHES

POOLED = (Conv2D(4, (3, 2), (2, 1)), ReLU(), MaxPool2D((2, 1)))
LAYERS = (*POOLED, Conv2D(3), Tanh(), MaxPool2D(), *POOLED, Flatten(), Dense(5), ReLU())


def test_a_convolution_with_relu_and_pool_becomes_one_layer() -> None:
    fused = fuse(sequence((40, 40, 2), LAYERS))
    one = PooledConv2D(POOLED[0], POOLED[2])
    assert list(fused.layers) == [one, *LAYERS[3:6], one, *LAYERS[9:]]


def test_fusing_keeps_parameters_and_operations() -> None:
    plain = sequence((40, 40, 2), LAYERS)
    fused = fuse(plain)
    assert list(fused.parameter_shapes.items()) == list(plain.parameter_shapes.items())
    assert fused.output_shape == plain.output_shape
    assert fused.training_operations() == plain.training_operations()


def test_other_architectures_stay_as_they_are() -> None:
    plain = sequence((8, 8, 1), (Conv2D(2), MaxPool2D(), ReLU(), Flatten(), Dense(3)))
    assert fuse(plain) == plain


@pytest.mark.parametrize(
    "layers",
    [
        (Conv2D(4, groups=2), ReLU(), MaxPool2D()),
        (Conv2D(4), ReLU(), MaxPool2D((3, 3), (2, 2))),
        (Conv2D(4), ReLU(), MaxPool2D(padding="same")),
        (Conv2D(4), LeakyReLU(), MaxPool2D()),
        (Conv2D(4), ReLU(), AveragePool2D()),
    ],
)
def test_what_the_fused_layer_is_not_for_stays_as_it_is(layers: tuple[Layer, ...]) -> None:
    plain = sequence((8, 8, 2), layers)
    assert fuse(plain) == plain


def test_a_convolution_without_bias_is_fused_too() -> None:
    layer = Conv2D(4, padding=((2, 1), (0, 1)), bias=False)
    (fused,) = fuse(sequence((8, 8, 2), (layer, ReLU(), MaxPool2D()))).layers
    assert fused == PooledConv2D(layer, MaxPool2D())


def test_in_a_graph_only_what_no_other_layer_takes_is_fused() -> None:
    fused = fuse(BRANCHES)
    assert [node.name for node in BRANCHES.nodes if node not in fused.nodes] == ["right", "slope", "halved", "both"]
    assert fused.nodes[3] == Node("right", PooledConv2D(Conv2D(3, (3, 2)), MaxPool2D()), ("bend",))
    assert Node("both", Concatenate(), ("smaller", "right")) in fused.nodes
    assert list(fused.parameter_shapes.items()) == list(BRANCHES.parameter_shapes.items())
    others = {node.name: node.name for node in fused.nodes if node.name != "right"}
    assert fused_names(BRANCHES) == others | {"right": "right, slope, halved"}
    taken_twice = (
        Node("a", Conv2D(2), ("input",)),
        Node("b", ReLU(), ("a",)),
        Node("c", MaxPool2D((1, 1)), ("b",)),
        Node("d", Add(), ("c", "b")),
    )
    plain = Architecture((4, 4, 2), taken_twice)
    assert fuse(plain) == plain
