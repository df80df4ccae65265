"""The frameworks agree in every lesson; lessons on networks and gradients give what is worked out by hand."""

import json
import math
import re
from collections.abc import Callable

import pytest

from backends.lessons import load_lesson
from compare.lessons.result import FRAMEWORKS, LessonResult
from tests.lessons.common import NAMES, SLOW, Ran, check, everywhere, flat, sigmoid


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SLOW])
def test_frameworks_agree(name: str, ran: Ran) -> None:
    check_agreement(ran[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_frameworks_agree_in_slow_lessons(name: str, ran_slow: Ran) -> None:
    check_agreement(ran_slow[name])


def check_agreement(result: LessonResult) -> None:
    assert result.failures == ()
    assert {column.status for column in result.columns} <= {"ok", "missing"}
    lesson = load_lesson(result.name)
    installed = [column for column in result.columns if column.status == "ok"]
    assert len(installed) >= 1
    kinds = {verdict.output: verdict.verdict for verdict in result.verdicts}
    assert set(lesson.differs) | set(lesson.tolerances) <= set(kinds), "every mark is of an output that there is"
    expected = "agree" if len(installed) > 1 else "alone"
    for output, kind in kinds.items():
        assert kind == ("differ" if output in lesson.differs else expected), output
    if len(installed) == len(FRAMEWORKS):
        for output in lesson.differs:
            values = [json.dumps(column.outputs.get(output)) for column in installed]
            assert len(set(values)) > 1, f"{output} is marked as differing, and does not"


def test_neuron(ran: Ran) -> None:
    result = ran["neuron"]
    weights = [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0]
    check(result, "weights", weights)
    check(result, "losses", [(sigmoid(2.1 * w) - 1) ** 2 for w in weights])

    def derivative(w: float) -> float:
        p = sigmoid(2.1 * w)
        return 2 * (p - 1) * p * (1 - p) * 2.1

    check(result, "derivatives", [derivative(w) for w in weights[:-1]])
    # At weight 0 the sigmoid is 1/2: 2 * (-1/2) * 1/4 * 2.1.
    assert derivative(0) == pytest.approx(-0.525)
    check(result, "curve", [(sigmoid(2.1 * (-6 + step / 5)) - 1) ** 2 for step in range(61)])


def test_activations(ran: Ran) -> None:
    result = ran["activations"]
    xs = [-5 + step / 4 for step in range(41)]
    weights, biases = [0, 0.2, 0.4, 0.6, 0.8, 1], [-1, -0.6, -0.2, 0.2, 0.6, 1]
    total = sum(map(math.exp, xs))
    check(result, "softmax", [math.exp(x) / total for x in xs])
    functions: dict[str, Callable[[float], float]] = {
        "tanh": math.tanh,
        "sigmoid": sigmoid,
        "relu": lambda x: max(x, 0.0),
    }
    for name, function in functions.items():
        check(result, name, [function(x) for x in xs])
        check(result, f"{name}_by_weight", [[function(w * x) for x in xs] for w in weights])
        check(result, f"{name}_by_bias", [[function(x + b) for x in xs] for b in biases])


def test_matmul(ran: Ran) -> None:
    result = ran["matmul"]
    # 0.13135664 - 0.27953716 + 1.16683632 - 0.15399626 - 2.84426376 + 0.3177
    expected = -1.66190422
    check(result, "by_sum", expected)
    check(result, "by_matmul", [[expected]])
    check(result, "output", [[sigmoid(expected)]])
    for column in result.columns:
        if column.status == "ok":
            assert re.fullmatch(r"\w+Error: .+", column.outputs["shape_error"])


def test_two_layers(ran: Ran) -> None:
    x = (-0.1468, 0.7861, 0.9468)
    first = -0.1468 * -1.1143 + 0.7861 * -0.8948 + 0.9468 * 1.2324 + 0.1328
    second = x[0] * 1.6908 + x[1] * -0.3556 + x[2] * 0.1382 + 0.1373
    hidden = [sigmoid(first), sigmoid(second)]
    check(ran["two-layers"], "hidden", [hidden])
    check(ran["two-layers"], "output", [[sigmoid(hidden[0] * -1.6822 + hidden[1] * 0.3177 + 0.2405)]])


def test_gradient(ran: Ran) -> None:
    result = ran["gradient"]
    check(result, "dy_dx_at_2", 25)
    check(result, "dy_dx", [151, 97, 55, 25, 7, 1, 7, 25, 55, 97, 151])
    y = math.tanh(0.2 * 1.0 + 0.3 * 0.4 + 1)
    slope = 1 - y * y
    check(result, "neuron", y)
    check(result, "neuron_d_w", [0.2 * slope, 0.3 * slope])
    check(result, "neuron_d_x", [1.0 * slope, 0.4 * slope])
    check(result, "neuron_d_b", slope)


def test_gradient_descent(ran: Ran) -> None:
    check(ran["gradient-descent"], "path", [20 * 0.8**step for step in range(151)])
    for minimum in everywhere(ran["gradient-descent"], "minimum"):
        assert minimum == pytest.approx(20 * 0.8**150, rel=1e-4)


def test_counting(ran: Ran) -> None:
    result = ran["counting"]
    check(result, "by_arithmetic", 13002)
    check(result, "by_framework", 13002)
    check(result, "by_layer", [12560, 272, 170])
    counts = {"and-gate": 3, "iris-mlp": 193, "mnist-mlp": 669_706, "mnist-dense": 118_282, "mnist-cnn": 804_554}
    for task, count in counts.items():
        check(result, task, count)
    assert all("272" in summary or "16" in summary for summary in everywhere(result, "summary"))


def test_and_gate(ran: Ran) -> None:
    result = ran["and-gate"]
    for answers in everywhere(result, "answers"):
        assert answers == [False, False, False, True]
    for column in result.columns:
        if column.status == "ok":
            (w1, w2), (b,) = flat(column.outputs["kernel"]), column.outputs["bias"]
            expected = [sigmoid(x1 * w1 + x2 * w2 + b) for x1 in (0, 1) for x2 in (0, 1)]
            assert column.outputs["outputs"] == pytest.approx(expected, rel=1e-4)
    assert "six digits" in result.note
    assert max(verdict.largest_difference or 0 for verdict in result.verdicts) < 2e-6


def test_layers(ran: Ran) -> None:
    check(ran["layers"], "dense", [[0 * 1 + 0.2 * 2 + 0.4 * 3 + 0.5, 0.1 * 1 + 0.3 * 2 + 0.5 * 3 - 0.5]])

    def pixel(y: int, x: int, channel: int) -> float:
        return (y * 4 + x) * 2 / 32 + channel / 32 if 0 <= y < 4 and 0 <= x < 4 else 0.0

    def weight(i: int, j: int, channel: int, filter_: int) -> float:
        return (((i * 3 + j) * 2 + channel) * 3 + filter_) / 54

    conv = [
        sum(pixel(y + i - 1, x + j - 1, c) * weight(i, j, c, f) for i in range(3) for j in range(3) for c in range(2))
        + (0.1, 0.2, 0.3)[f]
        for y in range(4)
        for x in range(4)
        for f in range(3)
    ]
    check(ran["layers"], "conv", conv)
