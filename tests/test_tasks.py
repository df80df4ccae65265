"""What is learned: architectures, initial parameters, batches, data sets, and files given in place of the data."""

import hashlib
import io
import math
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import tasks
from tasks import mnist
from tasks.architecture import Architecture, check_parameters
from tasks.batches import Batches, draw_batches
from tasks.dataset import Dataset, predicted_labels
from tasks.errors import DataError, UnknownNameError
from tasks.initial import Initializer, draw_parameters
from tasks.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Shape, Sigmoid, Softmax, Tanh
from tasks.reproducible import random_stream, sha256_of
from tasks.training import SGD, Adam, Loss, Optimizer

drawn = settings(deadline=None, max_examples=60, database=None)

TASKS = ("and-gate", "iris-mlp", "mnist-mlp", "mnist-dense", "mnist-cnn")


# Tasks and recipes


def test_the_tasks_are_named_simplest_first() -> None:
    assert tasks.available_tasks() == TASKS


@pytest.mark.parametrize(
    ("name", "loss", "optimizer", "batch_size", "epochs", "shuffle", "initializer"),
    [
        ("and-gate", "sum_of_squared_errors", SGD(0.1, momentum=0), 4, 5000, False, "normal"),
        ("iris-mlp", "cross_entropy", SGD(0.01, momentum=0.9), 10, 100, False, "pytorch"),
        ("mnist-mlp", "cross_entropy", SGD(0.01, momentum=0.5), 64, 5, True, "pytorch"),
        ("mnist-dense", "cross_entropy", Adam(0.001, 0.9, 0.999, 1e-8), 32, 3, True, "keras"),
        ("mnist-cnn", "cross_entropy", SGD(0.0008, momentum=0.9), 32, 10, True, "pytorch"),
    ],
)
def test_recipes_are_their_sources(
    name: str, loss: Loss, optimizer: Optimizer, batch_size: int, epochs: int, shuffle: bool, initializer: Initializer
) -> None:
    recipe = tasks.load_task(name).recipe
    assert (recipe.loss, recipe.optimizer, recipe.batch_size) == (loss, optimizer, batch_size)
    assert (recipe.epochs, recipe.shuffle, recipe.initializer) == (epochs, shuffle, initializer)
    assert recipe.flaw == ""


@pytest.mark.parametrize(("name", "loss"), [("iris-mlp", "cross_entropy"), ("mnist-mlp", "negative_log_likelihood")])
def test_recipes_as_written_end_in_a_softmax_and_say_what_is_wrong(name: str, loss: Loss) -> None:
    standard, written = tasks.load_task(name).recipe, tasks.load_task(name, "as-written").recipe
    assert tasks.available_recipes(name) == ("standard", "as-written")
    assert written.architecture.layers == (*standard.architecture.layers, Softmax())
    assert written.loss == loss
    assert "softmax" in written.flaw
    assert replace(written, architecture=standard.architecture, loss=standard.loss, flaw="") == standard


@pytest.mark.parametrize("name", ["and-gate", "mnist-dense", "mnist-cnn"])
def test_other_tasks_have_one_recipe(name: str) -> None:
    assert tasks.available_recipes(name) == ("standard",)
    with pytest.raises(UnknownNameError, match=f"unknown recipe of {name} 'as-written': choose from standard$"):
        tasks.load_task(name, "as-written")


def test_an_unknown_task_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown task 'mnist': did you mean mnist-mlp\? choose from and-gate, "
    ):
        tasks.load_task("mnist")


# Architectures


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
    }


@pytest.mark.parametrize("name", ["iris-mlp", "mnist-mlp"])
def test_a_softmax_adds_no_parameters(name: str) -> None:
    standard, written = (tasks.load_task(name, recipe).architecture for recipe in ("standard", "as-written"))
    assert written.parameter_shapes == standard.parameter_shapes


