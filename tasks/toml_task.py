"""Reads a task from its file in TOML."""

import json
import re
import tomllib
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from tasks import form
from tasks.architecture import INPUT, Architecture, Node, NodeError
from tasks.errors import FieldError, SideBySideError, choice
from tasks.file_source import FOUND, FileSource
from tasks.files import read_regular
from tasks.form import LayerPart, RecipeForm, TaskForm, field_names
from tasks.form_errors import describe
from tasks.layers import Shape
from tasks.schedules import CONSTANT
from tasks.source import Source
from tasks.task import Preset, Recipe, Task
from tasks.training import OF_CLASSES, SQUARES

LARGEST = 1_000_000
"""Bytes of a task's file."""
LARGEST_NETWORK = 1_000_000_000
"""Parameters of a network, and numbers that its layers give for one example."""
OWN_KEYS = ("summary", "target_accuracy", "data", "quick", "recipes")
"""The keys of a task's file that all its recipes share."""
_KEYS = {
    **{
        name: tuple(field.alias or key for key, field in part.model_fields.items())
        for parts in (form.LAYER_PARTS, form.OPTIMIZER_PARTS, form.SCHEDULE_PARTS, form.SOURCE_PARTS)
        for name, part in parts.items()
    },
    "quick": tuple(form.PresetForm.model_fields),
    "": tuple(TaskForm.model_fields),
}
_TYPES = {
    "layers": tuple(form.LAYER_PARTS),
    "optimizer": tuple(form.OPTIMIZER_PARTS),
    "schedule": tuple(form.SCHEDULE_PARTS),
    "then": tuple(form.SIMPLE_SCHEDULE_PARTS),
    "data": tuple(form.SOURCE_PARTS),
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
Document: TypeAlias = dict[str, Any]
"""What a file in TOML holds: tables, lists, texts, numbers."""


class TaskFileError(SideBySideError):
    """A task's file that cannot be read; the message names the place and what would be right there."""


def read_task(path: Path) -> tuple[Task, Document]:
    """The task in a file, whose name is the file's without ``.toml``, and what stands in the file.

    Raises:
        TaskFileError: the file cannot be read, or is not the description of a task.
    """
    return made_task(read_document(path), path)


def made_task(document: Document, path: Path) -> tuple[Task, Document]:
    """The task that stands in a file, and what stands there with what finding its data fills in.

    Args:
        document: what stands in the file.
        path: of the file.

    Raises:
        TaskFileError: the document is not the description of a task.
    """
    check_name(path.stem, str(path))
    try:
        document = with_data(document, path.parent)
        return task_from(document, path.stem), document
    except TaskFileError as error:
        raise TaskFileError(f"{path}: {error}") from error


def check_name(name: str, place: str) -> None:
    """Raises TaskFileError, which names the place, unless a task may have this name: files are named after it."""
    if not _NAME.fullmatch(name):
        raise TaskFileError(f"{place}: the name of a task may have 60 letters, digits, - and _, no others: rename it")


def read_document(path: Path) -> Document:
    """What stands in a file.

    Raises:
        TaskFileError: the file cannot be read, or is not TOML.
    """
    content = read_regular(path, LARGEST, TaskFileError, "name the file of a task or a plan")
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise TaskFileError(f"{path}: not a file in TOML ({error})") from error


def is_task(document: Document) -> bool:
    """Whether a document is meant as a task's, right or wrong; in another, a plan's say, there is no network."""
    return any(key in document for key in ("layers", "optimizer", "recipes")) or isinstance(document.get("data"), dict)


def with_data(document: Document, folder: Path) -> Document:
    """The same document; if its data are in files of the user's, with what finding them fills in.

    Args:
        document: see :class:`tasks.form.TaskForm`.
        folder: from which the names of files lead.

    Raises:
        TaskFileError: the document is not the description of a task.
        DataError: the data cannot be read, or are not what the document says.
    """
    if not isinstance(document.get("data"), dict) or document["data"].get("source") not in form.FILE_SOURCES:
        return document
    form_of_data = _checked(TaskForm, document)
    assert isinstance(form_of_data, TaskForm)
    source: FileSource = form_of_data.data.make()
    if source.is_found:
        return document
    source = source.found(folder)
    found = {name: getattr(source, name) for name in (source.key, *FOUND)}
    lists = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
    return {**document, "data": {**document["data"], **lists}}


def task_from(document: Document, name: str) -> Task:
    """The task that a document describes.

    Args:
        document: what stands in a file; see :class:`tasks.form.TaskForm`. Data in files have been found
            (:func:`with_data`).
        name: of the task.

    Raises:
        TaskFileError: the first thing that is wrong.
    """
    found = _checked(TaskForm, document)
    assert isinstance(found, TaskForm)
    source: Source = found.data.make()
    if isinstance(source, FileSource) and not source.shape:
        raise TaskFileError("data.shape: is missing: it says what the data are, where they themselves are not read")
    standard = {key: value for key, value in document.items() if key not in OWN_KEYS}
    recipes = {"standard": _recipe(found, source, "")}
    for other, changes in found.recipes.items():
        place = f"recipes.{other}."
        for key in changes:
            if key not in RecipeForm.model_fields:
                raise TaskFileError(
                    f"recipes.{other}: has no key {key!r}: {choice(key, tuple(RecipeForm.model_fields))}"
                )
        recipes[other] = recipe_from(standard | changes, source, place)
    quick = Preset(**found.quick.model_dump()) if found.quick else Preset(found.epochs)
    return Task(name, found.summary, recipes, found.target_accuracy, source, quick)


def _checked(kind: type[RecipeForm], document: Document, place: str = "") -> RecipeForm:
    try:
        return kind.model_validate_json(json.dumps(document, default=str))
    except ValidationError as error:
        raise TaskFileError(describe(error, document, _KEYS, _TYPES, place)) from error


def recipe_from(document: Document, source: Source, place: str = "") -> Recipe:
    """The recipe that a document describes.

    Args:
        document: the keys of a file that belong to a recipe; see :class:`tasks.form.RecipeForm`.
        source: the data, which the network is to fit.
        place: where the document stands in a larger one: ``"recipes.as-written."``.

    Raises:
        TaskFileError: the first thing that is wrong.
    """
    return _recipe(_checked(RecipeForm, document, place.removesuffix(".")), source, place)


def _recipe(found: RecipeForm, source: Source, place: str) -> Recipe:
    """The recipe of a form that is right in itself, if it fits together and fits the data."""
    plain = {name: getattr(found, name) for name in field_names(Recipe) if name in RecipeForm.model_fields}
    made = {
        "architecture": _architecture(found.layers, source.input_shape, place),
        "initializer": found.initial_weights,
        "optimizer": found.optimizer.make(),
        "schedule": found.schedule.make() if found.schedule else CONSTANT,
    }
    try:
        recipe = Recipe(**plain | made)
    except FieldError as error:
        raise TaskFileError(f"{place}{error.field}: {error.rule}") from error
    shape, classes = recipe.architecture.output_shape, len(source.classes)
    outputs = classes if recipe.loss in OF_CLASSES else 1
    if source.predicts_numbers and recipe.loss not in SQUARES:
        rule = f"{recipe.loss} is for classes, and these data are numbers to be predicted: {' or '.join(SQUARES)}"
        raise TaskFileError(f"{place}loss: {rule}")
    if outputs == 1 and classes > 2:
        raise TaskFileError(f"{place}loss: {recipe.loss} is for two classes, and the data have {classes}")
    if shape != (outputs,):
        last, wanted = f"{place}layers[{len(found.layers) - 1}]", "output" if outputs == 1 else "outputs, one a class"
        raise TaskFileError(f"{last}: gives the shape {list(shape)}, but {recipe.loss} needs {outputs} {wanted}")
    return recipe


def _architecture(parts: Sequence[LayerPart], input_shape: Shape, place: str) -> Architecture:
    nodes: list[Node] = []
    for index, part in enumerate(parts):
        layer = part.make()
        before = (nodes[-1].name if nodes else INPUT) if part.inputs is None else part.inputs
        inputs = (before,) if isinstance(before, str) else before
        nodes.append(Node(part.name or f"{index}_{layer.kind}", layer, inputs))
    try:
        architecture = Architecture(input_shape, tuple(nodes))
    except NodeError as error:
        key = {"inputs": ".from", "name": ".name"}.get(error.field, "")
        raise TaskFileError(f"{place}layers[{error.index}]{key}: {error}") from error
    for count, what in (
        (architecture.parameter_count, "parameters"),
        (sum(map(prod, architecture.shapes.values())), "numbers that its layers give for an example"),
    ):
        if count > LARGEST_NETWORK:
            raise TaskFileError(f"{place}layers: a network of {count:,} {what}; at most {LARGEST_NETWORK:,} are taken")
    return architecture
