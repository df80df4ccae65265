"""What is learned: data sets, architectures, recipes. Plain data and NumPy; knows no framework."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks import and_gate, iris, mnist
from tasks.errors import UnknownNameError
from tasks.task import Dataset, Recipe, Task


class _Entry(NamedTuple):
    summary: str
    target_accuracy: float
    recipes: Mapping[str, Recipe]
    load: Callable[[Path | None], Dataset]
    classes: tuple[str, ...]
    prepare: Callable[[NDArray[np.uint8]], NDArray[np.float32]] | None = None


_TASKS = {
    "and-gate": _Entry("the AND gate, one sigmoid neuron", 1.0, and_gate.RECIPES, and_gate.load, and_gate.CLASSES),
    "iris-mlp": _Entry("iris, two hidden layers of 10", 0.95, iris.RECIPES, iris.load, iris.CLASSES),
    "mnist-mlp": _Entry(
        "MNIST, two hidden layers of 512, SGD",
        0.95,
        mnist.MLP_RECIPES,
        mnist.standardized(*mnist.MLP_SCALE),
        mnist.CLASSES,
        partial(mnist.standardize, *mnist.MLP_SCALE),
    ),
    "mnist-dense": _Entry(
        "MNIST, two hidden layers of 128, Adam",
        0.95,
        mnist.DENSE_RECIPES,
        mnist.load_unit_columns,
        mnist.CLASSES,
        mnist.unit_columns,
    ),
    "mnist-cnn": _Entry(
        "MNIST, one convolution of 32 filters, SGD",
        0.97,
        mnist.CNN_RECIPES,
        mnist.standardized(*mnist.CNN_SCALE),
        mnist.CLASSES,
        partial(mnist.standardize, *mnist.CNN_SCALE),
    ),
}


def available_tasks() -> tuple[str, ...]:
    """The names of the tasks, simplest first."""
    return tuple(_TASKS)


def available_recipes(name: str) -> tuple[str, ...]:
    """The names of a task's recipes: ``standard`` and, for some, ``as-written``."""
    return tuple(_entry(name).recipes)


def load_task(name: str, recipe: str = "standard") -> Task:
    """The task of this name, with one of its recipes. Loads no data yet.

    Raises:
        UnknownNameError: there is no such task, or it has no such recipe.
    """
    entry = _entry(name)
    if recipe not in entry.recipes:
        raise UnknownNameError(f"recipe of {name}", recipe, tuple(entry.recipes))
    return Task(
        name,
        entry.summary,
        recipe,
        entry.recipes[recipe],
        entry.target_accuracy,
        entry.load,
        entry.classes,
        entry.prepare,
    )


def _entry(name: str) -> _Entry:
    if name not in _TASKS:
        raise UnknownNameError("task", name, available_tasks())
    return _TASKS[name]
