"""The lessons' names, and help to run them and to compare what they give."""

import math
from collections.abc import Sequence
from typing import Any

import pytest

import backends
from compare.lessons import run as lessons
from compare.lessons.result import FRAMEWORKS, FrameworkResult, LessonResult
from tests.conftest import is_there

NAMES = (
    *("neuron", "activations", "tensors", "matmul", "two-layers", "gradient", "gradient-descent", "counting"),
    *("and-gate", "layers", "padding", "batch-norm", "loss-traps", "randomness", "dropout", "training-loop"),
    *("weight-decay", "schedules", "save-load", "save-formats", "inputs", "data-look"),
)
SLOW = ("loss-traps", "save-load")
Ran = dict[str, LessonResult]


def run(names: Sequence[str]) -> Ran:
    for framework in FRAMEWORKS:
        is_there(framework)  # an error where SIDEBYSIDE_REQUIRE names a framework that is not
    return {result.name: result for result in lessons.run_lessons(names)}


def everywhere(result: LessonResult, output: str) -> list[Any]:
    """One output in every framework that is installed."""
    found = [column.outputs[output] for column in result.columns if column.status == "ok"]
    assert len(found) == sum(backends.missing(framework) is None for framework in FRAMEWORKS)
    return found


def check(result: LessonResult, output: str, expected: Any) -> None:
    """Holds one output of every framework against a value worked out here."""
    for value in everywhere(result, output):
        assert flat(value) == pytest.approx(flat(expected), rel=1e-5, abs=1e-6)


def by_framework(result: LessonResult) -> dict[str, dict[str, Any]]:
    """The outputs of every framework that is installed."""
    return {column.framework: column.outputs for column in result.columns if column.status == "ok"}


def flat(value: Any) -> list[float]:
    if isinstance(value, list | tuple):
        return [number for item in value for number in flat(item)]
    return [value]


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def column(framework: str, **outputs: Any) -> FrameworkResult:
    return FrameworkResult(framework, {framework: "1"}, "def f(): ...\n", "ok", "", outputs, 0.0)
