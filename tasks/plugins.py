"""Tasks and backends of other packages: found by their entry points, and loaded only when they are named."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from tasks.errors import SideBySideError, one_line

TASKS, BACKENDS = "sidebyside.tasks", "sidebyside.backends"
"""The groups of entry points."""


class PluginError(SideBySideError):
    """What an entry point leads to cannot be loaded, or is something else."""


@cache
def plugins(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group, by name; nothing of theirs is imported."""
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.name)}


def package_of(group: str, name: str) -> str:
    """The name of the package that an entry point is of."""
    distribution = plugins(group)[name].dist
    return distribution.name if distribution else "an unknown package"


def load_plugin(group: str, name: str) -> Any:
    """What an entry point leads to.

    Raises:
        PluginError: it cannot be imported; one line with the package and the reason.
    """
    try:
        return plugins(group)[name].load()
    except (Exception, SystemExit) as error:  # a foreign package may raise anything
        raise wrong_plugin(group, name, f"cannot be loaded ({one_line(error)})") from error


def wrong_plugin(group: str, name: str, what: str) -> PluginError:
    """The error for an entry point that leads to something wrong."""
    return PluginError(f"{name} of the package {package_of(group, name)} {what}; ask its authors")
