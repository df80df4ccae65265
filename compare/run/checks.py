"""Checks of the options: each takes what a command line, a plan file or a Python call gives, or says what is right."""

import math
import operator
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cyclopts import Parameter
from pydantic import BeforeValidator, ValidationInfo

import backends as registry
from backends.about import MODES
from backends.devices import check_device
from backends.registry import about
from compare.trackers import check_target
from tasks import available_tasks, load_task
from tasks.arithmetic import ARITHMETICS
from tasks.errors import SideBySideError, UnknownNameError
from tasks.layers import Dropout
from tasks.registry import register_own, remember_data, task_name
from tasks.task import Task
from tasks.toml_task import task_from, with_data

DEFAULT_TASKS = ("iris-mlp", "mnist-mlp", "mnist-cnn")
MOST_CELLS = 100_000
"""The cells that a run may have: they take days at least, and the results of many more could not be read again."""


def check_names(value: Any, what: str) -> Any:
    """The names that were given, one or several, each once."""
    if value is None:
        return None
    value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Sequence) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise SideBySideError(f"{what} is {value!r}: give a name, or several in a list")
    for name in names:
        if what != "tasks" and name in available_tasks():
            raise SideBySideError(f"{name} is a task: write the tasks before --{what[:-1]}")
        if what != "tasks" and name.lower().endswith(".toml"):
            raise SideBySideError(f"{name} is a file of a task or a plan: write it before --{what[:-1]}")
    return tuple(dict.fromkeys(names))


