"""The inputs that a user names on the command line: numbers, or pictures of digits."""

from collections.abc import Sequence
from math import prod
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
    source = task.source
    if source.takes == "digits":
        digits = [read_digit(Path(word)) for word in words]
        return source.prepare(np.array([digit.pixels for digit in digits])), [digit.done for digit in digits]
    if source.takes == "pictures":
        return np.array([source.from_picture(Path(word)) for word in words]), [()] * len(words)
    values = np.array([_number(word, task) for word in words])
    if len(values) != prod(task.architecture.input_shape):
        raise SideBySideError(f"{wanted(task)}; got {len(values)}")
    return source.from_numbers(values[None]), [()]


def _number(word: str, task: Task) -> float:
    """The number that a word is. Raises SideBySideError where it is none, or none that is finite in float32."""
    try:
        number = float(word)
    except ValueError as error:
        how = ", apart and with a decimal point, such as 6.6 3.2" if "," in word else ""
        raise SideBySideError(f"{word!r} is not a number: {wanted(task)}{how}") from error
    if not abs(number) <= float(np.finfo(np.float32).max):
        raise SideBySideError(f"{word!r} is not finite in float32: {wanted(task)}")
    return number


def wanted(task: Task) -> str:
    """What a task needs as inputs, in a sentence."""
    kinds = {"digits": "PNG files of digits", "pictures": "pictures in PNG or JPEG"}
    count = prod(task.architecture.input_shape)
    numbers = "1 finite number" if count == 1 else f"{count} finite numbers"
    return f"{task.name} needs {kinds.get(task.source.takes, numbers)}"
