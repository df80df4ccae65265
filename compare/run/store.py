"""The folder of a run: ``results.json``, written whole or not at all, and read whatever its version."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from compare.records.results import SCHEMA_VERSION, Results
from tasks.errors import SideBySideError
from tasks.files import read_regular, write_whole

FILE_NAME = "results.json"
LARGEST_FILE = 2_000_000_000
"""The largest results file that is read, in bytes."""
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""For each older version of the schema that is still read: its content in, the next version's out."""


class ResultsError(SideBySideError):
    """A results file that is missing, damaged, or newer than this version."""


def now() -> str:
    """The time in UTC, to the second, as ISO 8601 writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_results(folder: Path, results: Results) -> Path:
    """Writes ``results.json`` whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    write_whole(path, results.model_dump_json(indent=1).encode())
    return path


def read_results(folder: Path) -> Results:
    """Reads a run's folder, or a results file itself.

    Raises:
        ResultsError: there is none, it is damaged, or it was written by a newer version.
    """
    path = folder / FILE_NAME if folder.is_dir() else folder
    content = read_regular(path, LARGEST_FILE, ResultsError, "name the folder of a run")
    version = _version(content)
    if version is not None and version > SCHEMA_VERSION:
        raise ResultsError(f"{path}: written by a newer sidebyside (schema {version}); update to read it")
    try:
        return Results.model_validate_json(_upgraded(content, version))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "content"
        reason = " ".join(f"{where}: {first['msg']}".split())[:300]
        raise ResultsError(f"{path}: not a results file ({reason})") from error


def _upgraded(content: bytes, version: int | None) -> bytes:
    """An older version's content as this version would have written it; all other content as it is."""
    if version not in UPGRADES:
        return content
    values = json.loads(content)
    while version in UPGRADES:
        values = UPGRADES[version](values)
        version += 1
        values["schema_version"] = version
    return json.dumps(values).encode()


def _version(content: bytes) -> int | None:
    try:
        values: Any = json.loads(content)
    except (ValueError, RecursionError):
        return None
    version = values.get("schema_version") if isinstance(values, dict) else None
    return version if isinstance(version, int) else None
