"""The lines that repeat a run: a command, or a call of ``compare()``."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from compare.run.options import NOT_KEPT, RunOptions
from tasks.registry import given_word


def given_options(options: RunOptions) -> dict[str, object]:
    """The options that differ from their defaults and that a repetition of the run needs, in order."""
    fields = type(options).model_fields
    values = {name: getattr(options, name) for name in fields if name not in NOT_KEPT}
    given = {name: value for name, value in values.items() if value != fields[name].default}
    if options.data is not None:
        given["data"] = _without_home(Path(options.data))
    if options.python:
        given["python"] = [f"{name}={_without_home(path)}" for name, path in options.interpreters.items()]
    return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}


def as_call(options: RunOptions) -> str:
    """The call of ``compare()`` that repeats the run."""
    given = {n: v[0] if isinstance(v, list) and len(v) == 1 else v for n, v in given_options(options).items()}
    return f"compare({', '.join(f'{name}={value!r}' for name, value in _with_files(given).items())})"


def as_command(options: RunOptions) -> str:
    """The command line that repeats the run."""
    words = ["sidebyside", "run"]
    for name, value in _with_files(given_options(options)).items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        elif isinstance(value, list):
            words += [*([] if name == "tasks" else [f"--{option.removesuffix('s')}"]), *value]  # --backend, of backends
        else:
            words += [f"--{option}", str(value)]
    return shlex.join(words)


def _with_files(given: Mapping[str, object]) -> dict[str, object]:
    """Options with a user's own tasks by the names of their files, as they are given."""
    tasks = given.get("tasks")
    words = [given_word(name) for name in tasks] if isinstance(tasks, list) else given_word(str(tasks))
    return {**given, "tasks": words} if tasks else dict(given)


def _without_home(path: Path) -> str:
    """A path as it may be published: a folder outside the current one could name the user."""
    return path.name if path.is_absolute() or ".." in path.parts else str(path)
