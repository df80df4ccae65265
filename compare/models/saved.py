"""Files of parameters: whose they are, checked before a framework is loaded."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import tasks
from backends.files import MisfitError, ModelFileError, note_on_types, read_header, read_parameters, size_of
from tasks.architecture import Architecture
from tasks.errors import SideBySideError
from tasks.registry import task_name
from tasks.task import Task
from tasks.variation import split

CANONICAL = "safetensors"
TIMEOUT_SECONDS = 600.0
"""The longest that one framework may work on one file."""
_Checked = TypeVar("_Checked")
_OF_STATE_DICT = re.compile(r"[\w.]+\.((weight|bias)(_[ih]h_l0)?|running_mean|running_var|num_batches_tracked)")


@dataclass(frozen=True)
class SavedModel:
    """A file of parameters that has passed the checks.

    Attributes:
        path: the file.
        task: whose network it fits, with the recipe.
        metadata: what the file says of itself: ``task``, ``recipe``, ``backend``, ``seed``, ``data`` (the hash of the
            training data), as far as it does.
        note: what the user should know of the file; mostly empty.
    """

    path: Path
    task: Task
    metadata: Mapping[str, str]
    note: str = ""

    def __str__(self) -> str:
        trained = f", trained with {self.metadata['backend']}" if "backend" in self.metadata else ""
        seed = f", seed {self.metadata['seed']}" if "seed" in self.metadata else ""
        return f"{self.task.name}, recipe {self.task.recipe_name}{trained}{seed}"


def open_model(path: Path, task: str | None = None, recipe: str | None = None) -> SavedModel:
    """Checks a file of parameters and finds out which task's they are.

    Args:
        path: what ``run --save-models`` wrote, or ``convert --to safetensors``.
        task: whose network it is; None for what the file says or, where it says nothing, the one it fits.
        recipe: of the task; None for what the file says, else ``standard``.

    Raises:
        ModelFileError: there is no such file, it is damaged, or it fits no task.
        UnknownNameError: there is no such task or recipe.
    """
    if (form := form_of(path)) != CANONICAL:
        raise ModelFileError(
            f"{path}: {form}'s own form; convert it first: sidebyside convert FILE --to safetensors OUT"
        )
    header = read_header(path)
    metadata = header.metadata
    named = metadata.get("task")
    if task is None and named is not None:
        task = _known(path, named)
        if recipe is None and metadata.get("recipe") in tasks.available_recipes(task):
            recipe = metadata["recipe"]
    fitting, _ = fitting_task(path, task, recipe, lambda architecture: read_parameters(path, architecture))
    return SavedModel(path, fitting, metadata, note_on_types(path, header.tensors))


def _known(path: Path, named: str) -> str:
    """The task that a file names. Raises ModelFileError where the user has to name the task's file."""
    if named in tasks.available_tasks():
        return named
    plain, changes = split(named)
    if plain in tasks.available_tasks() and changes:
        try:
            return task_name(named)
        except SideBySideError as error:
            raise ModelFileError(f"{path}: it is of the task {named!r}: {error}; name it with --task") from error
    word = shlex.quote(" ".join([f"{plain}.toml", *changes])) if changes else ""
    advice = f"name its file with --task{f', as --task {word}' if word else ''}"
    raise ModelFileError(f"{path}: it is of the task {named!r}, which is not built in; {advice}")


def form_of(path: Path) -> str:
    """Whose file it is, from its first bytes: ``safetensors`` for the canonical form, else the framework's name."""
    size_of(path)
    with path.open("rb") as file:
        head = file.read(9)
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "keras"
    if head[1:8] == b"\xa6layers":  # a map of msgpack's whose first key is this
        return "jax"
    names = read_header(path).tensors
    return "pytorch" if names and all(_OF_STATE_DICT.fullmatch(name) for name in names) else CANONICAL


def fitting_task(
    path: Path, task: str | None, recipe: str | None, check: Callable[[Architecture], _Checked]
) -> tuple[Task, _Checked]:
    """The task that was named, or else the one whose architecture the file fits; and what the check returned for it.

    Args:
        path: the file, for messages.
        task: as named by the user; None for any.
        recipe: as named by the user; None for any.
        check: raises MisfitError where the file does not fit an architecture.
    """
    if task is not None:
        found = tasks.load_task(task_name(task), recipe or "standard")
        return found, check(found.architecture)
    for name in tasks.available_tasks():
        if recipe is not None and recipe not in tasks.available_recipes(name):
            continue
        found = tasks.load_task(name, recipe or "standard")
        try:
            return found, check(found.architecture)
        except MisfitError:
            continue
    raise ModelFileError(f"{path}: fits no task's network; name a task with --task to see where it differs")
