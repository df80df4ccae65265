"""The tasks by name: those that are built in, and a user's own."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tasks.errors import UnknownNameError, one_line
from tasks.plugins import TASKS, load_plugin, plugins, wrong_plugin
from tasks.task import Task
from tasks.toml_task import Document, TaskFileError, check_name, made_task, read_document, read_task, task_from
from tasks.toml_writing import document_of
from tasks.variation import split, vary

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
"""Tasks that are known besides those, or in their place."""
_DOCUMENTS: dict[str, Document] = {}
"""What a user's own tasks were made from: other processes make them from it again."""
_GIVEN: dict[str, tuple[Document, Path]] = {}
"""The data of tasks as they were given, without what finding them filled in, and the folder from which names lead."""


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
        PluginError: it is of another package, and cannot be loaded.
    """
    if name not in available_tasks():
        if name not in plugins(TASKS):
            raise UnknownNameError("task", name, (*available_tasks(), *plugins(TASKS)))
        _TASKS[name] = _of_other_package(name)
    return (_TASKS.get(name) or _read(name)).with_recipe(recipe)


def file_of(name: str) -> Path:
    """The file of a built-in task."""
    return Path(__file__).parent / f"{name}.toml"


def task_name(word: str) -> str:
    """The name of the task that a user gives, by its name or by its file; the task of a file becomes known.

    Changes may follow, parted by spaces: ``mnist-mlp layers.1.units=128``. The variation becomes known by this name.

    Raises:
        UnknownNameError: there is no such task.
        TaskFileError: the file is not the description of a task, or has the name of a built-in one; a change is wrong.
    """
    first, changes = split(word) if word not in _TASKS and not Path(word).is_file() else (word, [])
    name = _file_or_name(first)
    if not changes:
        return name
    document = _DOCUMENTS.get(name) or (
        read_document(file_of(name)) if name in BUILT_IN else document_of(load_task(name))
    )
    folder = Path()
    if any(re.match("data[.=]", change) for change in changes):
        if name in _GIVEN:
            data, folder = _GIVEN[name]
            document = {**document, "data": data}
        elif "sha256" in document["data"]:
            raise TaskFileError(f"{word}: to change the data of {name}, name its file, {name}.toml, in place of it")
    task, varied = vary(document, changes, " ".join([name, *changes]), folder)
    register_own(task, varied)
    return task.name


def given_word(name: str) -> str:
    """The word by which a user gives a task of this name: for an own one, the name that its file had."""
    first, changes = split(name)
    return " ".join([f"{first}.toml" if first in _DOCUMENTS else first, *changes])


def _file_or_name(word: str) -> str:
    if not word.lower().endswith(".toml"):
        load_task(word)
        return word
    task, document = _read_own(Path(word))
    if task.name in BUILT_IN:
        raise TaskFileError(f"{word}: there is a built-in task of this name: rename the file")
    register_own(task, document)
    return task.name


def _read_own(path: Path) -> tuple[Task, Document]:
    """As :func:`tasks.toml_task.read_task`; remembers where the data are that the file names."""
    given = read_document(path)
    task, document = made_task(given, path)
    remember_data(task.name, given["data"], path.parent)
    return task, document


def remember_data(name: str, data: Document, folder: Path) -> None:
    """Keeps the data of a task as they were given, for variations of them; names lead from the folder."""
    _GIVEN[name] = data, folder.absolute()


def register_own(task: Task, document: Document) -> None:
    """Makes a user's own task known, in place of an earlier one of its name.

    Args:
        task: what was made from the document, or the other way round.
        document: see :func:`tasks.toml_task.task_from`.

    Raises:
        TaskFileError: it has the name of a built-in task, or a name that cannot be a file's.
    """
    check_name(split(task.name)[0], task.name)
    if task.name in BUILT_IN:
        raise TaskFileError(f"{task.name}: there is a built-in task of this name: choose another")
    _TASKS[task.name], _DOCUMENTS[task.name] = task, document


def own_documents() -> Mapping[str, Document]:
    """What the user's own tasks that are known were made from, by name."""
    return _DOCUMENTS


def know(documents: Mapping[str, Document]) -> None:
    """Makes the tasks of documents known, unless there are tasks of these names.

    Raises:
        TaskFileError: a document is not the description of a task.
    """
    for name, document in documents.items():
        if name not in available_tasks():
            register_own(task_from(document, name), document)


def _of_other_package(name: str) -> Task:
    """The task that an entry point leads to: an object, a function that makes one, or a file."""
    loaded = load_plugin(TASKS, name)
    try:
        task = loaded() if callable(loaded) else loaded
        task = _read_own(Path(task))[0] if isinstance(task, str | Path) else task
    except (Exception, SystemExit) as error:  # a foreign function may raise anything
        raise wrong_plugin(TASKS, name, f"cannot be made ({one_line(error)})") from error
    if not isinstance(task, Task) or task.name != name:
        raise wrong_plugin(TASKS, name, f"leads to no Task of the name {name}")
    return task


@cache
def _read(name: str) -> Task:
    return read_task(file_of(name))[0]
