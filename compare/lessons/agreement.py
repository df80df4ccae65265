"""Whether the outputs of the frameworks agree within the rounding of float32, or differ as the lesson says."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.lessons import Lesson
from compare.lessons.result import Agreement, FrameworkResult

RELATIVE, ABSOLUTE = 1e-5, 1e-6
"""How far two outputs may be apart: about 100 roundings of float32 relative to the value, plus an absolute floor."""


def judge(lesson: Lesson, columns: Sequence[FrameworkResult]) -> tuple[Agreement, ...]:
    """Compares each output of the frameworks that ran with that of the first of them."""
    ran = [column for column in columns if column.status == "ok"]
    names = dict.fromkeys(name for column in ran for name in column.outputs)
    return tuple(_agreement(name, lesson, ran) for name in names)


def _agreement(name: str, lesson: Lesson, ran: Sequence[FrameworkResult]) -> Agreement:
    if name in lesson.differs:
        values = [column.outputs.get(name) for column in ran]
        same = len(ran) > 1 and all(value == values[0] for value in values)
        return Agreement(name, "alike" if same else "differ", None, lesson.differs[name])
    without = [column.label for column in ran if name not in column.outputs]
    if without:
        return Agreement(name, "disagree", None, f"no such output in {', '.join(without)}")
    if len(ran) < 2:
        return Agreement(name, "alone", None, "nothing to compare with")
    first, *others = ran
    largest: float | None = None
    for other in others:
        difference, agrees = _compare(first.outputs[name], other.outputs[name], lesson.tolerances.get(name))
        if difference is not None:
            largest = max(difference, largest or 0.0)
        if not agrees:
            by = "" if difference is None else f", by {difference:.3g}"
            text = f"{other.label} differs from {first.label}{by}"
            return Agreement(name, "disagree", largest, text)
    return Agreement(name, "agree", largest, "")


def _compare(reference: Any, value: Any, tolerance: float | None) -> tuple[float | None, bool]:
    """The largest difference, None where the values are not numbers of one shape, and whether it is small enough."""
    left, right = numbers(reference), numbers(value)
    if left is None or right is None or left.shape != right.shape:
        return None, bool(reference == value)
    differences = np.abs(left - right)
    allowed = ABSOLUTE + RELATIVE * np.abs(left) if tolerance is None else tolerance
    return float(differences.max(initial=0.0)), bool((differences <= allowed).all())


def numbers(value: Any) -> NDArray[np.float64] | None:
    """A number or a nested list of numbers as an array; None for anything else (text, truth values, ragged lists)."""
    try:
        array = np.array(value)
    except ValueError:
        return None
    return array.astype(np.float64) if array.dtype.kind in "iuf" else None
