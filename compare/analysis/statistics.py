"""Speeds compared and described from few repetitions.

Speeds are compared round by round: every round runs each cell once, and whatever slows the machine for a whole round
cancels in the ratio of two speeds of that round. There are usually three or five rounds, for which the usual bootstrap
is wrong: a percentile interval never leaves the range of the observed ratios, so that with five rounds it misses the
true ratio at least one time in sixteen, and in simulation one time in six. :func:`compare_ratio` has the remedy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import comb, exp, pi, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Values = Sequence[float] | NDArray[np.floating]
Interval = tuple[float, float]
Verdict = Literal["faster", "slower", "not distinguishable"]

CONFIDENCE = 0.95
MINIMUM_ROUNDS = 3  # with fewer there is no interval
OUTLIER_SCORE = 3.5


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; the interval is None if there are too few repetitions for one."""

    value: float
    interval: Interval | None
    count: int


@dataclass(frozen=True)
class SpeedRatio:
    """How fast one cell is, relative to another.

    Attributes:
        ratio: speed of the first cell divided by that of the second: the geometric mean of the rounds' ratios.
        interval: 95 % interval of the ratio; None with fewer than three rounds.
        verdict: about the first cell; "not distinguishable" if the interval contains 1 or is missing.
        rounds: number of pairs of speeds.
    """

    ratio: float
    interval: Interval | None
    verdict: Verdict
    rounds: int


def compare_ratio(first: Values, second: Values) -> SpeedRatio:
    """Compares the speeds of two cells, paired by round.

    The interval is a bootstrap t interval of the mean log ratio: Student's quantile times a bootstrap standard error
    (Moore, McCabe and Craig, Introduction to the Practice of Statistics, chapter 16). Resampling the n values as they
    are makes this error too small by a factor of sqrt((n - 1) / n) (Hesterberg 2015, The American Statistician 69:371).
    Therefore each round's deviation from the mean of the *other* rounds is resampled, as in HC3 (MacKinnon and White
    1985, Journal of Econometrics 29:305), which makes the error too large by the same factor. Of a mean, the error over
    all resamples has a closed form (Efron and Tibshirani, An Introduction to the Bootstrap, section 5.3): the root mean
    square of these deviations over sqrt(n). Therefore nothing is drawn. The result is Student's interval for paired
    values, 12 % wider at five rounds: with lognormal noise 3.4, 3.6 and 4.1 % of the comparisons of a cell with itself
    (A/A) over 3, 5 and 10 rounds report a difference, and fewer if the noise has heavier tails.

    Args:
        first: examples per second, one value per round.
        second: examples per second of the other cell, of the same rounds in the same order.

    Raises:
        ValueError: the lengths differ, or a speed is not a positive number.
    """
    log_ratios = paired_differences(np.log(_speeds("first", first)), np.log(_speeds("second", second)), "rounds")
    rounds, center = len(log_ratios), float(log_ratios.mean())
    if rounds < MINIMUM_ROUNDS:
        return SpeedRatio(exp(center), None, "not distinguishable", rounds)

    reach = float(_reach(log_ratios))
    low, high = exp(center - reach), exp(center + reach)
    verdict: Verdict = "faster" if low > 1 else "slower" if high < 1 else "not distinguishable"
    return SpeedRatio(exp(center), (low, high), verdict, rounds)


