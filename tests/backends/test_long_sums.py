"""Batch normalization over whole images, whose sums are long: the noise that the reference measures for it."""

import numpy as np
import pytest

from backends.numpy.noise import NoisyModel
from backends.numpy.stateful import batch_norm_forward
from tasks.layers import BatchNorm, Conv2D, Dense, Flatten
from tasks.task import Task
from tests.remote import task_of
from tests.samples import make_sample

LAYER = BatchNorm()
PARAMETERS = {"scale": np.ones(6, np.float32), "bias": np.zeros(6, np.float32)}


@pytest.fixture(scope="module")
def task() -> Task:
    layers = (Conv2D(6, (3, 3)), LAYER, Flatten(), Dense(3))
    return task_of(make_sample((8, 8, 1), layers, loss="cross_entropy", count=20).recipe)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """(n, height, width, channels): most pixels of a channel are equal, as where an image is empty."""
    random = np.random.RandomState(0)
    empty = np.float32(0.3) * random.standard_normal(6).astype(np.float32)
    drawn = random.standard_normal((100, 28, 28, 6)).astype(np.float32)
    return np.where(random.random_sample((100, 28, 28, 1)) < 0.8, empty, drawn)


def outputs(task: Task, images: np.ndarray, rounding: float, seed: int) -> np.ndarray:
    """Of batch normalization in a copy of the reference."""
    model = NoisyModel(task.recipe, task.parameters(0), "cpu", "float32", rounding, seed)
    forward = next(step.forward for step in model.network.steps if isinstance(step.node.layer, BatchNorm))
    return np.asarray(forward(LAYER, images, PARAMETERS)[0])


def test_copies_are_as_far_off_as_sums_that_add_term_by_term(task: Task, images: np.ndarray) -> None:
    exact = batch_norm_forward(LAYER, images.astype(np.float64), PARAMETERS)[0]
    term_by_term = batch_norm_forward(LAYER, images, PARAMETERS)[0]
    usual = np.sqrt(np.mean((term_by_term - exact) ** 2))
    assert usual > 1e-6, "the sums lose no digits: this test would see nothing"
    for seed in range(4):
        up, down = (outputs(task, images, rounding, seed) - exact for rounding in (4e-7, -4e-7))
        for off in (up, down):
            assert usual / 4 < np.sqrt(np.mean(off**2)) < usual
        assert np.sqrt(np.mean((up + down) ** 2)) < usual / 4, "one copy goes one way, the other the other way"


def test_without_rounding_a_copy_computes_as_the_reference(task: Task, images: np.ndarray) -> None:
    assert np.array_equal(outputs(task, images, 0.0, 3), batch_norm_forward(LAYER, images, PARAMETERS)[0])


def test_seeds_move_other_channels(task: Task, images: np.ndarray) -> None:
    apart = [outputs(task, images, 4e-7, seed) - outputs(task, images, -4e-7, seed) for seed in range(8)]
    ways = {tuple(np.sign(of_seed)[0, 0, 0]) for of_seed in apart}
    assert len(ways) > 4
