"""The same small idea in four frameworks: a file per lesson, a function per framework, imported only when it runs.

A lesson's module has

- a docstring: its title, and what is learned;
- ``NOTE``: what differs between the frameworks, and why;
- ``DIFFERS``: the outputs that may differ, each with the reason; every other output must agree within float32;
- ``TOLERANCES``, if any: how much an output may differ if float32 is not the measure, as for an accuracy;
- ``with_numpy``, ``with_pytorch``, ``with_keras``, ``with_jax``: the lesson, as users of that framework would write
  it. Each imports its framework itself and returns its outputs by name: NumPy arrays, numbers, strings, lists;
- ``then_with_<framework>``, if any: run in a new process, after the first function has run in every framework;
- ``pictures``, if any: charts (altair) of the outputs, by caption.

A function with a parameter is given a folder that all frameworks share. Everything else in the module (constants,
helpers) is shown as shared by all.
"""

import ast
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tasks.errors import UnknownNameError

Outputs = dict[str, Any]
"""What a lesson's function returns: NumPy arrays, numbers, strings, booleans and lists of these, by name."""

_LESSONS = {
    "neuron": "neuron",
    "activations": "activations",
    "tensors": "tensors",
    "matmul": "matmul",
    "two-layers": "two_layers",
    "gradient": "gradient",
    "gradient-descent": "gradient_descent",
    "counting": "counting",
    "and-gate": "and_gate",
    "layers": "layers",
    "loss-traps": "loss_traps",
    "randomness": "randomness",
    "training-loop": "training_loop",
    "save-load": "save_load",
    "save-formats": "save_formats",
    "inputs": "inputs",
    "data-look": "data_look",
}
_NOT_SHARED = {"NOTE", "DIFFERS", "TOLERANCES", "pictures"}


@dataclass(frozen=True)
class Lesson:
    """One lesson, read from its module.

    Attributes:
        name: as on the command line.
        title: the first line of the module's docstring.
        about: the rest of it.
        note: what differs between the frameworks, and why.
        differs: the outputs that may differ, with the reason.
        tolerances: absolute difference allowed for an output for which float32 is not the measure.
        shared_source: constants and helpers that all four functions use.
        module: where the functions are.
    """

    name: str
    title: str
    about: str
    note: str
    differs: Mapping[str, str]
    tolerances: Mapping[str, float]
    shared_source: str
    module: ModuleType

    def functions(self, framework: str) -> tuple[Callable[..., Outputs], ...]:
        """The lesson in one framework: ``with_<framework>`` and, where there is one, ``then_with_<framework>``."""
        names = (f"with_{framework}", f"then_with_{framework}")
        return tuple(getattr(self.module, name) for name in names if hasattr(self.module, name))

    def source(self, framework: str) -> str:
        """The source of the lesson in one framework, as it runs."""
        return "\n\n".join(inspect.getsource(function).rstrip() for function in self.functions(framework)) + "\n"

    def run(self, framework: str, stage: int, folder: Path) -> Outputs:
        """Runs the first (0) or the second (1) function in this process, and so imports the framework."""
        function = self.functions(framework)[stage]
        return function(folder) if inspect.signature(function).parameters else function()


def available_lessons() -> tuple[str, ...]:
    """The names of the lessons, in the order in which they are best read."""
    return tuple(_LESSONS)


def load_lesson(name: str) -> Lesson:
    """Reads a lesson's module; imports no framework.

    Raises:
        UnknownNameError: there is no such lesson.
    """
    if name not in _LESSONS:
        raise UnknownNameError("lesson", name, available_lessons())
    module = importlib.import_module(f"backends.lessons.{_LESSONS[name]}")
    title, _, about = inspect.cleandoc(module.__doc__ or "").partition("\n")
    return Lesson(
        name,
        title.rstrip("."),
        about.strip(),
        module.NOTE,
        module.DIFFERS,
        getattr(module, "TOLERANCES", {}),
        _shared_source(module),
        module,
    )


def _shared_source(module: ModuleType) -> str:
    """The module's source without its docstring, notes and lesson functions; empty if only imports are left."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    parts: list[str] = []
    end = 0  # last line of the part before
    only_imports = True
    for node in ast.parse(source).body:
        name = ""
        if isinstance(node, ast.FunctionDef):
            name = node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
        own = name.startswith(("with_", "then_with_")) or name in _NOT_SHARED
        house = isinstance(node, ast.ImportFrom) and node.module in ("typing", "backends.lessons", "backends.base")
        if isinstance(node, ast.Expr) or own or house:
            continue
        first = node.lineno - 1
        if parts and first > end:
            parts.append("")
        parts.extend(lines[first : node.end_lineno])
        end = node.end_lineno or 0
        only_imports = only_imports and isinstance(node, ast.Import | ast.ImportFrom)
    return "" if only_imports else "\n".join(parts) + "\n"
