"""The Python API of ``sidebyside pair``, and a check for tests of one's own."""

import numpy as np
from numpy.typing import ArrayLike

from backends.cores import usable_cores
from compare.explain.port import compare_models, find_side
from compare.explain.port_text import answer
from compare.records.port import Port


def pair(
    first: str, second: str, inputs: ArrayLike, *, as_they_are: bool = False, timeout: float | None = 300.0
) -> Port:
    """Compares two models of one's own, layer by layer; see ``sidebyside pair --help``.

    Args:
        first: file and function that returns a model: ``mine_torch.py:make``.
        second: the other, which is given the first's parameters.
        inputs: numbers (n, ...), images (n, height, width, channels).
        as_they_are: whether the second keeps its own parameters.
        timeout: seconds for each run of a model; None for no limit.

    Raises:
        SideBySideError: a side cannot be compared; one line that names it.
    """
    array = np.asarray(inputs)
    array = array.astype(np.float32) if array.dtype.kind == "f" else array
    sides = find_side(first), find_side(second)
    return compare_models(*sides, array, usable_cores(), timeout, as_they_are=as_they_are)


def assert_same_model(first: str, second: str, inputs: ArrayLike, *, timeout: float | None = 300.0) -> None:
    """Passes where the second model is the first but for rounding; arguments as of :func:`pair`.

    Raises:
        AssertionError: it is not; the message is the answer of ``sidebyside pair``.
        SideBySideError: a side cannot be compared.
    """
    port = pair(first, second, inputs, timeout=timeout)
    if not port.right:
        raise AssertionError("\n".join(answer(port)))
