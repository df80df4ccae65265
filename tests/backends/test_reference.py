"""The reference's own gradients, against finite differences and by hand."""

import numpy as np
import pytest

from backends import load_backend
from backends.numpy.noise import NoisyModel
from tasks.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sigmoid, Softmax, Tanh
from tasks.task import Task
from tests.remote import task_of
from tests.samples import make_sample


def test_reference_gradients_by_finite_differences() -> None:
    """The reference's own gradients, in float64, for every layer and loss."""
    layers = (Conv2D(3, (3, 2), (2, 1)), Tanh(), MaxPool2D((2, 1)), Flatten(), Dense(4), Sigmoid(), Dense(3), Softmax())
    relu = (Conv2D(2, (2, 2), padding="valid"), ReLU(), Flatten(), Dense(1), Sigmoid())
    for stack, loss in (
        (layers, "cross_entropy"),
        (layers, "negative_log_likelihood"),
        (relu, "sum_of_squared_errors"),
    ):
        sample = make_sample((7, 5, 2), stack, loss=loss)  # type: ignore[arg-type]
        task: Task = task_of(sample.recipe)
        model = load_backend("numpy").build(task, task.parameters(1), dtype="float64")
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
