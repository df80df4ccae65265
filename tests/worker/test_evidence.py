"""The evidence of a certificate: over which batches it trains."""

import numpy as np
import pytest

import tasks
from compare.worker.evidence import certificate_batches, checkpoints
from tasks.layers import Dense
from tests.remote import task_of
from tests.samples import make_sample


@pytest.mark.parametrize(("count", "size"), [(90, 4), (90, 10), (4, 4), (7, 2)])
def test_batches_of_the_certificate(count: int, size: int) -> None:
    """1, 10 and 100 steps, a smaller batch among them, of the recipe's size where it has one."""
    task = task_of(make_sample((5,), (Dense(3),), count=count, batch_size=size).recipe)
    calls = certificate_batches(task, count, 0)
    assert np.cumsum([call.epochs * call.steps for call in calls]).tolist() == [1, 10, 100]
    assert {call.batch_size for call in calls} == {size}
    rest = count % size or size // 2
    assert [call.rest for call in calls] == [0, rest, rest]


def test_batches_of_the_certificate_have_the_size_that_the_cell_has() -> None:
    task = task_of(make_sample((5,), (Dense(3),), count=90, batch_size=4).recipe)
    assert {call.batch_size for call in certificate_batches(task, 90, 0, 9)} == {9}


@pytest.mark.parametrize(("name", "last"), [("mnist-cnn", 100), ("mnist-resnet", 19), ("mnist-flax-example", 19)])
def test_large_steps_are_fewer(name: str, last: int) -> None:
    task = tasks.load_task(name)
    assert checkpoints(task, task.recipe.batch_size) == (1, 10, last)
