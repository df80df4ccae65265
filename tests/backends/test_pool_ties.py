"""Windows that overlap or are padded: of equal maxima the first gets the gradient, in every framework and loop."""

import numpy as np
import pytest

from backends import load_backend
from backends.about import Mode
from tasks.initial import draw_parameters
from tasks.layers import Conv2D, Dense, Flatten, MaxPool2D
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
