"""Text that must be made in one way everywhere: safe to print, lines that fit, names of cells and rows, ratios."""

import getpass
import re
import socket
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tasks.arithmetic import split_recipe

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?", re.DOTALL)
_BREAKS = re.compile("[\t\n\r\x0b\x0c\x85\u2028\u2029]")
_ROOT = r"(?:(?:~\w*)?/|[A-Za-z]:[\\/]|\\\\)"
_QUOTED_PATH = re.compile(rf"""(?<=(['"])){_ROOT}[^'"]+(?=\1)""")
_PATH = re.compile(rf"""(?<![\w./\\~[-])(?!//){_ROOT}[^\s'":;,()<>]+""")
_COMMON_NAMES = {"root", "user", "localhost"}
NO_RUNS = "The run has begun, and no cell has finished yet."
"""What a report says of a run in its first cell."""
MEASURES = {"accuracy": "accuracy", "r_squared": "R²"}
"""What each measure of the test set is called."""
SUBJECT = ("task", "recipe", "backend", "mode", "device")


class Subject(Protocol):
    """What a cell, a run and a certificate have in common."""

    @property
    def task(self) -> str: ...
    @property
    def recipe(self) -> str: ...
    @property
    def backend(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def device(self) -> str: ...


def clean(text: object) -> str:
    """Text that cannot steer a terminal or reorder a line: without control, formatting and private characters."""
    given = str(text)
    if given.isprintable():  # nearly every text is, and a report has a hundred thousand
        return given.strip()
    kept = _BREAKS.sub(" ", _ESCAPES.sub("", given))
    return "".join(c for c in kept if unicodedata.category(c)[0] != "C").strip()


def without_paths(text: str) -> str:
    """The text with absolute paths cut to their last part, and without the names of the user and of the machine."""
    text = text.replace("file://", "")
    for path in (_QUOTED_PATH, _PATH):
        text = path.sub(lambda found: re.split(r"[\\/]", found[0].rstrip("\\/"))[-1], text)
    names: dict[str, str] = {}
    with suppress(Exception):  # no entry in the system's list of users
        names[getpass.getuser()] = "user"
    with suppress(Exception):
        names[Path.home().name] = "user"
    host = socket.gethostname()
    names |= {host: "host", host.partition(".")[0]: "host"}
    for name, word in names.items():
        if name and name.lower() not in _COMMON_NAMES:
            text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", word, text, flags=re.IGNORECASE)
    return text


def label(subject: Subject, parts: Iterable[str] = SUBJECT, *, seed: int = 0, round: int = 0) -> str:
    """The name of a cell, run or certificate, such as ``iris-mlp pytorch tuned cpu seed 1 round 2``.

    Args:
        subject: the cell, run or certificate.
        parts: which of its fields are named, in this order. The recipe is left out if it is the standard one.
        seed: the seed to name; 0 is left out.
        round: the round to name; 0 is left out.
    """
    words: list[str] = [getattr(subject, part) for part in parts if part != "recipe" or subject.recipe != "standard"]
    words += [f"{name} {number}" for name, number in (("seed", seed), ("round", round)) if number]
    return " ".join(words)


def labels(subjects: Iterable[Subject]) -> str:
    """The names of some subjects, for a note: three of them at most, and how many more there are."""
    names = sorted({label(subject) for subject in subjects})
    return ", ".join([*names[:3], *([f"{len(names) - 3} more"] if len(names) > 3 else [])])


def task_label(task: str, recipe: str) -> str:
    """The name of a task, its recipe and arithmetic; the standard recipe and float32 are left out."""
    first, arithmetic = split_recipe(recipe)
    words = [task, *([] if first == "standard" else [first]), *([] if arithmetic == "float32" else [arithmetic])]
    return ", ".join(words)


def workload_label(epochs: int, examples: int | None, batch_size: int | None) -> str:
    """A workload in words: ``3 epochs of 640 examples, batch size 32``. None: all examples, the recipe's batch size."""
    amount = f"{epochs} epoch{'s' * (epochs != 1)} of {examples or 'all'} example{'s' * (examples != 1)}"
    return amount + (f", batch size {batch_size}" if batch_size else "")


def times(ratio: float) -> str:
    """A ratio with two decimals, or with as many as distinguish it from 1; below 0.1 with two significant digits."""
    for decimals in (2, 3, 4):
        text = _ratio(ratio, decimals)
        if float(text.replace(",", "")) != 1 or ratio == 1:
            return text
    return text


def times_range(low: float, high: float) -> str:
    """An interval of ratios, with as many decimals as distinguish its ends, from each other and from 1."""
    low_text, high_text = times(low), times(high)
    for decimals in (3, 4, 5):
        if low_text != high_text or low == high:
            break
        low_text, high_text = _ratio(low, decimals), _ratio(high, decimals)
    return f"{low_text} to {high_text}"


def _ratio(ratio: float, digits: int) -> str:
    return f"{ratio:,.{digits}f}" if ratio >= 0.1 else f"{ratio:.{digits}g}"


def wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    """The text in lines that end between words; all but the first of them are indented, if there is room."""
    from rich.cells import cell_len  # only where something is shown

    margin = " " * indent if indent < width // 2 else ""
    lines: list[list[str]] = [[]]
    taken = 0
    for word in re.findall(r" *[^ ]+", text):  # each with the blanks before it
        length = cell_len(word)
        if lines[-1] and taken + length > width:
            word = margin + word.lstrip(" ")
            lines.append([])
            taken, length = 0, cell_len(word)
        lines[-1].append(word)
        taken += length
    return ["".join(line) for line in lines]
