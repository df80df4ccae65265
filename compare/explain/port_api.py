"""The Python API of ``sidebyside pair``, and a check for tests of one's own."""

import numpy as np
from numpy.typing import ArrayLike

from backends.cores import usable_cores
from compare.explain.port import Asked, compare_models
from compare.explain.port_text import answer
from compare.explain.sides import find_side
from compare.records.port import Port


def pair(
    first: str,
    second: str,
    inputs: ArrayLike,
    targets: ArrayLike | None = None,
    *,
    steps: int = 3,
    as_they_are: bool = False,
    timeout: float | None = 300.0,
) -> Port:
    """Compares two models of one's own, layer by layer; see ``sidebyside pair --help``.

    Args:
        first: file and function that returns a model: ``mine_torch.py:make``.
        second: the other, which is given the first's parameters.
        inputs: numbers (n, ...), images (n, height, width, channels).
        targets: of the inputs, (n,) or (n, outputs); with them the models are trained too, by the optimizers and losses
            that the functions return besides: ``(model, optimizer, loss)``.
        steps: of training.
        as_they_are: whether the second keeps its own parameters.
        timeout: seconds for each run of a model; None for no limit.

    Raises:
        SideBySideError: a side cannot be compared; one line that names it.
    """
    arrays = [None if given is None else np.asarray(given) for given in (inputs, targets)]
    x, y = (a if a is None or a.dtype.kind != "f" else a.astype(np.float32) for a in arrays)
    assert x is not None
    asked = Asked(x, y, 0 if y is None else steps, as_they_are, usable_cores(), timeout)
    return compare_models(find_side(first), find_side(second), asked)


def assert_same_model(
    first: str,
    second: str,
    inputs: ArrayLike,
    targets: ArrayLike | None = None,
    *,
    steps: int = 3,
    timeout: float | None = 300.0,
) -> None:
    """Passes where the second model is the first but for rounding; arguments as of :func:`pair`.

    Raises:
        AssertionError: it is not; the message is the answer of ``sidebyside pair``.
        SideBySideError: a side cannot be compared.
    """
    port = pair(first, second, inputs, targets, steps=steps, timeout=timeout)
    if not port.right:
        raise AssertionError("\n".join(answer(port)))