def _reach(log_ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half the width of the interval of the mean log ratio; log_ratios (..., rounds), result (...)."""
    rounds = log_ratios.shape[-1]
    factor = _student_quantile(CONFIDENCE, rounds - 1) * rounds / (rounds - 1) / sqrt(rounds)
    return np.asarray(factor * log_ratios.std(axis=-1))


def smallest_detectable(self_comparison: SpeedRatio) -> float | None:
    """The largest difference that the noise can hide, from the comparison of a cell with itself (A/A).

    With this noise, the interval of a cell that is r times as fast is the A/A interval times r. It contains 1 if r lies
    between ``1 / high`` and ``1 / low``; the answer is the one of these two that is farther from 1.

    Returns:
        a fraction: with 0.04, differences below 4 % could not have been detected. None without an interval.
    """
    if self_comparison.interval is None:
        return None
    low, high = self_comparison.interval
    return max(high, 1 / low) - 1


def median_interval(speeds: Values) -> Estimate:
    """The median of one cell's speeds with its 95 % interval, to show their spread.

    Use :func:`compare_ratio` to compare two cells. From six rounds on the interval lies between two order statistics
    (David and Nagaraja, Order Statistics, chapter 7), which holds for any noise. With three to five rounds not even the
    smallest and the largest speed reach 95 %; there it is Student's interval of the mean logarithm, which is also the
    median's if the logarithms are symmetric, and which always contains the observed median.

    Args:
        speeds: examples per second, one value per round.

    Raises:
        ValueError: there is no speed, or a speed is not a positive number.
    """
    ordered = np.sort(_speeds("speeds", speeds))
    rounds, median = len(ordered), float(np.median(ordered))
    if rounds < MINIMUM_ROUNDS:
        return Estimate(median, None, rounds)
    tails = accumulate(comb(rounds, index) / 2**rounds for index in range(rounds // 2))
    outside = sum(tail <= (1 - CONFIDENCE) / 2 for tail in tails)  # the rank of the lower end, from 1
    if outside:
        return Estimate(median, (float(ordered[outside - 1]), float(ordered[-outside])), rounds)
    low, high = student_interval(np.log(ordered), CONFIDENCE)
    return Estimate(median, (exp(low), exp(high)), rounds)


def mean_interval(values: Values, resolution: float = 0.0) -> Estimate:
    """The mean of values, of accuracies over seeds for example, with Student's 95 % interval.

    Args:
        values: one per repetition; for a single value there is no interval.
        resolution: the smallest possible difference of two values, one test example for an accuracy. A standard
            deviation below it is replaced by it.

    Raises:
        ValueError: there is no value, or a value is not finite.
    """
    array = check_finite("values", values)
    interval = student_interval(array, CONFIDENCE, resolution) if len(array) > 1 else None
    return Estimate(float(array.mean()), interval, len(array))


def flag_outliers(values: Values) -> tuple[bool, ...]:
    """For each value, in the given order, whether its modified z score exceeds 3.5 (Iglewicz and Hoaglin 1993).

    The score is ``0.6745 * |x - median| / MAD``, where MAD is the median absolute deviation; if that is 0, the score is
    ``|x - median| / (1.2533 * mean absolute deviation)``. A flag asks for a look and proves nothing: in one sample of
    five normal values in five, at least one value is flagged.

    Raises:
        ValueError: there is no value, or a value is not finite.
    """
    array = check_finite("values", values)
    distances = np.abs(array - np.median(array))
    spread = float(np.median(distances)) / 0.6745 or float(distances.mean()) * sqrt(pi / 2)
    return tuple(bool(distance > OUTLIER_SCORE * spread) for distance in distances)


def _student_quantile(confidence: float, freedom: int) -> float:
    from scipy.special import stdtrit  # slow to import

    return float(stdtrit(freedom, (1 + confidence) / 2))


def student_interval(array: NDArray[np.float64], confidence: float, least_deviation: float = 0.0) -> Interval:
    """Student's interval of the mean of two or more values; their deviation counts as ``least_deviation`` or more."""
    mean, count = float(array.mean()), len(array)
    deviation = max(float(array.std(ddof=1)), least_deviation)
    reach = _student_quantile(confidence, count - 1) * deviation / sqrt(count)
    return mean - reach, mean + reach


def check_finite(name: str, values: Values) -> NDArray[np.float64]:
    """The values as an array, shape (n,). Raises ValueError if there are none, or if one is not finite."""
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name}: one number or more in a list is needed, not an array of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: every value must be finite, not {array[~np.isfinite(array)][0]}")
    return array


def _speeds(name: str, values: Values) -> NDArray[np.float64]:
    array = check_finite(name, values)
    if array.min() <= 0:
        raise ValueError(f"{name}: every speed must be positive, not {array.min()}")
    return array


def paired_differences(first: NDArray[np.float64], second: NDArray[np.float64], what: str) -> NDArray[np.float64]:
    """First minus second. Raises ValueError if the lengths differ; ``what`` names the values in the message."""
    if len(first) != len(second):
        raise ValueError(f"both sides need the same {what}, not {len(first)} and {len(second)}")
    return first - second
