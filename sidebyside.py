"""The public API under the package's own name: ``import sidebyside as sbs``; ``python -m sidebyside`` is the command.

Each name is imported where it is asked for, so that the import of this file costs nothing.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compare.api import compare
    from compare.comparison import Comparison
    from compare.explain.port_api import assert_same_model, pair
    from compare.explain.run import Explained, explain
    from tasks import layers
    from tasks.architecture import Architecture, Node, sequence
    from tasks.registry import load_task
    from tasks.task import Preset, Recipe, Task
    from tasks.variation import sweep

_HOMES = {
    "compare": "compare.api",
    "Comparison": "compare.comparison",
    "assert_same_model": "compare.explain.port_api",
    "pair": "compare.explain.port_api",
    "explain": "compare.explain.run",
    "Explained": "compare.explain.run",
    "sweep": "tasks.variation",
    "load_task": "tasks.registry",
    "Task": "tasks.task",
    "Recipe": "tasks.task",
    "Preset": "tasks.task",
    "Architecture": "tasks.architecture",
    "Node": "tasks.architecture",
    "sequence": "tasks.architecture",
    "layers": "tasks.layers",
}
__all__ = [
    "Architecture",
    "Comparison",
    "Explained",
    "Node",
    "Preset",
    "Recipe",
    "Task",
    "assert_same_model",
    "compare",
    "explain",
    "layers",
    "load_task",
    "pair",
    "sequence",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(_HOMES[name])
    return home if name == "layers" else getattr(home, name)


def __dir__() -> list[str]:
    return list(__all__)


if __name__ == "__main__":
    from compare.__main__ import main

    sys.exit(main())
