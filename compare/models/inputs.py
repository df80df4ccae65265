"""The inputs that a user names on the command line: numbers, or pictures of digits."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from compare.models.digits import read_digit
from tasks.errors import SideBySideError
from tasks.task import Task


def read_inputs(task: Task, words: Sequence[str]) -> tuple[NDArray[np.float32], list[tuple[str, ...]]]:
    """The inputs that were named on the command line, ``(n, *input_shape)``, and what was done to each.

    Raises:
        SideBySideError: they are not the task's.
    """
    if task.prepare is not None:
        digits = [read_digit(Path(word)) for word in words]
        return task.prepare(np.array([digit.pixels for digit in digits])), [digit.done for digit in digits]
    try:
        with np.errstate(over="ignore"):
            values = np.array([float(word) for word in words]).astype(np.float32)
    except ValueError as error:
        raise SideBySideError(f"name {wanted(task)}: {error}") from error
    if values.shape != task.architecture.input_shape or not np.isfinite(values).all():
        raise SideBySideError(f"name {wanted(task)}, finite ones; {len(values)} were given")
    return values[None], [()]


def wanted(task: Task) -> str:
    """What a task takes as inputs, in words."""
    if task.prepare is not None:
        return "PNG files of digits"
    return f"the {task.architecture.input_shape[0]} numbers that {task.name} takes"
