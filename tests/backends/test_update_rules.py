"""The reference's optimizers and losses against formulas that are written out number by number, in float64."""

from dataclasses import replace
from math import exp, hypot, log, sqrt
from typing import Any

import numpy as np
import pytest

from backends.numpy.training import loss_function, make_optimizer
from tasks.layers import Dense
from tasks.schedules import StepDecay
from tasks.task import Recipe
from tasks.training import SGD, Adadelta, Adam, AdamW, Loss, Optimizer, RMSprop
from tests.samples import make_sample

KERNEL, BIAS = "0_dense/kernel", "0_dense/bias"
GRADIENTS = [(0.3, -0.2), (-0.1, 0.5), (0.7, 0.01), (0.0, -0.4), (-0.9, 0.3)]
"""Of the kernel and of the bias, at each step."""
RATES = [0.2, 0.2, 0.1, 0.1, 0.1]


def by_hand(rule: Any, gradients: list[float], decay: float, rates: list[float]) -> float:
    """One parameter, from 0.8, by the docstring of its rule."""
    p, m, v, s, u = 0.8, 0.0, 0.0, 0.0, 0.0
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), 1):
        g = gradient if isinstance(rule, AdamW) else gradient + decay * p
        match rule:
            case SGD():
                v = rule.momentum * v + g
                direction = g + rule.momentum * v if rule.nesterov else v
            case Adam():
                m = rule.beta_1 * m + (1 - rule.beta_1) * g
                s = rule.beta_2 * s + (1 - rule.beta_2) * g**2
                direction = (m / (1 - rule.beta_1**t)) / (sqrt(s / (1 - rule.beta_2**t)) + rule.epsilon)
            case RMSprop():
                s = rule.decay * s + (1 - rule.decay) * g**2
                v = rule.momentum * v + g / (sqrt(s) + rule.epsilon)
                direction = v
            case Adadelta():
                s = rule.decay * s + (1 - rule.decay) * g**2
                direction = g * sqrt(u + rule.epsilon) / sqrt(s + rule.epsilon)
                u = rule.decay * u + (1 - rule.decay) * direction**2
        p = p - rate * direction - (rate * decay * p if isinstance(rule, AdamW) else 0)
    return p


def trained(recipe: Recipe) -> list[float]:
    """The kernel and the bias after all steps."""
    parameters = {KERNEL: np.array([[0.8]]), BIAS: np.array([0.8])}
    optimizer = make_optimizer(recipe, parameters)
    for kernel, bias in GRADIENTS:
        optimizer.update(parameters, {KERNEL: np.array([[kernel]]), BIAS: np.array([bias])})
    return [float(parameters[KERNEL][0, 0]), float(parameters[BIAS][0])]


@pytest.mark.parametrize("clip_norm", [None, 0.35])
@pytest.mark.parametrize(
    "rule",
    [
        SGD(0.2),
        SGD(0.2, 0.9, weight_decay=0.3),
        SGD(0.2, 0.9, nesterov=True),
        Adam(0.2, weight_decay=0.3),
        AdamW(0.2, 0.8, 0.99, 1e-3, weight_decay=0.3),
        RMSprop(0.2, 0.8, 1e-2),
        RMSprop(0.2, momentum=0.9, weight_decay=0.3),
        Adadelta(0.2, 0.95, 1e-2),
        Adadelta(0.2, weight_decay=0.3),
    ],
    ids=str,
)
def test_five_steps_of_each_rule(rule: Optimizer, clip_norm: float | None) -> None:
    """With the rate halved after two steps; the kernel decays, the bias does not; they are clipped together."""
    recipe = make_sample((1,), (Dense(1),), loss="sum_of_squared_errors", optimizer=rule).recipe
    recipe = replace(recipe, schedule=StepDecay(0.5), steps_an_epoch=2, clip_norm=clip_norm)
    recipe = replace(recipe, epochs=2)  # the fifth step is one beyond: it keeps the last rate
    factors = [min(1.0, (clip_norm or 9.0) / hypot(*pair)) for pair in GRADIENTS]
    expected = [
        by_hand(rule, [f * pair[at] for f, pair in zip(factors, GRADIENTS, strict=True)], decay, RATES)
        for at, decay in enumerate([rule.weight_decay, 0.0])
    ]
    np.testing.assert_allclose(trained(recipe), expected, rtol=1e-6)  # the rates are rounded to float32
    assert not np.allclose(trained(replace(recipe, schedule=StepDecay(0.6))), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "smoothing", "outputs", "expected"),
    [
        ("mean_squared_error", 0.0, [[3.0], [-1.0]], (9 + 4) / 2),
        ("binary_cross_entropy", 0.0, [[3.0], [-1.0]], (log(1 + exp(3)) + log(1 + exp(1))) / 2),
        ("binary_cross_entropy", 0.0, [[1000.0], [-1000.0]], 1000.0),
        (
            "cross_entropy",
            0.3,
            [[1.0, 0.0], [0.0, 2.0]],
            (log(exp(1) + 1) - 0.85 + log(1 + exp(2)) - 0.85 * 2) / 2,
        ),
    ],
)
def test_losses_by_hand(loss: Loss, smoothing: float, outputs: list[list[float]], expected: float) -> None:
    """Labels 0 and 1. The gradient is that of finite differences, and finite where the exponential is not."""
    sample = make_sample((2,), (Dense(len(outputs[0])),), loss=loss, label_smoothing=smoothing)
    function, z, labels = loss_function(sample.recipe), np.array(outputs), np.array([0, 1], np.int32)
    value, gradient = function(z, labels)
    assert value == pytest.approx(expected, rel=1e-12)
    for index in np.ndindex(*z.shape):
        step = np.zeros_like(z)
        step[index] = 1e-6
        slope = (function(z + step, labels)[0] - function(z - step, labels)[0]) / 2e-6
        assert gradient[index] == pytest.approx(slope, abs=1e-6)
