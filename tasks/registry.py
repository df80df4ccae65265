"""The tasks by name."""

from functools import cache
from pathlib import Path

from tasks.errors import UnknownNameError
from tasks.task import Task
from tasks.toml_task import read_task

BUILT_IN = (
    "and-gate",
    "iris-mlp",
    "mnist-mlp",
    "mnist-dense",
    "mnist-cnn",
    "mnist-pytorch-example",
    "mnist-keras-example",
    "mnist-flax-example",
    "mnist-resnet",
)
"""The tasks whose files stand beside this one, simplest first."""
_TASKS: dict[str, Task] = {}
"""Tasks that are put in place of a file's, or beside them."""


def available_tasks() -> tuple[str, ...]:
    """The names of the tasks, simplest first."""
    return tuple(dict.fromkeys((*BUILT_IN, *_TASKS)))


def available_recipes(name: str) -> tuple[str, ...]:
    """The names of a task's recipes: ``standard`` and, for some, ``as-written``."""
    return tuple(load_task(name).recipes)


def load_task(name: str, recipe: str = "standard") -> Task:
    """The task of this name, with one of its recipes. Loads no data yet.

    Raises:
        UnknownNameError: there is no such task, or it has no such recipe.
    """
    if name not in available_tasks():
        raise UnknownNameError("task", name, available_tasks())
    return (_TASKS.get(name) or _read(name)).with_recipe(recipe)


@cache
def _read(name: str) -> Task:
    return read_task(Path(__file__).parent / f"{name}.toml")
