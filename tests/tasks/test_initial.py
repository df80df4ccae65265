"""Initial parameters: the same draw as in earlier reports, by the seed alone, within the bounds of each initializer."""

import math

import numpy as np
import pytest

import tasks
from tasks.architecture import sequence
from tasks.initial import Initializer, draw_parameters
from tasks.layers import BatchNorm, Conv2D, ConvTranspose2D, Dense, Flatten, LayerNorm, ReLU
from tasks.reproducible import sha256_of
from tests.tasks.common import TASKS


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
    assert list(first) == list(task.architecture.variable_shapes)
    for variable in task.architecture.variables:
        key = variable.key
        assert first[key].dtype == np.float32
        assert first[key].shape == variable.shape
        np.testing.assert_array_equal(first[key], again[key])
        biases_too = task.recipe.initializer in ("pytorch", "normal") and variable.trained
        of_a_norm = isinstance(variable.node.layer, BatchNorm)
        if variable.name in ("kernel", "seed") or (biases_too and not of_a_norm):
            assert not np.array_equal(first[key], other[key])


@pytest.mark.parametrize(("initializer", "variance", "largest"), [("he", 2.0, np.inf), ("flax", 1.0, 2.2738)])
def test_normal_draws_have_their_variance(initializer: Initializer, variance: float, largest: float) -> None:
    """Of a dense kernel with 400 inputs; flax's is truncated at two standard deviations of what it is drawn from."""
    drawn = draw_parameters(sequence((400,), (Dense(300),)), initializer, 5)
    standard = drawn["0_dense/kernel"].astype(np.float64) * math.sqrt(400)
    assert standard.var() == pytest.approx(variance, rel=0.02)
    assert np.abs(standard).max() <= largest
    assert not drawn["0_dense/bias"].any()


WIDE = sequence((6, 6, 4), (Conv2D(50, (3, 2)), ReLU(), Flatten(), Dense(300), ReLU(), Dense(200)))


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


def test_layers_without_a_kernel_begin_with_scale_one_and_bias_zero() -> None:
    architecture = sequence((6,), (LayerNorm(), Dense(2)))
    for initializer, drawn in (("pytorch", False), ("keras", False), ("normal", True)):
        parameters = draw_parameters(architecture, initializer, 0)  # type: ignore[arg-type]
        assert np.array_equal(parameters["0_layer_norm/scale"], np.ones(6)) != drawn
        assert np.array_equal(parameters["0_layer_norm/bias"], np.zeros(6)) != drawn


def test_groups_and_transposed_convolutions_have_pytorchs_range() -> None:
    """Torch takes a transposed kernel's outputs for its inputs, and counts the channels of one group."""
    architecture = sequence((4, 4, 64), (Conv2D(32, groups=4), ConvTranspose2D(2, (2, 3))))
    parameters = draw_parameters(architecture, "pytorch", 0)
    for name, fan_in in (("0_conv2d", 3 * 3 * 16), ("1_conv_transpose2d", 2 * 3 * 2)):
        largest = max(np.abs(parameters[f"{name}/{of_it}"]).max() for of_it in ("kernel", "bias"))
        assert 0.95 / math.sqrt(fan_in) < largest <= np.float32(1 / math.sqrt(fan_in))
