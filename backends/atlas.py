"""The atlas of defaults: every default that this package knows of, read from the frameworks that are installed.

What is read is named here and in each framework's ``atlas.py``: where a thing is, and what its arguments are called
there. The values are never written down: they come from signatures, and from objects that are made.
"""

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NONE = "has none"
"""The value of what a framework has no argument for."""


@dataclass(frozen=True)
class Entry:
    """A thing that frameworks have in common, as one of them has it.

    Attributes:
        kind: ``layer``, ``function``, ``optimizer``, ``loss`` or ``data``.
        name: the same in all frameworks: ``BatchNorm``.
        path: where it is: ``torch.nn.BatchNorm2d``.
        arguments: its arguments, by the names that they have in all frameworks; several that are one elsewhere are
            parted by commas, and of what it has no argument for, the name is empty.
        meaning_of_none: what None stands for, as the documentation has it, by the common name.
    """

    kind: str
    name: str
    path: str
    arguments: Mapping[str, str]
    meaning_of_none: Mapping[str, str] = field(default_factory=dict)


def read(framework: str) -> list[dict[str, str]]:
    """The defaults of a framework: a row of kind, name, what is set, and value for each. Imports the framework."""
    module = importlib.import_module(f"backends.{framework}.atlas")
    entries: tuple[Entry, ...] = module.ENTRIES
    rows = [
        {"kind": entry.kind, "name": entry.name, "path": entry.path, "argument": argument, "value": value}
        for entry in entries
        for argument, value in _values(entry).items()
    ]
    measured: Mapping[str, Mapping[str, float]] = module.initial_weights()
    for name, figures in measured.items():
        rows += [
            {"kind": "initial weights", "name": name, "path": "", "argument": what, "value": f"{figure:.2g}"}
            for what, figure in figures.items()
        ]
    return rows


def _values(entry: Entry) -> dict[str, str]:
    thing = _found(entry.path)
    # The signature of a class may be that of its metaclass: what it is made with is its own.
    parameters = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters

    def default_of(own: str) -> str:
        default = parameters[own].default
        return "must be given" if default is inspect.Parameter.empty else shown(default)

    values = {}
    for argument, own in entry.arguments.items():
        of_each = [default_of(name) for name in own.split(", ") if name]
        value = f"({', '.join(of_each)})" if len(of_each) > 1 else (of_each or [NONE])[0]
        meant = entry.meaning_of_none.get(argument)
        values[argument] = f"None: {meant}" if value == "None" and meant else value
    return values


def _found(path: str) -> Any:
    """What is at a dotted path, of which any first part may be a module."""
    parts = path.split(".")
    for count in range(len(parts) - 1, 0, -1):
        try:
            thing: Any = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for name in parts[count:]:
            thing = getattr(thing, name)
        return thing
    raise ModuleNotFoundError(path)


def shown(value: object) -> str:
    """A default as people write it."""
    if isinstance(value, float):
        return f"{value:g}"
    if callable(value):
        return str(getattr(value, "__name__", type(value).__name__))
    return str(value)


def spread(kernel: Any, bias: Any, fan_in: int) -> dict[str, float]:
    """Figures of drawn weights that tell the ways of drawing apart.

    Args:
        kernel: numbers of a kernel; many.
        bias: numbers of a bias.
        fan_in: the inputs that an output sums up.
    """
    deviation = float(kernel.std()) * fan_in**0.5
    return {
        "kernel: deviation, times the root of its inputs": round(deviation, 2),
        "kernel: the largest over the deviation": round(float(abs(kernel).max() / kernel.std()), 1),
        "bias: the largest": float(abs(bias).max()),
    }
