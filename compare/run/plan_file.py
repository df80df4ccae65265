"""Plan files: the options of a run in TOML."""

import tomllib
from pathlib import Path

from compare.run.options import PATHS
from tasks.errors import SideBySideError
from tasks.files import read_regular

LARGEST = 1_000_000
"""Bytes of a plan file."""


def read_plan(path: Path) -> dict[str, object]:
    """The options in a plan file, with the names of :class:`~compare.run.options.RunOptions`.

    Paths are relative to the file.

    Raises:
        SideBySideError: the file cannot be read, or is not TOML.
    """
    content = read_regular(path, LARGEST, SideBySideError, "name a plan file")
    try:
        values = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise SideBySideError(f"{path}: not a plan file in TOML ({error})") from error
    for name in PATHS:
        if isinstance(values.get(name), str) and values[name]:
            values[name] = str(path.parent / values[name])
    return values
