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
helpers) is shown as shared by all. What is shown is run: the shared code and the function, with nothing around them.
Every output is computed; one that a framework has no counterpart for is left out, and shown as none.
"""

import ast
import importlib
import inspect
import runpy
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
    "padding": "padding",
    "batch-norm": "batch_norm",
    "loss-traps": "loss_traps",
    "randomness": "randomness",
    "dropout": "dropout",
    "training-loop": "training_loop",
    "weight-decay": "weight_decay",
    "schedules": "schedules",
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

    def shown(self, framework: str) -> str:
        """All that is shown of the lesson in one framework: a program that runs by itself."""
        return "\n\n".join(filter(None, (self.shared_source, self.source(framework))))

    def run(self, framework: str, stage: int, folder: Path) -> Outputs:
        """Runs the first (0) or the second (1) function, as shown, in this process, and so imports the framework."""
        file = folder / f"{framework}_{stage}.py"  # a file, because TensorFlow reads the source of what it compiles
        file.write_text(self.shown(framework), encoding="utf-8")
        function = runpy.run_path(str(file))[self.functions(framework)[stage].__name__]
        return dict(function(folder) if inspect.signature(function).parameters else function())


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
    """The module's source without its docstring, notes and lesson functions, and without imports that these need."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    nodes = [node for node in ast.parse(source).body if _name(node) not in _NOT_SHARED]
    used = {name.id for node in nodes for name in ast.walk(node) if isinstance(name, ast.Name)}
    parts: list[str] = []
    end = 0  # last line of the part before
    for node in nodes:
        imported = node.names if isinstance(node, ast.Import | ast.ImportFrom) else None
        unused = imported is not None and used.isdisjoint(name.asname or name.name for name in imported)
        if isinstance(node, ast.Expr) or unused or _name(node).startswith(("with_", "then_with_")):
            continue
        first = node.lineno - 1
        if parts and first > end:
            parts.append("")
        parts.extend(lines[first : node.end_lineno])
        end = node.end_lineno or 0
    return "\n".join(parts) + "\n" if parts else ""


def _name(node: ast.stmt) -> str:
    """The name that a statement defines, if it is a function or a variable."""
    if isinstance(node, ast.FunctionDef):
        return node.name
    target = (
        node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AnnAssign) else None
    )
    return target.id if isinstance(target, ast.Name) else ""