def test_shapes_of_the_cnn() -> None:
    architecture = tasks.load_task("mnist-cnn").architecture
    image, filtered, pooled = (28, 28, 1), (28, 28, 32), (14, 14, 32)
    assert architecture.shapes == (image, filtered, filtered, pooled, (6272,), (128,), (128,), (10,))
    assert architecture.output_shape == (10,)
    assert architecture.names == (
        "0_conv2d", "1_relu", "2_max_pool2d", "3_flatten", "4_dense", "5_relu", "6_dense",
    )  # fmt: skip
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
    architecture = Architecture((4, 4, 1), (MaxPool2D(), ReLU(), Flatten()))
    assert architecture.forward_operations() == architecture.training_operations() == 0
    assert architecture.parameter_counts == {}
    assert architecture.parameter_count == 0


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "before", "after"),
    [
        (28, 3, 1, 1, 1),
        (28, 3, 2, 0, 1),  # PyTorch would pad (1, 1)
        (7, 3, 2, 1, 1),
        (5, 2, 1, 0, 1),
        (6, 4, 1, 1, 2),
        (5, 5, 2, 2, 2),
        (6, 5, 2, 1, 2),
        (6, 1, 4, 0, 0),  # a stride that jumps over the end
        (1, 3, 2, 1, 1),
    ],
)
def test_same_padding_is_tensorflows(size: int, kernel: int, stride: int, before: int, after: int) -> None:
    other = (9, (1, 1))  # the other axis: neither kernel nor stride
    tall, wide = Conv2D(4, (kernel, 1), (stride, 1)), Conv2D(4, (1, kernel), (1, stride))
    assert tall.pads((size, other[0], 2)) == ((before, after), (0, 0))
    assert wide.pads((other[0], size, 2)) == ((0, 0), (before, after))
    assert tall.output_shape((size, other[0], 2)) == (math.ceil(size / stride), 9, 4)
    assert wide.output_shape((other[0], size, 2)) == (9, math.ceil(size / stride), 4)


def test_valid_padding_pads_nothing() -> None:
    layer = Conv2D(4, (3, 2), (2, 1), "valid")
    assert layer.pads((8, 5, 1)) == ((0, 0), (0, 0))
    assert layer.output_shape((8, 5, 1)) == (3, 4, 4)


def test_pooling_drops_what_fills_no_window() -> None:
    assert MaxPool2D((2, 3)).output_shape((5, 8, 7)) == (2, 2, 7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dense(0), "dense: units must be at least 1, not 0"),
        (lambda: Conv2D(0), "conv2d: filters must be at least 1"),
        (lambda: Conv2D(1, (3, 0)), "conv2d: kernel_size must be at least 1"),
        (lambda: Conv2D(1, strides=(-1, 1)), "conv2d: strides must be at least 1"),
        (lambda: Conv2D(1, padding="full"), "conv2d: padding must be 'same' or 'valid', not 'full'"),  # type: ignore[arg-type]
        (lambda: MaxPool2D((0, 2)), "max_pool2d: size must be at least 1"),
        (lambda: Architecture((28, 28, 1), (Dense(3),)), "dense needs an input of 1 axes"),
        (lambda: Architecture((784,), (Conv2D(3),)), "conv2d needs an input of 3 axes"),
        (lambda: Architecture((4, 4), (MaxPool2D(),)), "max_pool2d needs an input of 3 axes"),
        (lambda: Architecture((4, 2, 1), (Conv2D(3, (2, 3), padding="valid"),)), "does not fit into an input of shape"),
        (lambda: Architecture((4, 1, 1), (MaxPool2D(),)), "does not fit into an input of shape"),
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
    return Architecture(shape, tuple(layers))


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
    for index, layer in enumerate(architecture.layers):
        assert architecture.shapes[index] == shape
        prefix = f"{architecture.names[index]}/"
        parameters = {
            key.removeprefix(prefix): value
            for key, value in architecture.parameter_shapes.items()
            if key.startswith(prefix)
        }
        elements += sum(len(list(np.ndindex(*of_one))) for of_one in parameters.values())
        shape, products = walk(layer, shape, parameters)
        operations.append(2 * products)
    assert architecture.output_shape == shape
    assert architecture.parameter_count == elements
    assert architecture.forward_operations() == sum(operations)
    trained = [count for count in operations if count]
    assert architecture.training_operations() == 3 * sum(trained) - (trained[0] if trained else 0)


@drawn
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 9))
def test_same_padding_is_the_least_that_covers_every_stride(size: int, kernel: int, stride: int) -> None:
    before, after = Conv2D(1, (kernel, 1), (stride, 1)).pads((size, 1, 1))[0]
    total, positions = before + after, math.ceil(size / stride)
    assert 0 <= after - before <= 1
    assert (size + total - kernel) // stride + 1 == positions
    assert total == 0 or (size + total - 1 - kernel) // stride + 1 < positions


# Initial parameters


