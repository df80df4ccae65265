"""Outputs and verdicts as text, for the terminal and for the page."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compare.lessons.agreement import numbers
from compare.lessons.result import Agreement, FrameworkResult, LessonResult


def shown(value: Any) -> str:
    """A value as a reader sees it: with six digits, long arrays abbreviated."""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:.7g}"
    array = numbers(value)
    if array is None:
        if all(isinstance(item, str) for item in value):
            return "\n".join(value)
        return str(value)
    if array.size > 40:
        flat = array.ravel()
        ends = [f"{item + 0:.6g}" for item in (*flat[:2], *flat[-2:])]
        shape = " x ".join(map(str, array.shape))
        return (
            f"{shape} numbers: {ends[0]} {ends[1]} … {ends[2]} {ends[3]}, from {array.min():.6g} to {array.max():.6g}"
        )
    return _array_text(array, 1)


def _array_text(array: NDArray[Any], depth: int) -> str:
    if array.ndim == 1:
        return "[" + " ".join(f"{item + 0:.6g}" for item in array) + "]"  # + 0: a negative zero is a zero
    return "[" + ("\n" + " " * depth).join(_array_text(row, depth + 1) for row in array) + "]"


def is_block(value: Any) -> bool:
    """Whether a value is too large for a table cell: text of several lines, or a table of whole numbers."""
    if isinstance(value, str):
        return "\n" in value
    array = np.array(value) if numbers(value) is not None else None
    return array is not None and array.ndim == 2 and array.dtype.kind in "iu" and 40 < array.size <= 1024


def block_text(value: Any) -> str:
    """A block as text; tables are written in full."""
    if isinstance(value, str):
        return value
    return "\n".join(" ".join(f"{item:3d}" for item in row) for row in value)


def _block(title: str, value: Any, width: int | None) -> tuple[str, str]:
    """A heading and a block; a table that is too wide loses its outer columns of zeros."""
    if width is not None and not isinstance(value, str) and len(block_text(value[:1])) > width:
        filled = np.flatnonzero(np.any(value, axis=0))
        if filled.size:
            title += f"\ncolumns {filled[0]} to {filled[-1]}; all others are 0"
            value = [row[filled[0] : filled[-1] + 1] for row in value]
    return title, block_text(value)


def verdict_text(verdict: Agreement, *, reason: bool = True) -> str:
    if verdict.verdict == "agree":
        apart = verdict.largest_difference
        return f"agree to {apart:.1g}" if apart else "agree"
    words = {
        "alike": "may differ, and does not here",
        "differ": "differs by design",
        "disagree": "DISAGREE",
        "alone": "one alone",
    }
    word = words[verdict.verdict]
    return f"{word}: {verdict.text}" if reason else word


def heading(column: FrameworkResult) -> str:
    main = next(iter(column.versions.values()), "")
    return f"{column.label} {main}".strip()


def blocks(result: LessonResult, verdict: Agreement, width: int | None = None) -> list[tuple[str, str]]:
    """An output that is a block, with a heading: once if all frameworks agree, otherwise once per framework.

    Args:
        result: result of the lesson.
        verdict: verdict on the output.
        width: width that tables should fit into, in characters; None for tables in full.
    """
    ran = [column for column in result.columns if verdict.output in column.outputs]
    if not any(is_block(column.outputs[verdict.output]) for column in ran):
        return []
    if verdict.verdict == "agree":
        labels = ", ".join(column.label for column in ran)
        return [_block(f"{verdict.output} (the same in {labels})", ran[0].outputs[verdict.output], width)]
    return [_block(f"{verdict.output}: {column.label}", column.outputs[verdict.output], width) for column in ran]
