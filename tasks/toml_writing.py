"""Writes a task as a file in TOML: the other way round than ``toml_task``."""

from dataclasses import MISSING, fields
from typing import Any

import tomlkit

from tasks.architecture import INPUT
from tasks.form import SOURCE_PARTS, SOURCES, RecipeForm
from tasks.schedules import CONSTANT
from tasks.task import Recipe, Task
from tasks.toml_task import TaskFileError

_KINDS = ", ".join(SOURCE_PARTS)


def document_of(task: Task) -> dict[str, Any]:
    """What :func:`tasks.toml_task.task_from` makes the same task of.

    Raises:
        TaskFileError: its data are of a class that no task's file can name, or a recipe has none of what
            the standard one has.
    """
    if type(task.source) not in SOURCES:
        what = f"its data are of the class {type(task.source).__name__}, which no task's file can name"
        advice = "run it by its name, from the package that it is of, or give it data of one of"
        raise TaskFileError(f"{task.name}: {what}, so it cannot be changed or given as an object: {advice} {_KINDS}")
    standard = _recipe_document(task.recipes["standard"])
    others = {
        name: _changes(standard, _recipe_document(recipe), f"{task.name}: recipe {name}")
        for name, recipe in task.recipes.items()
        if name != "standard"
    }
    quick = {key: value for key, value in vars(task.quick).items() if value is not None}
    shared = {"data": {"source": task.source.kind, **_values(task.source)}, "quick": quick}
    head = {"summary": task.summary, "target_accuracy": task.target_accuracy}
    return head | standard | shared | ({"recipes": others} if others else {})


def _changes(standard: dict[str, Any], other: dict[str, Any], where: str) -> dict[str, Any]:
    """The keys in which a recipe differs from the standard one; where it has a default again, that is written."""
    defaults = {key: RecipeForm.model_fields[key].default for key in standard if key not in other}
    if "schedule" in defaults:
        defaults["schedule"] = _part(CONSTANT)
    if without := [key for key, value in defaults.items() if value is None]:
        names = ", ".join(without)
        what = f"{where} has no {names} although the standard recipe has one, and a task's file cannot say that"
        raise TaskFileError(f"{what}: make it a task of its own, or remove {names} from the standard recipe")
    return {key: value for key, value in other.items() if standard.get(key) != value} | defaults


def to_toml(task: Task) -> str:
    """A task's file: plain keys first, then the layers, one a line, then the tables."""
    document = document_of(task)
    for recipe in (document, *document.get("recipes", {}).values()):
        if "layers" in recipe:
            layers = tomlkit.array().multiline(True)
            for layer in recipe.pop("layers"):
                line = tomlkit.inline_table()
                line.update(layer)
                layers.append(line)
            recipe["layers"] = layers
    tables = {key: value for key, value in document.items() if isinstance(value, dict)}
    return tomlkit.dumps({key: value for key, value in document.items() if key not in tables} | tables)


def _recipe_document(recipe: Recipe) -> dict[str, Any]:
    plain = {
        name: value
        for name, value in _values(recipe).items()
        if name in RecipeForm.model_fields and name not in ("optimizer", "schedule")
    }
    plain["initial_weights"] = recipe.initializer
    plain["optimizer"] = _part(recipe.optimizer)
    if recipe.schedule != CONSTANT:
        plain["schedule"] = _part(recipe.schedule)
    layers, last = [], INPUT
    for index, node in enumerate(recipe.architecture.nodes):
        place: dict[str, Any] = {} if node.name == f"{index}_{node.layer.kind}" else {"name": node.name}
        if node.inputs != (last,):
            place["from"] = node.inputs[0] if len(node.inputs) == 1 else list(node.inputs)
        layers.append({"type": type(node.layer).__name__, **place, **_values(node.layer)})
        last = node.name
    return plain | {"layers": layers}


def _part(value: object) -> dict[str, Any]:
    return {"type": type(value).__name__, **_values(value)}


def _values(value: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not as they are by default, as TOML has them."""
    return {
        field.name: _plain(of_one)
        for field in fields(value)
        if (of_one := getattr(value, field.name)) is not None and (field.default is MISSING or of_one != field.default)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return _part(value) if hasattr(value, "factors") else value
