"""Of equal maxima in a window the first gets the gradient, in every framework and loop, in training too."""

import numpy as np
import pytest

from backends import load_backend
from backends.about import Mode
from tasks.dataset import Dataset
from tasks.initial import draw_parameters
from tasks.layers import Conv2D, Dense, Flatten, MaxPool2D
from tasks.training import SGD
from tests.remote import RemoteBackend, task_of
from tests.samples import make_sample


@pytest.mark.parametrize("mode", ["tuned", "stock"])
def test_equal_maxima_of_windows_that_overlap(remote: RemoteBackend, mode: Mode) -> None:
    """Patches 0 1 and 1 0 have the same mean, and the kernel's gradient tells which of them was chosen."""
    if remote.name == "numpy" and mode == "stock":
        pytest.skip("the reference has one loop")
    pool = MaxPool2D((3, 2), (2, 1), ((1, 1), (0, 1)))
    layers = (Conv2D(1, (1, 2), padding="valid"), pool, Flatten(), Dense(3))
    sample = make_sample((7, 6, 1), layers, count=16)
    inputs = (sample.dataset.train_inputs > 0).astype(np.float32)
    parameters = draw_parameters(sample.recipe.architecture, "pytorch", 3)
    parameters["0_conv2d/kernel"][:], parameters["0_conv2d/bias"][:] = 0.5, 0
    task = task_of(sample.recipe)
    batch = inputs, sample.dataset.train_labels
    _, expected = load_backend("numpy").build(task, parameters, dtype="float64").loss_and_gradients(*batch)
    remote.build(task, parameters, mode=mode)
    _, found = remote.loss_and_gradients(*batch)
    for key, gradient in expected.items():
        np.testing.assert_allclose(found[key], gradient, atol=1e-6)
    first, second = expected["0_conv2d/kernel"].ravel()
    assert abs(first - second) > 1e-3


@pytest.mark.parametrize("mode", ["tuned", "stock"])
@pytest.mark.parametrize(
    ("image", "first_patch"),
    [([[0, 1, 0], [0, 0, 0]], [0, 1]), ([[1, 0, 0], [0, 1, 0]], [1, 0])],
    ids=["beside", "below"],
)
def test_equal_maxima(remote: RemoteBackend, mode: Mode, image: list[list[int]], first_patch: list[int]) -> None:
    """Patches 0 1 and 1 0 have the same mean, and their window's gradient goes to the first of them, whole."""
    if remote.name == "numpy" and mode == "stock":
        pytest.skip("the reference has one loop")
    layers = (Conv2D(1, (1, 2), (1, 1), "valid"), MaxPool2D(), Flatten())
    sample = make_sample((2, 3, 1), layers, loss="sum_of_squared_errors", optimizer=SGD(0.1), count=1)
    inputs, labels = np.array(image, np.float32).reshape(1, 2, 3, 1), np.zeros(1, np.int32)
    before = draw_parameters(sample.recipe.architecture, "pytorch", 3)
    before["0_conv2d/kernel"][:], before["0_conv2d/bias"][:] = 0.5, 0
    remote.build(task_of(sample.recipe), before, mode=mode)
    remote.place(Dataset(inputs, labels, inputs, labels, ("0", "1")))
    remote.train(sample.batches[:1])  # one example in one step: output 1/2, target 0, gradient 1
    kernel, bias = (values.ravel() for values in remote.parameters().values())
    np.testing.assert_allclose(kernel, 0.5 - 0.1 * np.array(first_patch), rtol=1e-6)
    np.testing.assert_allclose(bias, [-0.1], rtol=1e-6)