def _named(value: Any) -> Any:
    """Tasks by their names; one that is given as an object becomes known."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_named(each) for each in value]
    if not isinstance(value, Task):
        return value
    from tasks.toml_writing import document_of

    given = document_of(value)
    document = with_data(given, Path())
    register_own(task_from(document, value.name), document)  # as the workers make it
    remember_data(value.name, given["data"], Path())
    return value.name


def check_tasks(value: Any) -> Any:
    given = check_names(_named(value), "tasks") or DEFAULT_TASKS
    names = tuple(map(task_name, given))
    for name in names:
        if names.count(name) > 1:
            words = " and ".join(word for word, of_word in zip(given, names, strict=True) if of_word == name)
            raise SideBySideError(f"{words} are two tasks of one name: rename a file")
    return names


def check_backends(value: Any) -> Any:
    for name in (names := check_names(value, "backends")) or ():
        about(name)  # raises UnknownNameError
    return names


def check_interpreters(value: Any) -> Any:
    """Interpreters as words, each ``backend=path``: from such words, or from paths by backend."""
    if isinstance(value, Mapping):
        if not all(isinstance(path, str | os.PathLike) for path in value.values()):
            raise SideBySideError(f"python is {dict(value)!r}: give each backend the path of an interpreter")
        value = [f"{name}={os.fspath(path)}" for name, path in value.items()]
    words = (
        ()
        if value is None
        else tuple(value)
        if isinstance(value, Sequence) and not isinstance(value, str)
        else (value,)
    )
    names = []
    for word in words:
        name, _, path = word.partition("=") if isinstance(word, str) else ("", "", "")
        if not (name and path):
            raise SideBySideError(f"python is {word!r}: write backend=interpreter, as pytorch=ENV/bin/python")
        about(name)  # raises UnknownNameError
        names.append(name)
        if names.count(name) > 1:
            raise SideBySideError(f"python names two interpreters for {name}: call one of them {name}@2, say")
        if name == registry.REFERENCE:
            raise SideBySideError(f"{name} is the reference, which has no other interpreter: call it {name}@2, say")
    return words


def check_environments(backends: Sequence[str], interpreters: Mapping[str, Path]) -> None:
    """Refuses a backend of another environment without an interpreter."""
    for name in backends:
        if "@" in name and name not in interpreters:
            raise SideBySideError(f"{name} is in another environment: add --python {name}=ENV/bin/python")


def check_scheduler(address: str | None, interpreters: Mapping[str, Path]) -> None:
    """Refuses interpreters of this machine for a run on others."""
    if address is not None and interpreters:
        raise SideBySideError("--python names interpreters of this machine, and a cluster's machines have their own")


def check_trackers(value: Any) -> Any:
    """Places to log results to, one or several."""
    targets = value if isinstance(value, Sequence) and not isinstance(value, str) else () if value is None else [value]
    if not all(isinstance(target, str) for target in targets):
        raise SideBySideError(f"log_to is {value!r}: give a place, or several in a list")
    return tuple(map(check_target, dict.fromkeys(targets)))


def check_own_randomness(tasks: Sequence[str], backends: Sequence[str], modes: Sequence[str]) -> None:
    """Refuses to let frameworks draw masks of dropout for themselves where they cannot."""
    if tuple(modes) != ("stock",):
        raise SideBySideError("own randomness is an option of the stock loop alone: add --mode stock")
    if registry.REFERENCE in backends:
        raise SideBySideError(f"{registry.REFERENCE} has no randomness of its own: name the other backends")
    for name in tasks:
        if not any(isinstance(layer, Dropout) for layer in load_task(name).architecture.layers):
            raise SideBySideError(f"{name} has no dropout, whose masks could be a framework's own: name other tasks")


def check_modes(value: Any) -> Any:
    names = MODES if value in ("both", ["both"], ("both",)) else check_names(value, "modes")
    for name in names:
        if name not in MODES:
            raise UnknownNameError("mode", name, (*MODES, "both"))
    return names


def check_arithmetics(value: Any) -> Any:
    for name in (names := check_names(value, "arithmetics")):
        if name not in ARITHMETICS:
            raise UnknownNameError("arithmetic", name, ARITHMETICS)
    return names


def check_devices(value: Any) -> Any:
    return tuple(dict.fromkeys(map(check_device, check_names(value, "devices"))))


def check_formulation(name: str, backends: Sequence[str]) -> None:
    """Raises UnknownNameError where neither our backends nor these, of other packages, have this formulation."""
    known = [known for backend in (*registry.available_backends(), *backends) for known in about(backend).formulations]
    if name not in known:
        raise UnknownNameError("formulation", name, tuple(dict.fromkeys(known)))


def choice(known: tuple[str, ...]) -> BeforeValidator:
    def check(value: Any, info: ValidationInfo) -> Any:
        if value not in known:
            raise UnknownNameError(str(info.field_name), str(value), known)
        return value

    return BeforeValidator(check)


def whole(limit: int, *, optional: bool = False) -> BeforeValidator:
    """Whole numbers from 1 to a limit: Python's, NumPy's, or written in digits; None only where it is optional."""

    def check(value: Any, info: ValidationInfo) -> Any:
        if value is None and optional:
            return None
        try:
            number = int(value) if isinstance(value, str) else operator.index(value)
        except (TypeError, ValueError):
            number = 0
        if isinstance(value, bool) or not 1 <= number <= limit:
            raise SideBySideError(f"{info.field_name} is {value!r}: give a whole number from 1 to {limit:,}")
        return number

    return BeforeValidator(check)


def positive(what: str) -> BeforeValidator:
    """None, or finite numbers above 0: Python's, NumPy's, or written out."""

    def check(value: Any, info: ValidationInfo) -> Any:
        if value is None:
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = 0.0
        if isinstance(value, bool) or not 0 < number < math.inf:
            raise SideBySideError(f"{info.field_name} is {value!r}: give {what} above 0")
        return number

    return BeforeValidator(check)


def check_share(value: Any, info: ValidationInfo) -> Any:
    """None, or a share between 0 and 1: a number, or in per cent, as ``5%``."""
    if value is None:
        return None
    words = value.strip() if isinstance(value, str) else value
    per_cent = isinstance(words, str) and words.endswith("%")
    try:
        number = float(words[:-1]) / 100 if per_cent else float(words)
    except (TypeError, ValueError):
        number = 0.0
    if isinstance(value, bool) or not 0 < number < 1:
        raise SideBySideError(f"{info.field_name} is {value!r}: give a share below 100%, as 5% or 0.05")
    return number


def path(what: str) -> BeforeValidator:
    """None, or a path: a string or what Python calls path-like."""

    def check(value: Any, info: ValidationInfo) -> Any:
        if value is None or isinstance(value, str | Path):
            return value
        name = os.fspath(value) if isinstance(value, os.PathLike) else value
        if not isinstance(name, str):
            raise SideBySideError(f"{info.field_name} is {value!r}: give the name of {what}, as a string or a path")
        return name

    return BeforeValidator(check)


def flag(name: str, *, several: bool = False) -> Parameter:
    return Parameter(name=name, consume_multiple=several, negative_iterable=())


def check_count(counts: Mapping[str, int]) -> None:
    """Raises SideBySideError where there would be so many cells that even to list them takes minutes and gigabytes."""
    if (cells := math.prod(counts.values())) > MOST_CELLS:
        factors = " x ".join(f"{number:,} {name}" for name, number in counts.items() if number > 1)
        most = max(counts, key=counts.__getitem__)
        raise SideBySideError(
            f"the run would have {cells:,} cells ({factors}), and {MOST_CELLS:,} is the limit: ask for fewer {most}"
        )
