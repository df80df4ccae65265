"""Interpreters of other environments, in which the workers of a backend can run."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from backends.about import About
from backends.registry import about
from compare.executors import look
from compare.executors.environment import REMOVED
from compare.records.base import Record
from tasks.errors import SideBySideError

LOOK_SECONDS = 60.0
"""How long an interpreter may take to say what is installed in its environment."""
OLDEST = (3, 11)
"""The oldest Python that this package runs on."""
VERSION = re.compile(r"\d+(\.\d+)*")
"""A name after an ``@`` that is a version."""


class InterpreterError(SideBySideError):
    """An interpreter cannot run the workers of a backend; one line that says what to do."""


class _Found(Record):
    """What :func:`compare.executors.look.look` has found."""

    python: str
    sidebyside: str | None
    sources: str | None
    missing: list[str]
    versions: dict[str, str]


@dataclass(frozen=True)
class Interpreter:
    """An interpreter that can run the workers of a backend, if its framework is installed there.

    Attributes:
        path: of the interpreter.
        python: its version.
        missing: one line that says which package is missing there; None where the framework is installed.
        versions: of the framework's packages, by name.
    """

    path: Path
    python: str
    missing: str | None
    versions: Mapping[str, str]


def find_interpreters(paths: Mapping[str, Path]) -> dict[str, Interpreter]:
    """Looks into the interpreters of backends.

    Args:
        paths: of interpreters, or of the folders of their environments, by backend.

    Raises:
        InterpreterError: one of them is no interpreter, or does not have this very version of this package.
    """
    return {backend: _look_into(backend, path.absolute()) for backend, path in paths.items()}


def _look_into(backend: str, given: Path) -> Interpreter:
    path = interpreter_in(given) if given.is_dir() else given
    known = about(backend)
    found = _ask(f"{backend}: {path}", path, known)
    if found.sources is None:
        raise InterpreterError(
            f"{backend}: {path} has no sidebyside: install it there, or make an environment that has it"
            f" (sidebyside envs create {backend})"
        )
    own = look.look([], [])
    if found.sources != own["sources"]:
        there, here = (version or "of unknown version" for version in (found.sidebyside, own["sidebyside"]))
        if there == here:
            there = f"{there} with other sources"
        raise InterpreterError(f"{backend}: {path} has sidebyside {there}, and this is {here}: install this one there")
    _check_version(known, found, path)
    missing = None
    if found.missing:
        missing = f"{backend} needs the package {found.missing[0]}, which {path} lacks: install it there"
    return Interpreter(path, found.python, missing, found.versions)


def interpreter_in(folder: Path) -> Path:
    """The interpreter of the environment in a folder."""
    windows = folder / "Scripts" / "python.exe"
    return windows if windows.exists() else folder / "bin" / "python"


def _ask(name: str, path: Path, known: About) -> _Found:
    """What an interpreter says of itself."""
    script = Path(look.__file__).read_text(encoding="utf-8")
    lists = TypeAdapter(list[str])
    words = [lists.dump_json(list(names)).decode() for names in (known.modules, known.distributions)]
    # -P: a file of the user's, json.py say, must not take the place of a module of Python's.
    environment = {variable: value for variable, value in os.environ.items() if variable not in REMOVED}
    options: dict[str, Any] = {"env": environment, "capture_output": True, "timeout": LOOK_SECONDS}
    try:
        done = subprocess.run([path, "-P", "-c", script, *words], stdin=subprocess.DEVNULL, check=False, **options)
        return _Found.model_validate_json(done.stdout)
    except FileNotFoundError:
        raise InterpreterError(
            f"{name}: there is no such file; give the path of a Python interpreter, or of its environment's folder"
        ) from None
    except OSError as error:
        raise InterpreterError(f"{name} cannot be started ({error.strerror}): give a Python interpreter") from error
    except subprocess.TimeoutExpired:
        raise InterpreterError(f"{name} has not answered in {LOOK_SECONDS:g} seconds") from None
    except ValidationError:
        raise InterpreterError(
            f"{name} does not answer as Python {'.'.join(map(str, OLDEST))} or newer would"
        ) from None


def _check_version(known: About, found: _Found, path: Path) -> None:
    """Refuses a name with a version, as ``pytorch@2.13``, for an environment that has another one."""
    base, _, asked = known.name.partition("@")
    distribution = known.distributions[0]
    version = found.versions.get(distribution)
    if version in (None, "unknown") or not VERSION.fullmatch(asked):
        return
    parts = re.split(r"[.+]", version)[: asked.count(".") + 1]
    if parts != asked.split("."):
        name = f"{base}@{'.'.join(parts)}"
        raise InterpreterError(f"{known.name}: {path} has {distribution} {version}: call it {name}")
