"""Lessons on conventions: frameworks that are set to mean the same agree, and defaults differ as is worked out here."""

import math
from collections.abc import Callable, Sequence
from statistics import mean, pvariance, variance

import pytest

from tests.lessons.common import Ran, by_framework, check, flat

CHANNELS = ((3, 4, 5, 2), (1, 1, 9, 6))


def normalized(pixels: Sequence[Sequence[float]], means: Sequence[float], variances: Sequence[float]) -> list[float]:
    """The pixels, ``(pixel, channel)``, normalized, scaled and shifted: flat."""
    scale, shift = (2.0, 0.5), (0.5, 1.0)
    return [
        scale[c] * (pixel[c] - means[c]) / math.sqrt(variances[c] + 1e-3) + shift[c] for pixel in pixels for c in (0, 1)
    ]


def running(old: float, of: Callable[[Sequence[int]], float]) -> list[float]:
    """The running averages of both channels after one batch, of which a tenth is new."""
    return [0.9 * old + 0.1 * of(channel) for channel in CHANNELS]


def test_batch_norm(ran: Ran) -> None:
    result = ran["batch-norm"]
    pixels = list(zip(*CHANNELS, strict=True))
    check(result, "training", normalized(pixels, [*map(mean, CHANNELS)], [*map(pvariance, CHANNELS)]))
    check(result, "inference", normalized(pixels, [4, 5], [4, 9]))
    check(result, "running_mean", running(0, mean))
    check(result, "biased_running_variance", running(1, pvariance))
    defaults = {
        "pytorch": ("momentum=0.1, eps=1e-05", "trains", 0.1),
        "keras": ("momentum=0.99, epsilon=0.001", "infers", 0.9),
        "jax": ("momentum=0.99, epsilon=1e-05", "trains", 0.9),
    }
    for framework, found in by_framework(result).items():
        variances = running(1, variance if framework == "pytorch" else pvariance)
        after = normalized(pixels[:1], running(0, mean), variances)
        assert found["running_variance"] == pytest.approx(variances, rel=1e-5)
        assert found["inference_after_one_batch"] == pytest.approx(after, rel=1e-5)
        if framework in defaults:
            *texts, new = defaults[framework]
            assert [found["defaults"], found["called_plainly"]] == texts
            means = [new * mean(channel) for channel in CHANNELS]
            assert found["mean_with_momentum_0_1"] == pytest.approx(means, rel=1e-5)


def test_dropout(ran: Ran) -> None:
    result = ran["dropout"]
    dropped = (2, 7)
    check(result, "given_mask", [0 if x in dropped else x / 0.8 for x in range(1, 11)])
    check(result, "gradient", [0 if x in dropped else 2 * x / 0.8**2 for x in range(1, 11)])
    check(result, "inference", list(range(1, 11)))
    check(result, "one_becomes", 1 / 0.8)
    for framework, found in by_framework(result).items():
        for output in ("own_is_a_mask_and_a_division", "new_mask_each_time", "whole_channels"):
            assert found[output] is True
        assert found["share_dropped"] == pytest.approx(0.2, abs=4 * math.sqrt(0.2 * 0.8 / 100_000))
        plainly = {"pytorch": "drops", "keras": "does nothing", "jax": "drops"}
        assert found.get("called_plainly") == plainly.get(framework)


def weights_by_hand(rates: Sequence[float], *, rate_in_velocity: bool) -> list[float]:
    """The path of a weight from 0 with gradient 1 and momentum 0.9."""
    weight, velocity, path = 0.0, 0.0, []
    for rate in rates:
        velocity = 0.9 * velocity + (rate if rate_in_velocity else 1)
        weight -= velocity if rate_in_velocity else rate * velocity
        path.append(weight)
    return path


def test_schedules(ran: Ran) -> None:
    result = ran["schedules"]
    halved = [0.1] * 3 + [0.05] * 3 + [0.025] * 3
    check(result, "halved_each_epoch", halved)
    check(result, "exponential", [0.1 / 2 ** (step / 3) for step in range(9)])
    check(result, "cosine", [0.1 * math.cos(math.pi * step / 18) ** 2 for step in range(9)])  # half an angle, squared
    check(result, "epochs_taken_for_steps", [0.1 / 2**step for step in range(9)])
    check(result, "plain_weights", [-sum(halved[: step + 1]) for step in range(9)])
    for inside in (False, True):  # while the rate is constant, where it stands makes no difference
        check(result, "momentum_constant_rate", weights_by_hand([0.1] * 9, rate_in_velocity=inside))
    after = {  # the third step is the last of the first epoch; CosineAnnealingLR goes back the way that it came
        "pytorch": (0.1, 0.05, [0.1 * math.sin(math.pi * step / 18) ** 2 for step in range(4)]),
        "keras": (0.05, None, [0] * 4),
        "jax": (0.1, None, [0] * 4),
    }
    for framework, found in by_framework(result).items():
        path = weights_by_hand(halved, rate_in_velocity=framework == "keras")
        assert found["momentum_falling_rate"] == pytest.approx(path, rel=1e-5)
        if framework in after:
            shown, early, past = after[framework]
            assert found["shown_after_a_step"] == pytest.approx(shown)
            assert found.get("first_rate_if_stepped_too_early") == (early and pytest.approx(early))
            assert found["cosine_past_its_end"] == pytest.approx(past, abs=1e-6)


