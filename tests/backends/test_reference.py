"""The reference's own gradients, against finite differences and by hand."""

import numpy as np
import pytest

from backends import load_backend
from backends.numpy.layers import LAYERS
from backends.numpy.noise import NoisyModel, _layer_norm_squares
from tasks.architecture import Architecture, sequence
from tasks.initial import Initializer, draw_parameters
from tasks.layers import (
    GELU,
    AveragePool2D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Flatten,
    LayerNorm,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from tasks.task import Task
from tasks.training import Loss
from tests.networks import BRANCHES
from tests.remote import task_of
from tests.samples import SAMPLES, make_sample, sample_of

STACKS: list[tuple[Architecture, Loss]] = [
    (
        sequence(
            (7, 5, 2),
            (
                Conv2D(3, (3, 2), (2, 1)), Tanh(), MaxPool2D((2, 1)), Flatten(), Dense(4), Sigmoid(), Dense(3),
                Softmax(),
            ),
        ),
        loss,
    )
    for loss in ("cross_entropy", "negative_log_likelihood")
]  # fmt: skip
STACKS += [
    (
        sequence((7, 5, 2), (Conv2D(2, (2, 2), padding="valid"), ReLU(), Flatten(), Dense(1), Sigmoid())),
        "sum_of_squared_errors",
    ),
    (BRANCHES, "cross_entropy"),
    (SAMPLES["more-layers"].recipe.architecture, "cross_entropy"),
    (SAMPLES["more-branches-adam"].recipe.architecture, "cross_entropy"),
    (SAMPLES["normalized"].recipe.architecture, "cross_entropy"),
    (SAMPLES["dropped"].recipe.architecture, "cross_entropy"),
    (SAMPLES["sequences"].recipe.architecture, "cross_entropy"),
    (SAMPLES["state-in-branches"].recipe.architecture, "cross_entropy"),
]


@pytest.mark.parametrize("initializer", ["pytorch", "normal"])
@pytest.mark.parametrize(("architecture", "loss"), STACKS)
def test_reference_gradients_by_finite_differences(
    architecture: Architecture, loss: Loss, initializer: Initializer
) -> None:
    """The reference's own gradients, in float64, for every layer and loss."""
    sample = sample_of(architecture, loss=loss)
    task: Task = task_of(sample.recipe)
    parameters = draw_parameters(architecture, initializer, 1)
    model = load_backend("numpy").build(task, parameters, dtype="float64")
    inputs, labels = sample.dataset.train_inputs, sample.dataset.train_labels
    _, gradients = model.loss_and_gradients(inputs, labels)
    base = model.parameters()
    random = np.random.RandomState(0)
    for key, gradient in gradients.items():
        for _ in range(5):
            index = tuple(random.randint(size) for size in gradient.shape)
            losses = []
            for sign in (1, -1):
                moved = {name: value.copy() for name, value in base.items()}
                moved[key][index] += sign * 1e-6
                model.load_parameters(moved)
                losses.append(model.loss_and_gradients(inputs, labels)[0])
            numeric = (losses[0] - losses[1]) / 2e-6
            assert gradient[index] == pytest.approx(numeric, rel=1e-5, abs=1e-8), (loss, key)


def test_the_finite_differences_reach_every_layer() -> None:
    assert {type(layer) for architecture, _ in STACKS for layer in architecture.layers} == set(LAYERS)


def test_transposed_convolution_by_hand() -> None:
    """The first pixel adds the kernel, the second adds it twice a stride further; the first column is cropped."""
    layer = ConvTranspose2D(1, (1, 4), (1, 2), "same")
    x, kernel = np.array([[1.0, 2.0]]).reshape(1, 1, 2, 1), np.array([3.0, 5.0, 7.0, 11.0]).reshape(1, 4, 1, 1)
    y, _ = LAYERS[ConvTranspose2D][0](layer, x, {"kernel": kernel, "bias": np.array([0.5])})
    assert y.ravel().tolist() == [5.5, 7 + 2 * 3 + 0.5, 11 + 2 * 5 + 0.5, 2 * 7 + 0.5]


def test_what_a_pool_counts_by_hand() -> None:
    x = np.array([[6.0, 12.0, 18.0]]).reshape(1, 1, 3, 1)
    for counted, expected in ((False, [6.0, 15.0]), (True, [3.0, 15.0])):
        layer = AveragePool2D((1, 2), (1, 2), ((0, 0), (1, 0)), counted)
        assert LAYERS[AveragePool2D][0](layer, x, {})[0].ravel().tolist() == expected
    layer = MaxPool2D((1, 2), (1, 2), ((0, 0), (1, 0)))
    assert LAYERS[MaxPool2D][0](layer, -x, {})[0].ravel().tolist() == [-6.0, -12.0]


def test_gelu_and_layer_normalization_by_hand() -> None:
    x = np.array([[-1.0, 0.0, 2.0]])
    exact, _ = LAYERS[GELU][0](GELU(), x, {})
    assert exact.ravel().tolist() == pytest.approx([-0.15865525393, 0, 1.95449973610])
    near, _ = LAYERS[GELU][0](GELU(approximate=True), x, {})
    assert near.ravel().tolist() == pytest.approx([-0.15880800939, 0, 1.95459769409])
    p = {"scale": np.array([1.0, 2.0, 3.0]), "bias": np.array([0.0, 0.0, 10.0])}
    y, _ = LAYERS[LayerNorm][0](LayerNorm(0.5), np.array([[1.0, 2.0, 6.0]]), p)
    deviation = np.sqrt(14 / 3 + 0.5)
    assert y.ravel().tolist() == pytest.approx([-2 / deviation, -2 / deviation, 9 / deviation + 10])


def test_the_size_of_a_gradient_behind_a_layer_normalization_is_that_of_its_terms() -> None:
    """A constant added to all channels changes nothing: the gradient is 0, and the terms of it are not."""
    layer, random = LayerNorm(), np.random.RandomState(0)
    p = {"scale": random.standard_normal(6), "bias": np.zeros(6)}
    x, dy = random.standard_normal((4, 6)), random.standard_normal((4, 6))
    _, kept = LAYERS[LayerNorm][0](layer, x, p)
    dx, of_parameters = LAYERS[LayerNorm][1](layer, kept, dy)
    np.testing.assert_allclose(dx.sum(axis=1), 0, atol=1e-12)
    squares, of_squares = _layer_norm_squares(layer, kept, dy * dy)
    normalized, scale, deviation = kept
    g = dy * scale
    terms = [g / deviation, *(-part / 6 / deviation for part in g.T[..., None])]
    terms += [-normalized * part / 6 / deviation for part in (g * normalized).T[..., None]]
    np.testing.assert_allclose(sum(terms), dx)
    np.testing.assert_allclose(squares, sum(term * term for term in terms))
    np.testing.assert_allclose(of_squares["scale"], ((dy * normalized) ** 2).sum(axis=0))
    assert (of_squares["bias"] >= of_parameters["bias"] ** 2 / 4).all()


def test_sizes_of_gradients_by_hand() -> None:
    """One dense layer with a sum of squares: the terms are one an example, their squares add up."""
    sample = make_sample((2,), (Dense(1),), loss="sum_of_squared_errors", count=6)
    inputs, labels = sample.dataset.train_inputs.astype(np.float64), sample.dataset.train_labels
    task = task_of(sample.recipe)
    model = NoisyModel(sample.recipe, task.parameters(0), "cpu", "float64")
    kernel, bias = model.parameters().values()
    terms = 2 * (inputs @ kernel + bias - labels[:, None])
    sizes = model.gradient_sizes(sample.dataset.train_inputs, labels)
    np.testing.assert_allclose(sizes["0_dense/bias"], np.sqrt((terms**2).sum(axis=0)))
    np.testing.assert_allclose(sizes["0_dense/kernel"], np.sqrt(((inputs * terms) ** 2).sum(axis=0))[:, None])
