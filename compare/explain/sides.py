"""The two sides of a comparison: functions of a user's files that return models."""

import ast
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from backends.registry import framework_backends, missing
from tasks.errors import SideBySideError

IMPORTED = {"torch": "pytorch", "keras": "keras", "tensorflow": "keras", "flax": "jax", "jax": "jax"}
"""The frameworks by the modules that a file imports."""


class PortError(SideBySideError):
    """A side cannot be compared; the message names it."""


@dataclass(frozen=True)
class Side:
    """One of the two models: a function of a file, and the backend that runs it, as ``keras`` or ``keras@2``."""

    backend: str
    file: Path
    function: str

    @property
    def framework(self) -> str:
        """That the model is written in."""
        return self.backend.partition("@")[0]

    @property
    def name(self) -> str:
        return f"{self.file.name}:{self.function}"


def find_side(word: str, elsewhere: Collection[str] = ()) -> Side:
    """The side that a user names: ``mine.py:make``, or ``keras=mine.py:make`` where the file imports several.

    Args:
        word: of the user; ``keras@2=mine.py:make`` for one of several environments.
        elsewhere: the backends that run in other environments.

    Raises:
        SideBySideError: it is none, or its framework is not to be seen or not installed.
    """
    named, equals, rest = word.partition("=")
    backend, place = (named, rest) if equals and named.partition("@")[0] in framework_backends() else ("", word)
    name, colon, function = place.rpartition(":")
    file = Path(name)
    if not colon or not function.isidentifier() or file.suffix != ".py":
        raise PortError(f"{word}: write a Python file and its function, as mine.py:make")
    try:
        source = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PortError(f"{word}: {file} cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from error
    if not backend:
        found = _frameworks_of(word, source)
        if len(found) != 1:
            seen = f"it imports {' and '.join(sorted(found))}" if found else "no framework is to be seen in its imports"
            raise PortError(f"{word}: {seen}: say which it is, as keras={word}")
        backend = found.pop()
    if backend not in elsewhere:
        if "@" in backend:
            raise PortError(f"{word}: add --python {backend}=ENV/bin/python")
        if message := missing(backend):
            raise PortError(f"{word}: {message}")
    return Side(backend, file, function)


def _frameworks_of(word: str, source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise PortError(f"{word}: the file is not Python ({error})") from error
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {IMPORTED[name] for full in names if (name := full.partition(".")[0]) in IMPORTED}
