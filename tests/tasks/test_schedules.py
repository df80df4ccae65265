"""Schedules: their factors by hand, and the table of learning rates of a run."""

from dataclasses import replace

import numpy as np
import pytest

from tasks import load_task
from tasks.schedules import Constant, Cosine, Exponential, Schedule, StepDecay, Warmup
from tasks.task import Task
from tasks.training import SGD, Adam, RMSprop


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Constant(), [1, 1, 1, 1, 1, 1]),
        (StepDecay(0.5), [1, 1, 0.5, 0.5, 0.25, 0.25]),
        (StepDecay(0.5, epochs=2), [1, 1, 1, 1, 0.5, 0.5]),
        (Exponential(0.25), [1, 0.5, 0.25, 0.125, 0.0625, 0.03125]),
        (Cosine(), [1, (1 + 3**0.5 / 2) / 2, 0.75, 0.5, 0.25, (1 - 3**0.5 / 2) / 2]),
        (Cosine(0.5), [1, 0.5 + (1 + 3**0.5 / 2) / 4, 0.875, 0.75, 0.625, 0.5 + (1 - 3**0.5 / 2) / 4]),
        (Warmup(1.5), [1 / 3, 2 / 3, 1, 1, 1, 1]),
        (Warmup(1, Cosine()), [0.5, 1, 1, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2]),
        (Warmup(1, StepDecay(0.5)), [0.5, 1, 1, 1, 0.5, 0.5]),
        (Warmup(0, Exponential(0.25)), [1, 0.5, 0.25, 0.125, 0.0625, 0.03125]),
    ],
    ids=str,
)
def test_factors_of_three_epochs_of_two_steps(schedule: Schedule, expected: list[float]) -> None:
    np.testing.assert_allclose(schedule.factors(6, 2), expected, rtol=1e-12)


def scheduled(schedule: Schedule) -> Task:
    task = load_task("iris-mlp")
    return replace(task, recipes={"standard": replace(task.recipe, schedule=schedule)})


def test_learning_rates_of_a_run() -> None:
    task = scheduled(StepDecay(0.1))
    recipe = task.with_workload(90, epochs=2, examples=25, batch_size=10).recipe
    assert (recipe.epochs, recipe.batch_size, recipe.steps_an_epoch) == (2, 10, 3)
    assert recipe.learning_rates is not None
    assert recipe.learning_rates.dtype == np.float32
    np.testing.assert_allclose(recipe.learning_rates, [0.01] * 3 + [0.001] * 3, rtol=1e-6)
    faster = task.with_learning_rate(1.0).with_workload(90, epochs=2, examples=25, batch_size=10).recipe
    np.testing.assert_allclose(faster.learning_rates, [1.0] * 3 + [0.1] * 3, rtol=1e-6)
    assert task.with_workload(90).recipe.steps_an_epoch == 9
    assert task.with_workload(5).recipe.steps_an_epoch == 1
    assert scheduled(Constant()).recipe.learning_rates is None


def test_the_steps_of_a_run_are_those_of_its_batches() -> None:
    for workload in ({"examples": 33, "batch_size": 7}, {"epochs": 3}, {"batch_size": 500}, {"examples": 90}):
        task = load_task("iris-mlp").with_workload(90, **workload)
        batches = load_task("iris-mlp").batches(90, 0, **workload)
        assert (task.recipe.epochs, task.recipe.steps_an_epoch) == (batches.epochs, batches.steps)


def test_a_schedule_needs_the_length_of_the_run() -> None:
    with pytest.raises(ValueError, match="a schedule needs the length of the run"):
        scheduled(Cosine()).recipe.learning_rates  # noqa: B018 - raises


def test_steps_are_in_the_state_where_they_count() -> None:
    recipe = load_task("iris-mlp").recipe
    assert list(replace(recipe, optimizer=SGD(0.1)).make_state([], 7)) == []
    assert recipe.make_state([{"k": np.ones(1)}], 7).keys() == {"velocity/k"}
    assert replace(recipe, optimizer=SGD(0.1), schedule=Cosine()).make_state([], 7) == {"steps": 7}
    assert "steps" in replace(recipe, optimizer=Adam()).make_state([{}, {}], 7)
    assert "steps" not in replace(recipe, optimizer=RMSprop()).make_state([{}], 7)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="SGD: nesterov needs a momentum above 0"):
        SGD(0.1, nesterov=True)
    with pytest.raises(ValueError, match="label_smoothing is for the cross-entropy, not for mean squared error"):
        replace(load_task("iris-mlp").recipe, loss="mean_squared_error", label_smoothing=0.1)
