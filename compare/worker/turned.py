"""A task with defaults of frameworks in its recipe."""

from collections.abc import Sequence
from dataclasses import replace

from backends.default import with_all
from backends.registry import defaults
from compare.records.request import Turned
from tasks.task import Task


def turned_on(task: Task, turned: Sequence[Turned]) -> Task:
    """The task with some defaults in its recipe."""
    chosen = [next(each for each in defaults(one.framework) if each.name == one.name) for one in turned]
    return replace(task, recipes={**task.recipes, task.recipe_name: with_all(task.recipe, chosen)})
