"""``sidebyside pair``: two models of a user's own, held against each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from cyclopts import Parameter

from backends.cores import usable_cores
from compare.cli import pages
from compare.cli.run import Json
from compare.cli.status import FAILED, OK
from compare.run.checks import check_interpreters, flag
from tasks.errors import SideBySideError
from tasks.reproducible import random_stream

if TYPE_CHECKING:
    from backends.own import Array

MOST_STEPS = 100
LARGEST = 100_000_000
"""Numbers that inputs may have."""


@dataclass(frozen=True)
class Given:
    """What both models are given."""

    input: Path | None = None
    """An .npz file with inputs x, images (n, height, width, channels)."""
    shape: str | None = None
    """Draw inputs of this shape instead: 8,28,28,1."""
    steps: int = 0
    """Train so many steps too, by your own optimizers and losses: the functions return (model, optimizer, loss), and
    the file of inputs has their targets y."""
    as_they_are: Annotated[bool, Parameter(negative=())] = False
    """Leave the second its own parameters."""


def pair(
    first: Annotated[str, Parameter(name="FIRST")],
    second: Annotated[str, Parameter(name="SECOND")],
    /,
    *,
    given: Annotated[Given, Parameter(name="*")] = Given(),
    python: Annotated[Sequence[str], flag("--python", several=True)] = (),
    timeout: float = 300.0,
    html: Path | None = None,
    json: Json = False,
) -> int:
    """Compare two models of your own, layer by layer: is the second a right port of the first?

    Args:
        first: File and function that returns a model of PyTorch, Keras or flax nnx, without arguments: mine.py:make.
            Where the file imports several frameworks: keras=mine.py:make.
        second: The other. It is given the first's parameters.
        python: Run a framework in another environment, where this package is installed too: keras=ENV/bin/python.
        timeout: Limit for each run of a model, in seconds.
        html: Write a page with a chart to this file.
    """
    from compare.executors.interpreters import find_interpreters
    from compare.explain import port_page, port_text
    from compare.explain.port import Asked, compare_models
    from compare.explain.sides import find_side
    from compare.report.layout import print_line, print_table, terminal

    if not 0 < timeout < float("inf"):
        raise SideBySideError(f"timeout is {timeout:g}: give seconds above 0")
    pages.check_page(html)
    inputs, steps = _inputs(given.input, given.shape), given.steps
    if not 0 <= steps <= MOST_STEPS:
        raise SideBySideError(f"steps is {steps}: give a number from 0 to {MOST_STEPS}")
    paths = dict(word.partition("=")[::2] for word in check_interpreters(python))
    interpreters = find_interpreters({name: Path(path) for name, path in paths.items()})
    sides = find_side(first, interpreters), find_side(second, interpreters)
    targets = _targets(given.input, len(inputs)) if steps else None
    port = compare_models(
        *sides, Asked(inputs, targets, steps, given.as_they_are, usable_cores(), timeout, interpreters)
    )
    if html is not None:
        pages.write_page(html, lambda: port_page.write_page(port, html))
    if json:
        print(port.model_dump_json(indent=1))
        return OK if port.right else FAILED
    console = terminal()
    for line in port_text.answer(port):
        print_line(line, console)
    console.print()
    print_table(*port_text.table(port), console)
    for line in port_text.notes(port):
        console.print()
        print_line(line, console)
    return OK if port.right else FAILED


def _inputs(file: Path | None, shape: str | None) -> "Array":
    if (file is None) == (shape is None):
        raise SideBySideError("give the inputs by --input FILE.npz or by --shape 8,28,28,1")
    if shape is not None:
        words = shape.split(",")
        if not all(word.strip().isdecimal() and int(word) > 0 for word in words) or len(words) < 2:
            raise SideBySideError(f"shape is {shape}: give whole numbers above 0, the first of examples, as 8,28,28,1")
        lengths = [int(word) for word in words]
        if float(np.prod([float(length) for length in lengths])) > LARGEST:
            raise SideBySideError(f"shape is {shape}: that is more than {LARGEST:,} numbers; give fewer examples")
        return random_stream(0, "parameters").standard_normal(lengths).astype(np.float32)
    assert file is not None
    found = _read(file, "x", "inputs")
    if found.ndim < 2 or not len(found) or found.dtype.kind not in "fiu" or found.size > LARGEST:
        raise SideBySideError(f"{file}: x must be numbers (n, ...), not {found.dtype} {found.shape}")
    return found.astype(np.float32) if found.dtype.kind == "f" else found.astype(np.int64)


def _targets(file: Path | None, count: int) -> "Array":
    if file is None:
        raise SideBySideError("training needs targets: give --input FILE.npz with inputs x and targets y")
    found = _read(file, "y", "targets")
    if not found.ndim or len(found) != count or found.dtype.kind not in "fiu":
        raise SideBySideError(f"{file}: y must be numbers, one or more for each of the {count} inputs")
    return found.astype(np.float32) if found.dtype.kind == "f" else found.astype(np.int32)


def _read(file: Path, name: str, what: str) -> "Array":
    try:
        with np.load(file, allow_pickle=False) as arrays:
            found: Array = arrays[name]
            return found
    except KeyError as error:
        raise SideBySideError(f"{file}: there is no {name} in it: save by np.savez(file, {name}={what})") from error
    except (OSError, ValueError, EOFError) as error:
        raise SideBySideError(f"{file}: cannot be read as .npz; write one by np.savez(file, {name}={what})") from error
