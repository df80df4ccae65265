"""The tasks by name."""

from tasks import and_gate, iris, mnist, mnist_examples
from tasks.errors import UnknownNameError
from tasks.task import Task

_TASKS = {
    task.name: task
    for task in (
        and_gate.AND_GATE,
        iris.IRIS_MLP,
        mnist.MNIST_MLP,
        mnist.MNIST_DENSE,
        mnist.MNIST_CNN,
        mnist_examples.MNIST_PYTORCH_EXAMPLE,
        mnist_examples.MNIST_KERAS_EXAMPLE,
        mnist_examples.MNIST_FLAX_EXAMPLE,
        mnist_examples.MNIST_RESNET,
    )
}


def available_tasks() -> tuple[str, ...]:
    """The names of the tasks, simplest first."""
    return tuple(_TASKS)


def available_recipes(name: str) -> tuple[str, ...]:
    """The names of a task's recipes: ``standard`` and, for some, ``as-written``."""
    return tuple(load_task(name).recipes)


def load_task(name: str, recipe: str = "standard") -> Task:
    """The task of this name, with one of its recipes. Loads no data yet.

    Raises:
        UnknownNameError: there is no such task, or it has no such recipe.
    """
    if name not in _TASKS:
        raise UnknownNameError("task", name, available_tasks())
    return _TASKS[name].with_recipe(recipe)
