"""When outputs count as equal, and that a difference is a failure."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends.lessons import load_lesson
from compare.lessons import run as lessons
from compare.lessons.agreement import judge
from tests.lessons.common import Ran, column


def verdict_of(left: Any, right: Any, name: str = "x", lesson: str = "gradient") -> str:
    (verdict,) = judge(load_lesson(lesson), [column("numpy", **{name: left}), column("jax", **{name: right})])
    return verdict.verdict


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        (1.0, 1.000009, "agree"),
        (1.0, 1.00002, "disagree"),
        (0.0, 9e-7, "agree"),
        (0.0, 2e-6, "disagree"),
        ([1.0, 2.0], [1.0, 2.0001], "disagree"),
        ([1.0, 2.0], [[1.0, 2.0]], "disagree"),
        ([1.0], [1.0, 1.0], "disagree"),
        (25, 25.0, "agree"),
        (True, True, "agree"),
        (True, False, "disagree"),
        (True, "True", "disagree"),
        ("a", "b", "disagree"),
        ([[0, 1], [2]], [[0, 1], [2]], "agree"),
        ([[0, 1], [2]], [[0, 1], [3]], "disagree"),
        ([], [], "agree"),
    ],
)
def test_agreement(left: Any, right: Any, verdict: str) -> None:
    assert verdict_of(left, right) == verdict


def test_marks_of_a_lesson_are_followed() -> None:
    assert verdict_of("a", "b", "shape_error", "matmul") == "differ"
    assert verdict_of(0.9, 0.9019, "mnist_accuracy_standard", "loss-traps") == "agree"
    assert verdict_of(0.9, 0.9021, "mnist_accuracy_standard", "loss-traps") == "disagree"


def test_an_output_that_one_framework_lacks_is_a_failure() -> None:
    columns = (column("numpy", x=1.0), column("jax", y=1.0))
    assert [v.verdict for v in judge(load_lesson("gradient"), columns)] == ["disagree", "disagree"]


def test_one_framework_alone_agrees_with_nobody(tmp_path: Path) -> None:
    result = lessons.run_lesson("gradient", ["numpy"])
    assert result.failures == ()
    assert {verdict.verdict for verdict in result.verdicts} == {"alone"}


def test_a_nudged_output_is_a_failure(ran: Ran) -> None:
    result = ran["neuron"]
    first = result.columns[0]
    losses = [*first.outputs["losses"]]
    losses[3] += 1e-4
    nudged = replace(first, framework="jax", outputs={**first.outputs, "losses": losses})
    verdicts = judge(load_lesson("neuron"), [first, nudged])
    failures = replace(result, columns=(first, nudged), verdicts=verdicts).failures
    assert len(failures) == 1
    assert failures[0].startswith("neuron: losses: JAX differs from NumPy, by 0.0001")
