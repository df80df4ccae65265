"""Architectures: shapes, parameter counts and operations, also by counting one by one; what does not fit is refused."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tasks
from tasks.architecture import Architecture, Node, check_parameters, sequence
from tasks.layers import Add, Concatenate, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Shape, Sigmoid, Softmax, Tanh
from tests.networks import BRANCHES
from tests.tasks.common import TASKS, drawn


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("and-gate", {"0_dense": 2 + 1}),
        ("iris-mlp", {"0_dense": 4 * 10 + 10, "2_dense": 10 * 10 + 10, "4_dense": 10 * 3 + 3}),
        ("mnist-mlp", {"1_dense": 784 * 512 + 512, "3_dense": 512 * 512 + 512, "5_dense": 512 * 10 + 10}),
        ("mnist-dense", {"1_dense": 784 * 128 + 128, "3_dense": 128 * 128 + 128, "5_dense": 128 * 10 + 10}),
        (
            "mnist-cnn",
            {"0_conv2d": 3 * 3 * 1 * 32 + 32, "4_dense": 14 * 14 * 32 * 128 + 128, "6_dense": 128 * 10 + 10},
        ),
    ],
)
def test_parameter_counts_by_layer(name: str, counts: dict[str, int]) -> None:
    architecture = tasks.load_task(name).architecture
    assert architecture.parameter_counts == counts
    assert architecture.parameter_count == sum(counts.values())


def test_parameter_counts_as_published() -> None:
    counts = {name: tasks.load_task(name).architecture.parameter_count for name in TASKS}
    assert counts == {
        "and-gate": 3,
        "iris-mlp": 193,
        "mnist-mlp": 669_706,
        "mnist-dense": 118_282,
        "mnist-cnn": 804_554,
        "mnist-pytorch-example": 1_199_882,
        "mnist-keras-example": 34_826,
        "mnist-flax-example": 824_650,
        "mnist-resnet": 91_642,
    }


@pytest.mark.parametrize("name", ["iris-mlp", "mnist-mlp"])
def test_a_softmax_adds_no_parameters(name: str) -> None:
    standard, written = (tasks.load_task(name, recipe).architecture for recipe in ("standard", "as-written"))
    assert written.parameter_shapes == standard.parameter_shapes


def test_shapes_of_the_cnn() -> None:
    architecture = tasks.load_task("mnist-cnn").architecture
    image, filtered, pooled = (28, 28, 1), (28, 28, 32), (14, 14, 32)
    shapes = [image, filtered, filtered, pooled, (6272,), (128,), (128,), (10,)]
    assert list(architecture.shapes.values()) == shapes
    assert architecture.output_shape == (10,)
    names = ["input", "0_conv2d", "1_relu", "2_max_pool2d", "3_flatten", "4_dense", "5_relu", "6_dense"]
    assert list(architecture.shapes) == names
    assert architecture.parameter_shapes == {
        "0_conv2d/kernel": (3, 3, 1, 32),
        "0_conv2d/bias": (32,),
        "4_dense/kernel": (6272, 128),
        "4_dense/bias": (128,),
        "6_dense/kernel": (128, 10),
        "6_dense/bias": (10,),
    }


def test_operations_of_the_cnn() -> None:
    convolution, hidden, last = 2 * 9 * 28 * 28 * 32, 2 * 6272 * 128, 2 * 128 * 10
    architecture = tasks.load_task("mnist-cnn").architecture
    assert architecture.forward_operations() == convolution + hidden + last
    assert architecture.training_operations() == 2 * convolution + 3 * hidden + 3 * last == 5_727_744


def test_operations_of_a_network_without_parameters() -> None:
    architecture = sequence((4, 4, 1), (MaxPool2D(), ReLU(), Flatten()))
    assert architecture.forward_operations() == architecture.training_operations() == 0
    assert architecture.parameter_counts == {}
    assert architecture.parameter_count == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dense(0), "dense: units must be at least 1, not 0"),
        (lambda: Conv2D(0), "conv2d: filters must be at least 1"),
        (lambda: Conv2D(1, (3, 0)), "conv2d: kernel_size must be at least 1"),
        (lambda: Conv2D(1, strides=(-1, 1)), "conv2d: strides must be at least 1"),
        (lambda: Conv2D(1, padding="full"), "conv2d: padding must be 'same', 'valid' or .*, not 'full'"),  # type: ignore[arg-type]
        (lambda: MaxPool2D((0, 2)), "max_pool2d: size must be at least 1"),
        (lambda: sequence((28, 28, 1), (Dense(3),)), "dense needs an input of 1 axes"),
        (lambda: sequence((784,), (Conv2D(3),)), "conv2d needs an input of 3 axes"),
        (lambda: sequence((4, 4), (MaxPool2D(),)), "max_pool2d needs an input of 3 axes"),
        (lambda: sequence((4, 2, 1), (Conv2D(3, (2, 3), padding="valid"),)), "does not fit into an input of shape"),
        (lambda: sequence((4, 1, 1), (MaxPool2D(),)), "does not fit into an input of shape"),
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_described(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


small = st.integers(1, 4)
pairs = st.tuples(small, small)
activations = st.sampled_from([ReLU(), Tanh(), Sigmoid(), Softmax()])


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    """A stack of convolutions and pools that fit, flattened, and dense layers behind."""
    shape = (draw(st.integers(1, 9)), draw(st.integers(1, 9)), draw(st.integers(1, 3)))
    layers: list[Layer] = []
    height, width = shape[:2]
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(["convolution", "pool", "activation"]))
        if kind == "convolution":
            kernel, strides, padding = draw(pairs), draw(pairs), draw(st.sampled_from(["same", "valid"]))
            if padding == "valid":
                kernel = (min(kernel[0], height), min(kernel[1], width))
            layers.append(Conv2D(draw(small), kernel, strides, padding))  # type: ignore[arg-type]
            reach = (1, 1) if padding == "same" else kernel
            height, width = -(-(height - reach[0] + 1) // strides[0]), -(-(width - reach[1] + 1) // strides[1])
        elif kind == "pool":
            size = draw(st.tuples(st.integers(1, min(height, 3)), st.integers(1, min(width, 3))))
            layers.append(MaxPool2D(size))
            height, width = height // size[0], width // size[1]
        else:
            layers.append(draw(activations))
    layers.append(Flatten())
    for units in draw(st.lists(small, max_size=3)):
        layers += [Dense(units), draw(activations)]
    return sequence(shape, tuple(layers))


def walk(layer: Layer, shape: Shape, parameters: dict[str, Shape]) -> tuple[Shape, int]:
    """A layer's output shape and multiply-adds, counted one by one over elements that exist. No formula."""
    if isinstance(layer, Dense):
        columns = {column for _, column in np.ndindex(*parameters["kernel"])}
        assert len(columns) == len(list(np.ndindex(*parameters["bias"])))
        return (len(columns),), sum(1 for row, _ in np.ndindex(*parameters["kernel"]) if row < shape[0])
    if isinstance(layer, Conv2D):
        starts = []
        for size, kernel, stride, (before, after) in zip(
            shape[:2], layer.kernel_size, layer.strides, layer.pads(shape), strict=True
        ):
            line = range(-before, size + after)  # with the padding
            starts.append([at for at in line[::stride] if at + kernel - 1 in line])
        height, width, channels, filters = parameters["kernel"]
        products = sum(
            1 for _ in product(*starts, range(height), range(width), range(min(channels, shape[2])), range(filters))
        )
        return (len(starts[0]), len(starts[1]), filters), products
    if isinstance(layer, MaxPool2D):
        windows = [
            [at for at in range(0, size, window) if at + window <= size]
            for size, window in zip(shape[:2], layer.size, strict=True)
        ]
        return (len(windows[0]), len(windows[1]), shape[2]), 0
    if isinstance(layer, Flatten):
        return (len(list(np.ndindex(*shape))),), 0
    return shape, 0