def sgd_by_hand(
    weight: float, gradient: float, *, coupled: float = 0, decoupled: float = 0, momentum: float = 0
) -> float:
    """A weight after five steps with rate 0.1."""
    velocity = 0.0
    for _ in range(5):
        velocity = momentum * velocity + gradient + coupled * weight
        weight -= 0.1 * (velocity + decoupled * weight)
    return weight


def adam_by_hand(weight: float, gradient: float, *, coupled: float = 0, decoupled: float = 0) -> float:
    first, second = 0.0, 0.0
    for step in range(1, 6):
        whole = gradient + coupled * weight
        first, second = 0.9 * first + 0.1 * whole, 0.999 * second + 0.001 * whole**2
        corrected = first / (1 - 0.9**step), second / (1 - 0.999**step)
        weight -= 0.1 * (corrected[0] / (math.sqrt(corrected[1]) + 1e-8) + decoupled * weight)
    return weight


def test_weight_decay(ran: Ran) -> None:
    result = ran["weight-decay"]
    kernel = ((4, 0.5), (-2, 0.1), (1, -0.2))  # weight and gradient
    for form in ("coupled", "decoupled"):  # with plain SGD there is no difference
        check(result, "sgd_given_weight_decay", [sgd_by_hand(*pair, **{form: 0.1}) for pair in kernel])
        check(result, f"adam_{form}", [adam_by_hand(*pair, **{form: 0.1}) for pair in kernel])
    check(result, "momentum_coupled", [sgd_by_hand(*pair, coupled=0.1, momentum=0.9) for pair in kernel])
    check(result, "bias", sgd_by_hand(3, 0.4, coupled=0.1))
    check(result, "bias_left_out", 3 - 5 * 0.1 * 0.4)
    forms = {"pytorch": ("coupled", 0.1, 0.01), "keras": ("decoupled", 2 * 0.1, 0.004), "jax": (None, 0.1, 0.0001)}
    for framework, found in by_framework(result).items():
        form, factor, default = forms.get(framework, (None, None, None))
        if form:
            momentum = [sgd_by_hand(*pair, **{form: 0.1}, momentum=0.9) for pair in kernel]
            assert found["momentum_given_weight_decay"] == pytest.approx(momentum, rel=1e-5)
            adam = [adam_by_hand(*pair, **{form: 0.1}) for pair in kernel]
            assert found["adam_given_weight_decay"] == pytest.approx(adam, rel=1e-5)
        if factor:
            assert found["added_to_the_gradient"] == pytest.approx([factor * weight for weight, _ in kernel], rel=1e-5)
        assert found.get("adamw_default") == default


def convolved(n: int, before: int) -> list[list[int]]:
    """Windows of 3 x 3 with stride 2 over an image 0, 1, 2 ... of n x n, times a kernel 1 to 9: ceil(n / 2) a side."""

    def pixel(y: int, x: int) -> int:
        return y * n + x if 0 <= y < n and 0 <= x < n else 0

    inner, outer = range(3), range((n + 1) // 2)
    return [
        [
            sum(pixel(2 * y + i - before, 2 * x + j - before) * (3 * i + j + 1) for i in inner for j in inner)
            for x in outer
        ]
        for y in outer
    ]


def test_padding(ran: Ran) -> None:
    result = ran["padding"]
    check(result, "padded_0_1", convolved(4, before=0))
    check(result, "padded_1_1", convolved(4, before=1))
    check(result, "odd_image", convolved(5, before=1))
    check(result, "sizes", [math.ceil(n / 2) for n in (4, 5, 6, 7)])
    check(result, "sizes_without_padding", [(n - 3) // 2 + 1 for n in (4, 5, 6, 7)])
    counted, not_counted = [4 / 9, 6 / 9, 4 / 9, 6 / 9, 1, 6 / 9, 4 / 9, 6 / 9, 4 / 9], [1] * 9
    check(result, "average_counted", counted)
    check(result, "average_not_counted", not_counted)
    check(result, "largest_of_minus_ones", [-1] * 9)
    for framework, found in by_framework(result).items():
        assert found["usual_line"] == convolved(4, before=1 if framework == "pytorch" else 0)
        if framework != "numpy":
            assert found["same_with_a_stride"].startswith("ValueError" if framework == "pytorch" else "2 x 2")
            default = not_counted if framework == "keras" else counted
            assert flat(found["average_by_default"]) == pytest.approx(default)