@pytest.mark.parametrize(
    ("name", "seed", "sha256"),
    [
        ("and-gate", 0, "c7eb3b4a93974676af49658baea5f11d0def4c28c982796a49b85d19cfb34a60"),
        ("and-gate", 1, "294cef050a66954839c78a4eee353b62011be46fb03e4a52e18f52eaf5c1b701"),
        ("iris-mlp", 0, "8df534ca81731a1e5ca8cb3a0b1b86dd88c0a930117f7f12a30d192fb6402427"),
        ("mnist-dense", 0, "64b22847876d7a45a4da51b29a8b88c6a0413b97fffe3b2c42545a55b7576cce"),
        ("mnist-cnn", 0, "76d71babdbb9ad77c73a56cf42632cbd5849c34853a6c7b6da47a1607edc9d0a"),
    ],
)
def test_the_draw_is_that_of_earlier_reports(name: str, seed: int, sha256: str) -> None:
    """A change of the draw makes the hashes in earlier reports worthless: it needs a reason and a CHANGELOG line."""
    assert sha256_of(tasks.load_task(name).parameters(seed)) == sha256


def test_the_first_weights_of_iris() -> None:
    kernel = tasks.load_task("iris-mlp").parameters(0)["0_dense/kernel"]
    stream = np.random.RandomState(np.random.MT19937(np.random.SeedSequence((0, *b"parameters"))))
    np.testing.assert_array_equal(kernel, stream.uniform(-0.5, 0.5, (4, 10)).astype(np.float32))


@pytest.mark.parametrize("name", TASKS)
def test_parameters_depend_on_the_seed_alone(name: str) -> None:
    task = tasks.load_task(name)
    first, again, other = task.parameters(7), task.parameters(7), task.parameters(8)
    assert list(first) == list(task.architecture.parameter_shapes)
    for key, shape in task.architecture.parameter_shapes.items():
        assert first[key].dtype == np.float32
        assert first[key].shape == shape
        np.testing.assert_array_equal(first[key], again[key])
        if task.recipe.initializer != "keras" or key.endswith("/kernel"):
            assert not np.array_equal(first[key], other[key])


WIDE = Architecture((6, 6, 4), (Conv2D(50, (3, 2)), ReLU(), Flatten(), Dense(300), ReLU(), Dense(200)))


@pytest.mark.parametrize(
    ("initializer", "limits"),
    [
        (
            "pytorch",
            {
                "0_conv2d/kernel": 1 / math.sqrt(3 * 2 * 4),
                "0_conv2d/bias": 1 / math.sqrt(3 * 2 * 4),
                "3_dense/kernel": 1 / math.sqrt(6 * 6 * 50),
                "3_dense/bias": 1 / math.sqrt(6 * 6 * 50),
                "5_dense/kernel": 1 / math.sqrt(300),
                "5_dense/bias": 1 / math.sqrt(300),
            },
        ),
        (
            "keras",
            {
                "0_conv2d/kernel": math.sqrt(6 / (3 * 2 * 4 + 3 * 2 * 50)),
                "3_dense/kernel": math.sqrt(6 / (6 * 6 * 50 + 300)),
                "5_dense/kernel": math.sqrt(6 / (300 + 200)),
            },
        ),
    ],
)
def test_uniform_initializers_fill_their_bounds(initializer: Initializer, limits: dict[str, float]) -> None:
    for key, values in draw_parameters(WIDE, initializer, 0).items():
        if key not in limits:
            np.testing.assert_array_equal(values, 0)
            continue
        limit = limits[key]
        assert np.abs(values).max() <= np.float32(limit)
        assert values.max() > 0.8 * limit
        assert values.min() < -0.8 * limit
        if values.size > 1000:
            assert values.std() == pytest.approx(limit / math.sqrt(3), rel=0.05)
            assert values.mean() == pytest.approx(0, abs=0.1 * limit)


def test_the_normal_initializer_draws_biases_too() -> None:
    parameters = draw_parameters(WIDE, "normal", 0)
    for key in ("3_dense/kernel", "3_dense/bias", "5_dense/kernel"):
        assert parameters[key].std() == pytest.approx(1, rel=0.15)
        assert parameters[key].mean() == pytest.approx(0, abs=0.25)
        assert np.abs(parameters[key]).max() > 2


def test_random_streams_differ_by_purpose() -> None:
    first, second = random_stream(0, "parameters"), random_stream(0, "batches")
    assert not np.array_equal(first.random_sample(4), second.random_sample(4))


