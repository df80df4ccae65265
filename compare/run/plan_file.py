"""Plan files: the options of a run in TOML."""

from pathlib import Path

from compare.run.checks import check_interpreters
from compare.run.options import PATHS
from tasks.toml_task import read_document


def read_plan(path: Path) -> dict[str, object]:
    """The options in a plan file, with the names of :class:`~compare.run.options.RunOptions`.

    Paths are relative to the file.

    Raises:
        TaskFileError: the file cannot be read, or is not TOML.
    """
    values = read_document(path)
    for name in PATHS:
        if isinstance(values.get(name), str) and values[name]:
            values[name] = str(path.parent / values[name])
    if "python" in values:
        words = [word.partition("=") for word in check_interpreters(values["python"])]
        values["python"] = [f"{name}={path.parent / interpreter}" for name, _, interpreter in words]
    tasks = values.get("tasks")
    if isinstance(tasks, str):
        values["tasks"] = _from(path, tasks)
    elif isinstance(tasks, list):
        values["tasks"] = [_from(path, word) for word in tasks]
    return values


def _from(path: Path, word: object) -> object:
    """A task's file as the plan's place has it; names as they are."""
    return str(path.parent / word) if isinstance(word, str) and word.lower().endswith(".toml") else word
