"""One function of a lesson, in this process, which holds one framework."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from backends.lessons import load_lesson
from compare.records.event import Reply
from compare.records.request import LessonRequest


def run_lesson(request: LessonRequest) -> Reply:
    """Runs the function and returns its outputs by name."""
    outputs = load_lesson(request.lesson).run(request.framework, request.stage, Path(request.folder))
    value = plain(outputs)
    json.dumps(value, allow_nan=False)  # raises where an output is NaN or infinite
    return Reply(value=value)


def plain(value: Any) -> Any:
    """Outputs as JSON has them. A float32 becomes the shortest decimal that stands for it: 0.1, not 0.10000000149.

    Raises:
        TypeError: a value is none of what :data:`backends.lessons.Outputs` allows (a framework's tensor, say).
    """
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind == "f" and value.dtype.itemsize < 8:
            value = np.asarray(value).astype(str).astype(np.float64)
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"a lesson returned a {type(value).__name__}; it must return NumPy arrays, numbers, strings or lists"
    )