def test_sha256_of_covers_name_dtype_shape_and_elements() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    expected = hashlib.sha256(b"a <f4 (2, 3)\n" + struct.pack("<6f", *range(6))).hexdigest()
    assert sha256_of({"a": array}) == expected
    others: list[dict[str, NDArray[np.generic]]] = [
        {"b": array},
        {"a": array.reshape(3, 2)},
        {"a": array.astype(np.float64)},
        {"a": array[::-1]},
    ]
    assert len({expected, *(sha256_of(other) for other in others)}) == 5


def test_sha256_of_is_blind_to_byte_order_memory_layout_and_order_of_names() -> None:
    array, other = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(2, np.int32)
    expected = sha256_of({"a": array, "b": other})
    assert sha256_of({"b": other, "a": array}) == expected
    assert sha256_of({"a": array.astype(">f4"), "b": other}) == expected
    assert sha256_of({"a": np.asfortranarray(array), "b": other}) == expected


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


def test_predicted_labels() -> None:
    assert predicted_labels(np.array([[0.1, 0.7, 0.2], [3.0, 1.0, 2.0]])).tolist() == [1, 0]
    assert predicted_labels(np.array([[0.2], [0.5], [0.51]])).tolist() == [0, 0, 1]


# Batches


@drawn
@given(
    count=st.integers(1, 50),
    batch_size=st.integers(1, 60),
    epochs=st.integers(1, 4),
    seed=st.integers(0, 2**40),
    shuffle=st.booleans(),
)
def test_every_epoch_is_a_permutation_with_its_remainder(
    count: int, batch_size: int, epochs: int, seed: int, shuffle: bool
) -> None:
    batches = draw_batches(count, batch_size, epochs, seed, shuffle=shuffle)
    size = min(batch_size, count)
    rest = count % size
    assert batches.indices.dtype == batches.remainder.dtype == np.int32
    assert batches.indices.shape == (epochs, count // size, size)
    assert batches.remainder.shape == (epochs, rest)
    assert (batches.epochs, batches.full_steps, batches.batch_size) == (epochs, count // size, size)
    assert (batches.rest, batches.steps) == (rest, count // size + (1 if rest else 0))
    assert batches.examples == count
    for epoch in range(epochs):
        steps = list(batches.of_epoch(epoch))
        assert [len(step) for step in steps] == batches.step_sizes.tolist()
        order = np.concatenate(steps)
        assert sorted(order) == list(range(count))
        if not shuffle:
            assert order.tolist() == list(range(count))


def test_mnist_mlp_trains_on_the_last_partial_batch() -> None:
    batches = tasks.load_task("mnist-mlp").batches(60_000, 0, epochs=2)
    assert (batches.full_steps, batches.rest, batches.steps, batches.examples) == (937, 32, 938, 60_000)
    assert batches.step_sizes.tolist() == [64] * 937 + [32]
    for epoch in range(2):
        np.testing.assert_array_equal(np.sort(np.concatenate(list(batches.of_epoch(epoch)))), np.arange(60_000))
    assert not np.array_equal(batches.indices[0], batches.indices[1])
    assert batches.sha256() == "b90490a9409a1a1824bfeac3a171d9557bf654dc1966f9969c65c1f3f2e76be2"


def test_the_order_is_a_sort_of_one_random_number_an_example() -> None:
    batches = draw_batches(60, 8, 2, 5, shuffle=True)
    stream = random_stream(5, "batches")
    for epoch in range(2):
        expected = np.argsort(stream.random_sample(60))
        np.testing.assert_array_equal(np.concatenate(list(batches.of_epoch(epoch))), expected)


def test_iris_is_not_shuffled() -> None:
    batches = tasks.load_task("iris-mlp").batches(90, 3, epochs=2)
    np.testing.assert_array_equal(batches.indices, np.tile(np.arange(90).reshape(1, 9, 10), (2, 1, 1)))
    assert batches.sha256() == "24c8118e588366638a2dabf97ad8c8d7008bcd09f4fe2a70c513ad884bf4ccd3"


def test_orders_differ_by_seed_and_epoch() -> None:
    orders = [
        tuple(draw_batches(40, 40, 2, seed, shuffle=True).indices[epoch, 0]) for seed in (0, 1) for epoch in (0, 1)
    ]
    assert len(set(orders)) == 4


def test_fewer_examples_keep_the_first_steps() -> None:
    task = tasks.load_task("mnist-mlp")
    whole, part = task.batches(60_000, 0, epochs=2), task.batches(60_000, 0, epochs=2, examples=20_000)
    assert (part.full_steps, part.rest, part.examples) == (312, 32, 20_000)
    np.testing.assert_array_equal(part.indices, whole.indices[:, :312])
    np.testing.assert_array_equal(part.remainder, whole.indices[:, 312, :32])


def test_more_examples_than_there_are_is_all() -> None:
    assert draw_batches(7, 3, 1, 0, shuffle=True, examples=100).examples == 7


def test_more_epochs_keep_the_first_ones_and_a_slice_takes_some() -> None:
    task = tasks.load_task("mnist-cnn")
    long, short = task.batches(100, 0, epochs=5), task.batches(100, 0, epochs=2)
    assert long[:2].sha256() == short.sha256()
    assert long[2:5].epochs == 3
    np.testing.assert_array_equal(long[2:5].remainder, long.remainder[2:5])


def test_a_task_gives_its_recipes_batches_unless_told() -> None:
    task = tasks.load_task("iris-mlp")
    assert task.batches(90, 0).indices.shape == (100, 9, 10)
    other = task.batches(90, 0, epochs=2, batch_size=40)
    assert (other.indices.shape, other.remainder.shape) == ((2, 2, 40), (2, 10))


def test_epoch_means_weigh_the_last_batch_by_its_size() -> None:
    batches = draw_batches(5, 2, 2, 0, shuffle=False)
    losses = np.array([[1, 2, 6], [0, 0, 5]], np.float32)
    np.testing.assert_array_equal(batches.epoch_means(losses), [(2 * 1 + 2 * 2 + 1 * 6) / 5, 1])
    assert batches.epoch_means(losses).dtype == np.float64


def test_epoch_means_of_a_loop_that_keeps_means_alone() -> None:
    means = np.array([[0.5], [0.25]], np.float32)
    assert draw_batches(5, 2, 2, 0, shuffle=False).epoch_means(means).tolist() == [0.5, 0.25]


def test_the_hash_of_batches_covers_the_remainder() -> None:
    batches = draw_batches(5, 2, 1, 0, shuffle=False)
    assert Batches(batches.indices, batches.remainder[:, :0]).sha256() != batches.sha256()


# The tasks' own data


def test_and_gate() -> None:
    dataset = tasks.load_task("and-gate").load(None)
    assert dataset.train_inputs.dtype == np.float32
    assert dataset.train_labels.dtype == np.int32
    table = {(int(a), int(b)): int(y) for (a, b), y in zip(dataset.train_inputs, dataset.train_labels, strict=True)}
    assert table == {(a, b): a & b for a in (0, 1) for b in (0, 1)}
    np.testing.assert_array_equal(dataset.test_inputs, dataset.train_inputs)
    np.testing.assert_array_equal(dataset.test_labels, dataset.train_labels)


def test_iris_is_scikit_learns_split() -> None:
    from sklearn.datasets import load_iris
    from sklearn.model_selection import train_test_split

    measured, species = load_iris(return_X_y=True)
    expected = train_test_split(measured, species, test_size=0.40, random_state=0)
    d = tasks.load_task("iris-mlp").load(None)
    assert (d.train_inputs.shape, d.test_inputs.shape) == ((90, 4), (60, 4))
    for found, wanted in zip((d.train_inputs, d.test_inputs, d.train_labels, d.test_labels), expected, strict=True):
        np.testing.assert_array_equal(found, wanted.astype(found.dtype))
    assert d.train_inputs.dtype == d.test_inputs.dtype == np.float32
    assert d.train_labels.dtype == d.test_labels.dtype == np.int32
    assert d.classes == ("setosa", "versicolor", "virginica")
    assert d.raw_images is None


@pytest.fixture(scope="module")
def digits() -> dict[str, NDArray[np.uint8]]:
    return mnist.read_digits()


def test_mnist_is_the_original(digits: dict[str, NDArray[np.uint8]]) -> None:
    assert {key: (array.shape, str(array.dtype)) for key, array in digits.items()} == {
        "x_train": ((60_000, 28, 28), "uint8"),
        "y_train": ((60_000,), "uint8"),
        "x_test": ((10_000, 28, 28), "uint8"),
        "y_test": ((10_000,), "uint8"),
    }
    assert digits["y_train"][:5].tolist() == [5, 0, 4, 1, 9]
    assert digits["y_test"][:5].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.parametrize(
    ("key", "magic", "sha256"),
    [
        ("x_train", 2051, "ba891046e650"),
        ("y_train", 2049, "65a50cbbf4e9"),
        ("x_test", 2051, "0fa7898d5092"),
        ("y_test", 2049, "ff7bcfd416de"),
    ],
)
def test_mnist_is_the_idx_files_to_the_byte(
    digits: dict[str, NDArray[np.uint8]], key: str, magic: int, sha256: str
) -> None:
    array = digits[key]
    header = struct.pack(f">{1 + array.ndim}I", magic, *array.shape)
    assert hashlib.sha256(header + array.tobytes()).hexdigest().startswith(sha256)


@pytest.mark.parametrize(("name", "mean", "std"), [("mnist-mlp", 0.1307, 0.3081), ("mnist-cnn", 0.5, 0.5)])
def test_standardized_digits_equal_the_formula_to_the_last_bit(
    digits: dict[str, NDArray[np.uint8]], name: str, mean: float, std: float
) -> None:
    d = tasks.load_task(name).load(None)
    one = np.float32
    formula = np.array([(one(pixel) / one(255) - one(mean)) / one(std) for pixel in range(256)], one)
    assert (d.train_inputs.shape, d.test_inputs.shape) == ((60_000, 28, 28, 1), (10_000, 28, 28, 1))
    assert d.train_inputs.dtype == d.test_inputs.dtype == np.float32
    for at in range(0, 60_000, 10_000):
        np.testing.assert_array_equal(
            d.train_inputs[at : at + 10_000, ..., 0], formula[digits["x_train"][at : at + 10_000]]
        )
    np.testing.assert_array_equal(d.test_inputs[..., 0], formula[digits["x_test"]])
    assert d.train_labels.dtype == d.test_labels.dtype == np.int32
    np.testing.assert_array_equal(d.train_labels, digits["y_train"])
    np.testing.assert_array_equal(d.test_labels, digits["y_test"])
    assert d.classes == tuple("0123456789")
    assert d.raw_images is not None
    assert (d.raw_images.mean, d.raw_images.std) == (mean, std)
    np.testing.assert_array_equal(d.raw_images.images, digits["x_train"])


def keras_normalize(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """``keras.utils.normalize(images, axis=1)`` as Keras has it."""
    norms = np.atleast_1d(np.linalg.norm(images, 2, 1))
    norms[norms == 0] = 1
    return np.asarray(images / np.expand_dims(norms, 1))


def test_dense_digits_have_columns_of_length_one(digits: dict[str, NDArray[np.uint8]]) -> None:
    d = tasks.load_task("mnist-dense").load(None)
    assert (d.train_inputs.shape, d.test_inputs.shape) == ((60_000, 28, 28, 1), (10_000, 28, 28, 1))
    assert d.train_inputs.dtype == d.test_inputs.dtype == np.float32
    np.testing.assert_array_equal(d.test_inputs[..., 0], keras_normalize(digits["x_test"]).astype(np.float32))
    some = np.r_[:50, 9_990:10_010, 59_950:60_000]  # at both ends and over the seam of two blocks
    np.testing.assert_array_equal(
        d.train_inputs[some, ..., 0], keras_normalize(digits["x_train"][some]).astype(np.float32)
    )
    lengths = np.linalg.norm(d.test_inputs[..., 0].astype(np.float64), axis=1)
    inked = digits["x_test"].any(axis=1)
    np.testing.assert_allclose(lengths[inked], 1, atol=1e-6)
    np.testing.assert_array_equal(lengths[~inked], 0)
    assert d.raw_images is None


@pytest.mark.parametrize(("name", "from_where"), [("and-gate", "four rows"), ("iris-mlp", "scikit-learn")])
def test_tasks_that_take_no_file_say_so(name: str, from_where: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"--data is for the mnist tasks.*{from_where}"):
        tasks.load_task(name).load(tmp_path / "data.npz")


# Files in place of the data

Arrays = dict[str, NDArray[np.generic]]


def small_digits() -> Arrays:
    """30 images to train on and 12 to test on."""
    random = np.random.RandomState(0)
    return {
        "x_train": random.randint(0, 256, (30, 28, 28)).astype(np.uint8),
        "y_train": (np.arange(30) % 10).astype(np.uint8),
        "x_test": random.randint(0, 256, (12, 28, 28)).astype(np.uint8),
        "y_test": (np.arange(12) % 10).astype(np.uint8),
    }


def save(path: Path, **replaced: NDArray[np.generic] | None) -> None:
    """Writes the small digits with some arrays replaced, or left out where they are None."""
    arrays = {**small_digits(), **replaced}
    np.savez_compressed(path, **{key: array for key, array in arrays.items() if array is not None})  # type: ignore[arg-type]


def with_dtype(key: str, dtype: str) -> Callable[[Path], None]:
    return lambda path: save(path, **{key: small_digits()[key].astype(dtype)})


def with_shape(key: str, *shape: int) -> Callable[[Path], None]:
    return lambda path: save(path, **{key: np.zeros(shape, np.uint8)})


def with_label(key: str, label: int) -> Callable[[Path], None]:
    labels = small_digits()[key].copy()
    labels[3] = label
    return lambda path: save(path, **{key: labels})


def without(key: str) -> Callable[[Path], None]:
    return lambda path: save(path, **{key: None})


def changed(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """The bytes of a good file, changed."""

    def make(path: Path) -> None:
        save(path)
        path.write_bytes(change(path.read_bytes()))

    return make


def with_content(content: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(content)

    return make


def with_member(content: bytes) -> Callable[[Path], None]:
    """A zip file whose ``x_train.npy`` has this content."""

    def make(path: Path) -> None:
        save(path, x_train=None)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("x_train.npy", content)

    return make


def npy_header(text: str) -> bytes:
    padded = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode()


def in_every_directory_entry(offset: int, value: int) -> Callable[[bytes], bytes]:
    """Sets a 16-bit field of all entries in a zip file's directory (``offset`` as in its specification)."""

    def change(content: bytes) -> bytes:
        data, at = bytearray(content), 0
        while (at := content.find(b"PK\x01\x02", at)) >= 0:
            data[at + offset : at + offset + 2] = struct.pack("<H", value)
            at += 4
        return bytes(data)

    return change


def npy_file(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, small_digits()["x_train"])


def zip_of_text(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "digits")


BAD_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no x_train": (without("x_train"), "no array 'x_train'"),
    "no y_train": (without("y_train"), "no array 'y_train'"),
    "no x_test": (without("x_test"), "no array 'x_test'"),
    "no y_test": (without("y_test"), "no array 'y_test'"),
    "images of floats": (with_dtype("x_train", "float32"), "x_train must be uint8, not float32"),
    "test images of int8": (with_dtype("x_test", "int8"), "x_test must be uint8, not int8"),
    "labels of int64": (with_dtype("y_train", "int64"), "y_train must be uint8, not int64"),
    "labels of words": (with_dtype("y_test", "U5"), "y_test must be uint8"),
    "images too narrow": (with_shape("x_train", 30, 28, 27), "x_train must have shape (n, 28, 28), not (30, 28, 27)"),
    "images with channels": (with_shape("x_test", 12, 28, 28, 1), "x_test must have shape (n, 28, 28)"),
    "flat images": (with_shape("x_train", 30, 784), "x_train must have shape (n, 28, 28)"),
    "no images": (with_shape("x_test", 0, 28, 28), "x_test must have shape (n, 28, 28)"),
    "a number for images": (with_shape("x_train"), "x_train must have shape (n, 28, 28)"),
    "too few labels": (with_shape("y_train", 29), "y_train must have shape (30,), not (29,)"),
    "one-hot labels": (with_shape("y_test", 12, 10), "y_test must have shape (12,), not (12, 10)"),
    "label 10": (with_label("y_train", 10), "y_train holds the label 10; labels must be 0 to 9"),
    "label 255": (with_label("y_test", 255), "y_test holds the label 255; labels must be 0 to 9"),
    "objects": (
        lambda path: save(path, x_train=np.array([{"a": 1}, None], object)),
        "not a readable .npz file of plain arrays",
    ),
    "empty": (with_content(b""), "not a readable .npz file"),
    "half a zip": (changed(lambda content: content[: len(content) // 2]), "not a readable .npz file"),
    "a zip without its end": (changed(lambda content: content[:-10]), "not a readable .npz file"),
    "a zip without its start": (changed(lambda content: content[100:]), "not a readable .npz file"),
    "a byte flipped": (changed(lambda c: c[:2000] + bytes([c[2000] ^ 255]) + c[2001:]), "not a readable .npz file"),
    "text": (with_content(b"5,0,4,1,9\n" * 1000), "not a readable .npz file"),
    "a picture": (
        with_content(b"\x89PNG\r\n\x1a\n" + bytes(500)),
        "not a readable .npz file",
    ),
    "a zip of text": (zip_of_text, "no array 'x_train'"),
    "an array cut short": (
        with_member(npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (30, 28, 28), }") + bytes(99)),
        "not a readable .npz file",
    ),
    "an .npy file": (npy_file, "not a readable .npz file"),
    "a member that is no array": (with_member(b"hello"), "not a readable .npz file"),
    "a member that is empty": (with_member(b""), "not a readable .npz file"),
    "a header that does not parse": (
        with_member(npy_header("{'descr': '|u1', 'shape': (((")),
        "not a readable .npz file",
    ),
    "a header without end": (with_member(npy_header("{'descr': '''|u1")), "not a readable .npz file"),
    "a header of more than memory": (
        with_member(npy_header(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({10**14}, 28, 28), }}")),
        "not a readable .npz file",
    ),
    "encrypted": (changed(in_every_directory_entry(8, 1)), "not a readable .npz file"),
    "an unknown compression": (changed(in_every_directory_entry(10, 99)), "not a readable .npz file"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_file_that_is_not_digits_gets_one_line(kind: str, tmp_path: Path) -> None:
    make, message = BAD_FILES[kind]
    path = tmp_path / "data.npz"
    make(path)
    with pytest.raises(DataError) as caught:
        mnist.read_digits(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert message in text
    assert len(text.splitlines()) == 1


class Trap:
    """Calls a function when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    content = pickle.dumps(Trap(trap))
    plain, inside = tmp_path / "plain.npz", tmp_path / "inside.npz"
    plain.write_bytes(content)
    save(inside, x_train=np.array([Trap(trap)], object))
    for path in (plain, inside):
        with pytest.raises(DataError, match="not a readable"):
            mnist.read_digits(path)
    assert not trap.exists()
    pickle.loads(content)  # the trap works
    assert trap.exists()


def test_a_missing_file_a_folder_and_a_pipe_get_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "nothing.npz", tmp_path, tmp_path / "nothing" / "data.npz", tmp_path / "pipe"):
        with pytest.raises(DataError) as caught:
            mnist.read_digits(path)
        assert str(caught.value).startswith(f"{path}: cannot be read (")
        assert "--data takes an .npz file" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


def test_a_changed_copy_of_mnist_itself_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mnist.npz"
    save(path)
    monkeypatch.setattr(mnist, "FILE", path)
    with pytest.raises(DataError, match="the checksum is wrong; reinstall"):
        mnist.read_digits()
    assert len(mnist.read_digits(path)["x_train"]) == 30  # as --data it is welcome


@pytest.mark.parametrize("name", ["mnist-mlp", "mnist-dense", "mnist-cnn"])
def test_a_small_replacement_is_loaded(name: str, tmp_path: Path) -> None:
    path, digits = tmp_path / "small.npz", small_digits()
    save(path, note=np.array([1.5]))  # further arrays do not matter
    dataset: Dataset = tasks.load_task(name).load(path)
    assert (dataset.train_inputs.shape, dataset.test_inputs.shape) == ((30, 28, 28, 1), (12, 28, 28, 1))
    assert dataset.train_inputs.dtype == np.float32
    np.testing.assert_array_equal(dataset.train_labels, digits["y_train"])
    np.testing.assert_array_equal(dataset.test_labels, digits["y_test"])
    images = digits["x_train"].astype(np.float64)
    expected = {
        "mnist-mlp": (images / 255 - 0.1307) / 0.3081,
        "mnist-dense": images / np.linalg.norm(images, axis=1, keepdims=True),
        "mnist-cnn": (images / 255 - 0.5) / 0.5,
    }[name]
    np.testing.assert_allclose(dataset.train_inputs[..., 0], expected, atol=1e-5)


def test_the_hash_of_the_data_covers_inputs_and_labels() -> None:
    dataset = tasks.load_task("and-gate").load(None)
    nudged = dataset.train_inputs.copy()
    nudged[0, 0] = 1e-3
    hashes = {
        dataset.train_sha256,
        replace(dataset, train_inputs=nudged).train_sha256,
        replace(dataset, train_labels=1 - dataset.train_labels).train_sha256,
    }
    assert len(hashes) == 3


def test_the_archive_loads_as_plain_numpy_too(tmp_path: Path) -> None:
    """The small files of these tests are of the form that the package's own file has."""
    save(tmp_path / "small.npz")
    with np.load(io.BytesIO(mnist.FILE.read_bytes())) as own, np.load(tmp_path / "small.npz") as small_file:
        assert sorted(own.files) == sorted(small_file.files)
