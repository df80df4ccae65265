"""The tasks' recipes: as their sources have them, found by name, and an unknown name gets a suggestion."""

from dataclasses import replace

import numpy as np
import pytest

import tasks
from tasks.errors import UnknownNameError
from tasks.initial import Initializer
from tasks.layers import Softmax
from tasks.training import SGD, Adadelta, Adam, Loss, Optimizer
from tests.tasks.common import TASKS


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
        ("mnist-pytorch-example", "cross_entropy", Adadelta(1.0, 0.9, 1e-6), 64, 14, True, "pytorch"),
        ("mnist-keras-example", "cross_entropy", Adam(0.001, 0.9, 0.999, 1e-7), 128, 15, True, "keras"),
        ("mnist-flax-example", "cross_entropy", SGD(0.1, momentum=0.9), 1024, 10, True, "flax"),
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


def test_pytorchs_example_as_published_shuffles_nothing() -> None:
    task = tasks.load_task("mnist-pytorch-example", "as-published")
    batches = task.batches(600, seed=3, epochs=2)
    assert np.array_equal(batches.indices[0].ravel(), np.arange(576))
    assert np.array_equal(batches.indices[0], batches.indices[1])
    assert replace(task.recipe, shuffle=True, flaw="") == tasks.load_task("mnist-pytorch-example").recipe


def test_kerass_example_as_published_holds_out_the_last_tenth() -> None:
    task = tasks.load_task("mnist-keras-example", "as-published")
    whole, taken = task.source.load(None), task.dataset()
    assert len(taken.train_labels) == 54_000
    assert np.array_equal(taken.train_labels, whole.train_labels[:54_000])
    assert taken.raw_images is not None
    assert len(taken.raw_images.images) == 54_000
    assert len(taken.test_labels) == len(whole.test_labels) == 10_000
    assert task.with_workload(len(taken.train_labels)).recipe.steps_an_epoch == 422


def test_flaxs_example_as_published_leaves_out_what_fills_no_batch() -> None:
    task = tasks.load_task("mnist-flax-example", "as-published")
    taken = task.dataset()
    assert len(taken.train_labels) == 60_000
    assert len(taken.test_labels) == len(taken.test_inputs) == 9_984
    assert taken.test_images is not None
    assert len(taken.test_images) == 9_984
    batches = task.batches(60_000, seed=0, epochs=2)
    assert (batches.full_steps, batches.rest, batches.steps) == (58, 0, 58)
    assert task.with_workload(60_000).recipe.steps_an_epoch == 58
    first = batches.indices[0].ravel()
    assert len(set(first)) == 58 * 1024
    assert (first <= np.arange(len(first)) + 1023).all()  # what comes next has been in the buffer
    assert not np.array_equal(first, batches.indices[1].ravel())


def test_the_standard_recipes_take_all_examples() -> None:
    for name in ("mnist-pytorch-example", "mnist-keras-example", "mnist-flax-example", "mnist-resnet"):
        task = tasks.load_task(name)
        assert task.recipe.held_out == 0
        assert not task.recipe.drop_remainder
        assert task.recipe.test_batch_size is task.recipe.shuffle_buffer is None
