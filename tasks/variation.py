"""Variations of a task: ``mnist-mlp layers.1.units=128`` is ``mnist-mlp`` with one value of its file changed."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from tasks.task import Task
from tasks.toml_task import Document, TaskFileError, task_from, with_data

MOST_VARIATIONS = 1_000
_NO_SPACE = re.compile(r"[!-~]+")
_CHANGE = re.compile(r"[A-Za-z0-9_.]+=[!-~]+")
_PLACES = ("data.file", "data.folder")
QUICK = {"batch_size": "batch_size", "epochs": "epochs", "optimizer.learning_rate": "learning_rate"}
"""What the preset ``quick`` may have a value of its own for: a change is for it too."""


def split(name: str) -> tuple[str, list[str]]:
    """The name of a task, or its file, and the changes that follow it, parted by spaces."""
    folder, ending, rest = name.partition(".toml ")
    task, *changes = rest.split(" ") if ending else name.split(" ")
    return (f"{folder}.toml", [task, *changes]) if ending else (task, changes)


def sweep(task: str, values: Mapping[str, Iterable[object]]) -> list[str]:
    """The names of the variations of a task with each combination of values; the last key's value changes first.

    Args:
        task: the name of a task, or its file.
        values: for each key, as ``layers.1.units``, the values that it takes.

    Raises:
        TaskFileError: a key has no values, or there are too many combinations.
    """
    swept = {key: _listed(key, given) for key, given in values.items()}
    if (count := prod(map(len, swept.values()))) > MOST_VARIATIONS:
        raise TaskFileError(f"a sweep of {count:,} variations of {task}; at most {MOST_VARIATIONS:,} are run")
    combinations = product(*([f"{key}={_text(value)}" for value in given] for key, given in swept.items()))
    return list(dict.fromkeys(" ".join([task, *changes]) for changes in combinations))


def read_sweep(words: Sequence[str]) -> dict[str, list[str]]:
    """The values for each key of words like ``batch_size=32,64,128``; no comma in brackets or in quotes parts them.

    Raises:
        TaskFileError: a word is of another form, or a key is named twice.
    """
    values: dict[str, list[str]] = {}
    for word in words:
        key, _, text = word.partition("=")
        given = _parted(text)
        if not key or not all(given):
            raise TaskFileError(f"{word!r} is no sweep: write KEY=VALUE,VALUE without spaces, as batch_size=32,64,128")
        if key in values:
            raise TaskFileError(f"{key} is swept twice: name all its values at once, as {key}={text},...")
        values[key] = given
    return values


def _parted(text: str) -> list[str]:
    """The values in a text, parted by the commas that stand in no brackets, braces or quotes."""
    values, depth, quote = [""], 0, ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        else:
            depth += (sign in "[{") - (sign in "]}")
        if sign == "," and depth <= 0 and not quote:
            values.append("")
        else:
            values[-1] += sign
    return values


def _listed(key: str, given: object) -> list[object]:
    """The values of a key. Raises TaskFileError where they are none, or are not in a list."""
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping) and (values := list(given)):
        return values
    raise TaskFileError(f"{key}: name the values that are swept, as {key}=32,64,128; in Python in a list")


def _text(value: object) -> str:
    """A value as it is written in a change, which has no spaces: a plain text without quotes."""
    if not isinstance(value, str):
        return _toml(value)
    return value if _NO_SPACE.fullmatch(value) else _toml(_value(value))


def _toml(value: object) -> str:
    """A value as it is written in TOML, without spaces and with ASCII alone."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str):
        quoted = "".join(
            sign if sign not in '"\\' and _NO_SPACE.match(sign) else f"\\U{ord(sign):08X}" for sign in value
        )
        return f'"{quoted}"'
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}={_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple | np.ndarray):
        return "[" + ",".join(map(_toml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value).replace(" ", "")


def vary(document: Document, changes: Sequence[str], name: str, folder: Path) -> tuple[Task, Document]:
    """A task with changes, and its document; other recipes than the standard one are left out.

    Args:
        document: see :func:`tasks.toml_task.task_from`; its data as they were given, where they are changed.
        changes: each a key and a value as in TOML, ``layers.1.units=128``. The key is the way to the value: keys of
            tables, and layers by their index, from 0, or by their name.
        name: of the variation.
        folder: from which the names of files lead.

    Raises:
        TaskFileError: a change is none, leads nowhere, or makes the task wrong.
        DataError: the data that a change names cannot be read.
    """
    varied = deepcopy({key: value for key, value in document.items() if key != "recipes"})
    for change in changes:
        if not _CHANGE.fullmatch(change):
            raise TaskFileError(f"{change!r} is no change: write KEY=VALUE without spaces, as layers.1.units=128")
        key, _, text = change.partition("=")
        value = _value(text)
        if _names_folder(key, value):
            rule = "results keep this name, and so a folder of yours: write it into the task's file"
            raise TaskFileError(f"{change!r}: {rule}")
        if key in _PLACES:
            varied["data"].pop("sha256", None)  # of the data that were named before
        _put(varied, key.split("."), value, change)
        if key in QUICK and QUICK[key] in varied.get("quick", {}):
            varied["quick"][QUICK[key]] = value
    try:
        varied = with_data(varied, folder)
        return task_from(varied, name), varied
    except TaskFileError as error:
        raise TaskFileError(f"{' '.join(changes)}: {error}") from error


def _names_folder(key: str, value: Any) -> bool:
    """Whether a change names data in a folder that is not the task's own."""
    table = value if isinstance(value, dict) else {}
    names = [value] if key in _PLACES else [table.get(name) for name in ("file", "folder")] if key == "data" else []
    return any(Path(str(name)).is_absolute() or ".." in Path(str(name)).parts for name in names)


def without_spaces(change: str) -> str:
    """The change without spaces, as in the name of a variation; spaces inside texts are escaped.

    ``a = [1, 2]`` becomes ``a=[1,2]``. A word that is no change, or whose value is not written as in TOML, stays.
    """
    key, equals, text = change.partition("=")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return change
    return f"{key.strip()}={_toml(value)}" if equals and not _NO_SPACE.fullmatch(change) else change


def _value(text: str) -> Any:
    """A value as TOML has it; a text needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _put(document: Document, way: Sequence[str], value: Any, change: str) -> None:
    """Puts a value into its place; a table that is missing is made."""
    *tables, last = way
    inner: Any = document
    for at, step in enumerate(tables):
        if isinstance(inner, list):
            inner = _layer(inner, step, change)
        elif isinstance(inner, dict):
            inner = inner.setdefault(step, {})
        if not isinstance(inner, dict | list):
            raise TaskFileError(f"{change!r}: {'.'.join(way[: at + 1])} is a value, which has nothing in it")
    if isinstance(inner, list):
        raise TaskFileError(f"{change!r}: name a key of the layer, as {'.'.join(way)}.units")
    inner[last] = value


def _layer(layers: list[Any], step: str, change: str) -> Any:
    names = {layer.get("name"): at for at, layer in enumerate(layers) if isinstance(layer, dict)}
    index = names.get(step, int(step) if step.isdecimal() else len(layers))
    if index >= len(layers):
        known = "the only one is 0" if len(layers) == 1 else f"they are 0 to {len(layers) - 1}"
        raise TaskFileError(f"{change!r}: there is no layer {step}; {known}")
    return layers[index]