@drawn
@given(architectures())
def test_shapes_counts_and_operations_equal_a_count_one_by_one(architecture: Architecture) -> None:
    shape, operations, elements = architecture.input_shape, [], 0
    for node in architecture.nodes:
        assert architecture.shape_before(node) == shape
        parameters = {p.name: p.shape for p in architecture.parameters if p.node == node}
        elements += sum(len(list(np.ndindex(*of_one))) for of_one in parameters.values())
        shape, products = walk(node.layer, shape, parameters)
        operations.append(2 * products)
    assert architecture.output_shape == shape
    assert architecture.parameter_count == elements
    assert architecture.forward_operations() == sum(operations)
    trained = [count for count in operations if count]
    assert architecture.training_operations() == 3 * sum(trained) - (trained[0] if trained else 0)


def make_graph(*nodes: Node) -> Architecture:
    return Architecture((4, 4, 2), nodes)


def test_a_graph_has_its_shapes_parameters_and_operations() -> None:
    assert BRANCHES.shapes["both"] == (3, 2, 7)
    assert BRANCHES.parameter_counts == {"stem": 76, "left": 20, "right": 75, "narrow": 60 * 42 + 42, "out": 42 * 3 + 3}
    assert not BRANCHES.is_sequence
    stem, left, right, narrow, out = 2 * 9 * 2 * 4 * 30, 2 * 4 * 4 * 30, 2 * 6 * 4 * 3 * 30, 2 * 60 * 42, 2 * 42 * 3
    assert BRANCHES.forward_operations() == stem + left + right + narrow + out
    assert BRANCHES.training_operations() == 2 * (stem + narrow) + 3 * (left + right + out)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([Node("a.b", ReLU(), ("input",))], "'a.b' cannot be a node's name"),
        ([Node("a", ReLU(), ("input",)), Node("a", ReLU(), ("a",))], "'a' cannot be a node's name"),
        ([Node("input", ReLU(), ("input",))], "'input' cannot be a node's name"),
        ([Node("a", ReLU(), ("b",)), Node("b", ReLU(), ("a",))], "a: no node before it has the name 'b'"),
        ([Node("a", ReLU(), ())], "a: relu takes one input, not 0"),
        ([Node("a", Add(), ())], "a: add takes at least one input, not 0"),
        ([Node("a", Flatten(), ("input",)), Node("b", Add(), ("a", "input"))], "add needs inputs of one shape"),
        ([Node("a", Flatten(), ("input",)), Node("b", Concatenate(), ("a", "input"))], "differ in the last axis alone"),
        ([Node("a", ReLU(), ("input",)), Node("b", ReLU(), ("input",))], "a: nothing takes its output"),
    ],
)
def test_a_graph_that_does_not_fit_is_refused(nodes: list[Node], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_graph(*nodes)


def test_check_parameters_names_the_first_difference() -> None:
    architecture = tasks.load_task("and-gate").architecture
    good = tasks.load_task("and-gate").parameters(0)
    check_parameters(architecture, good)
    with pytest.raises(ValueError, match="parameter 0_dense/bias is missing"):
        check_parameters(architecture, {"0_dense/kernel": good["0_dense/kernel"]})
    with pytest.raises(ValueError, match="parameter 9_dense/kernel is not in the architecture"):
        check_parameters(architecture, {**good, "9_dense/kernel": good["0_dense/kernel"]})
    with pytest.raises(ValueError, match=r"parameter 0_dense/kernel has shape \(1, 2\), not \(2, 1\)"):
        check_parameters(architecture, {**good, "0_dense/kernel": good["0_dense/kernel"].T})
