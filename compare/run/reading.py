"""Reads the results of a run: from its folder, or from a results file, whatever its version."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from compare.records.results import SCHEMA_VERSION, Results
from tasks.errors import SideBySideError
from tasks.files import read_regular
from tasks.registry import know
from tasks.toml_task import TaskFileError

Content = dict[str, Any]
"""What is in a results file, before it is checked."""
FILE_NAME = "results.json"
HEAD = "run.json"
"""What is no cell's and no certificate's: host, settings, pairs, and the order of the cells."""
CELLS, CERTIFICATES = "cells", "certificates"
"""The folders with a file for each cell and for each certificate."""
LARGEST_FILE = 2_000_000_000
"""The largest results file that is read, in bytes."""


def _with_unchecked_runs(values: Content) -> Content:
    """Version 1 certified a model by 100 steps that it trained apart, and did not look at the run that was timed."""
    runs = values.get("runs")
    for run in runs if isinstance(runs, list) else ():
        if isinstance(run, dict) and run.get("status") == "ok":
            run["check"] = {"outcome": "unchecked"}
    return values


UPGRADES: dict[int, Callable[[Content], Content]] = {1: _with_unchecked_runs}
"""For each older version of the schema that is still read: its content in, the next version's out."""


class ResultsError(SideBySideError):
    """A results file that is missing, damaged, or newer than this version."""


def read_results(folder: Path) -> Results:
    """Reads a run's folder, or a results file itself; a user's own tasks that it describes become known.

    Raises:
        ResultsError: there is none, it is damaged, or it was written by a newer version.
    """
    whole = folder.is_dir() and (folder / HEAD).exists()
    path = folder / (HEAD if whole else FILE_NAME) if folder.is_dir() else folder
    content = _assembled(folder) if whole else _read(path)
    version = _version(content)
    if version is not None and version > SCHEMA_VERSION:
        raise ResultsError(f"{path}: written by a newer sidebyside (schema {version}); update to read it")
    try:
        results = Results.model_validate_json(_upgraded(content, version))
        know(results.own_tasks)  # so that the report can say what was trained
        return results
    except TaskFileError as error:
        raise ResultsError(f"{path}: not a results file (own_tasks: {error})") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "content"
        reason = " ".join(f"{where}: {first['msg']}".split())[:300]
        raise ResultsError(f"{path}: not a results file ({reason})") from error


def _read(path: Path) -> bytes:
    return read_regular(path, LARGEST_FILE, ResultsError, "name the folder of a run")


def _assembled(folder: Path) -> bytes:
    """The content of ``results.json``, from the files that it is made from."""
    head = _values(folder / HEAD)
    values, order = head.get("results"), head.get("order")
    if not isinstance(values, dict) or not isinstance(order, list):
        raise ResultsError(f"{folder / HEAD}: not the head of a run")
    cells = list(map(str, order))
    subjects = [name.rpartition(".seed")[0] for name in cells]  # after which a certificate's file is named
    for key, name, names in (("runs", CELLS, cells), ("certificates", CERTIFICATES, subjects)):
        places = {f"{word}.json": place for place, word in reversed(list(enumerate(names)))}
        files = sorted((folder / name).glob("*.json"), key=lambda path: (places.get(path.name, len(places)), path.name))
        values[key] = [_values(path) for path in files]
    return json.dumps(values).encode()


def _values(path: Path) -> dict[str, object]:
    """The content of one of the files that results are made from."""
    try:
        values = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path}: damaged; remove it and resume the run") from error
    if not isinstance(values, dict):
        raise ResultsError(f"{path}: damaged; remove it and resume the run")
    return values


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
