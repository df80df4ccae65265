"""Intervals, rankings and equivalence from few repetitions.

Speeds are compared by rounds: every round runs each cell once, and what the machine does to a whole round cancels in
that round's ratio. Accuracies are compared by seeds. Both come in threes and fives, where the usual bootstrap is wrong:
a percentile interval never leaves the range of the observed ratios, so that of five rounds it misses at least one time
in sixteen, and in simulation one in six. :func:`compare_ratio` has the remedy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import comb, exp, isfinite, pi, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Values = Sequence[float] | NDArray[np.floating]
Interval = tuple[float, float]
Verdict = Literal["faster", "slower", "not distinguishable"]

CONFIDENCE = 0.95
MINIMUM_ROUNDS = 3  # fewer have no interval
RESAMPLES = 10_000  # the width of an interval is then within about 1 % of its limit
OUTLIER_SCORE = 3.5


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval, which is None where there are too few repetitions for one."""

    value: float
    interval: Interval | None
    count: int


@dataclass(frozen=True)
class Comparison:
    """How fast one cell is beside another.

    Attributes:
        ratio: the speed of the first over that of the second: the geometric mean of the rounds' ratios.
        interval: of the ratio, 95 %; None with fewer than three rounds.
        verdict: on the first; "not distinguishable" where the interval contains 1 or is missing.
        rounds: the number of pairs.
    """

    ratio: float
    interval: Interval | None
    verdict: Verdict
    rounds: int


@dataclass(frozen=True)
class Equivalence:
    """Whether two accuracies differ by less than a margin. With one seed, what is None is undecided.

    Attributes:
        difference: the mean of first minus second over the seeds, a fraction like the margin.
        interval: of the difference, 90 %.
        p_value: of the hypothesis that the difference is at least as large as the margin.
        equivalent: whether that is rejected at 5 %, which is to say that the interval lies inside the margin.
    """

    difference: float
    interval: Interval | None
    p_value: float | None
    equivalent: bool | None
    margin: float
    seeds: int


def compare_ratio(first: Values, second: Values, generator: np.random.Generator | None = None) -> Comparison:
    """Compares two cells' speeds, paired by round.

    A bootstrap t interval on the mean log ratio: Student's quantile times a bootstrap standard error (Moore, McCabe and
    Craig, Introduction to the Practice of Statistics, chapter 16). Resampling n values as they are makes this error too
    small by sqrt((n - 1) / n) (Hesterberg 2015, The American Statistician 69:371). Resampled here is each round's
    deviation from the mean of the *other* rounds, as in HC3 (MacKinnon and White 1985, Journal of Econometrics 29:305),
    which makes it too large by as much. The interval thus is Student's for paired values, 12 % wider at five rounds:
    with lognormal noise 3.4, 3.6 and 4.1 % of A/A comparisons of 3, 5 and 10 rounds are called different, and fewer
    where the tails are heavier.

    Args:
        first: examples per second, one value a round.
        second: of the same rounds, in the same order.
        generator: for the resampling; by default one with a fixed seed, so that the answer is always the same.

    Raises:
        ValueError: the lengths differ, or a speed is not a positive number.
    """
    log_ratios = _differences(np.log(_speeds("first", first)), np.log(_speeds("second", second)), "rounds")
    rounds, center = len(log_ratios), float(log_ratios.mean())
    if rounds < MINIMUM_ROUNDS:
        return Comparison(exp(center), None, "not distinguishable", rounds)

    deviations = (log_ratios - center) * rounds / (rounds - 1)
    generator = np.random.default_rng(0) if generator is None else generator
    means = deviations[generator.integers(rounds, size=(rounds, RESAMPLES))].mean(axis=0)
    reach = _student_quantile(CONFIDENCE, rounds - 1) * float(means.std())
    low, high = exp(center - reach), exp(center + reach)
    verdict: Verdict = "faster" if low > 1 else "slower" if high < 1 else "not distinguishable"
    return Comparison(exp(center), (low, high), verdict, rounds)


def smallest_detectable(self_comparison: Comparison) -> float | None:
    """The difference that the noise hides, from the comparison of a cell with itself (A/A).

    With this noise, a cell that is r times as fast has the A/A interval times r. It contains 1 while r lies between
    ``1 / high`` and ``1 / low``; the answer is the farther of the two.

    Returns:
        a fraction: with 0.04, differences under 4 % could not have been seen. None without an interval.
    """
    if self_comparison.interval is None:
        return None
    low, high = self_comparison.interval
    return max(high, 1 / low) - 1


def rank(speeds_by_name: Mapping[str, Values]) -> dict[str, int]:
    """Ranks cells by interval: those not distinguishable from a group's fastest share its rank.

    The fastest of all leads rank 1; of those slower than it, the fastest leads rank 2; and so on. A noisy cell can
    stand above a steady one with a better mean: that it is slower than the leader has not been shown. Nothing is
    adjusted for the number of comparisons: of six equal cells, some are parted in a quarter of all rankings.

    Args:
        speeds_by_name: examples per second, one value a round, all of the same rounds in the same order.

    Returns:
        ranks 1, 2, ... without gaps, ordered by rank and then by speed (geometric mean).

    Raises:
        ValueError: as :func:`compare_ratio`.
    """
    logs = {name: float(np.log(_speeds(name, speeds)).mean()) for name, speeds in speeds_by_name.items()}
    waiting = sorted(logs, key=logs.__getitem__, reverse=True)
    ranks: dict[str, int] = {}
    group = 0
    while waiting:
        group += 1
        leader, *others = waiting
        verdicts = {name: compare_ratio(speeds_by_name[name], speeds_by_name[leader]).verdict for name in others}
        slower = [name for name in others if verdicts[name] == "slower"]
        ranks |= {name: group for name in waiting if name not in slower}
        waiting = slower
    return ranks


def median_interval(speeds: Values) -> Estimate:
    """The median of one cell's rounds and its 95 % interval. It shows spread; to compare, use :func:`compare_ratio`.

    From six rounds on the interval lies between two order statistics (David and Nagaraja, Order Statistics, chapter 7),
    whatever the noise. Of three to five not even the extremes reach 95 %: there it is Student's for the mean logarithm,
    which is the median's if logarithms are symmetric, and which always contains the observed median.
    Raises ValueError where there is no speed, or one is not a positive number.
    """
    ordered = np.sort(_speeds("speeds", speeds))
    rounds, median = len(ordered), float(np.median(ordered))
    if rounds < MINIMUM_ROUNDS:
        return Estimate(median, None, rounds)
    tails = accumulate(comb(rounds, index) / 2**rounds for index in range(rounds // 2))
    outside = sum(tail <= (1 - CONFIDENCE) / 2 for tail in tails)  # the rank of the lower end, from 1
    if outside:
        return Estimate(median, (float(ordered[outside - 1]), float(ordered[-outside])), rounds)
    low, high = _student_interval(np.log(ordered), CONFIDENCE)
    return Estimate(median, (exp(low), exp(high)), rounds)


def mean_interval(values: Values, resolution: float = 0.0) -> Estimate:
    """The mean (of accuracies over seeds, say) and Student's 95 % interval, None for a single value.

    A standard deviation below the resolution of the values, as one example is of an accuracy, is taken for it.
    Raises ValueError where there is no value, or one is not finite.
    """
    array = _finite("values", values)
    interval = _student_interval(array, CONFIDENCE, resolution) if len(array) > 1 else None
    return Estimate(float(array.mean()), interval, len(array))


def flag_outliers(values: Values) -> tuple[bool, ...]:
    """Flags, in the given order, values whose modified z score exceeds 3.5 (Iglewicz and Hoaglin 1993).

    The score is ``0.6745 * |x - median| / MAD``, with the median absolute deviation; where that is 0, it is
    ``|x - median| / (1.2533 * mean absolute deviation)``. A flag asks for a look and proves nothing: of five normal
    values one or more are flagged in one sample of five. Raises ValueError as :func:`mean_interval`.
    """
    array = _finite("values", values)
    distances = np.abs(array - np.median(array))
    spread = float(np.median(distances)) / 0.6745 or float(distances.mean()) * sqrt(pi / 2)
    return tuple(bool(distance > OUTLIER_SCORE * spread) for distance in distances)


def equivalent(first: Values, second: Values, margin: float = 0.005) -> Equivalence:
    """Tests whether two accuracies, paired by seed, differ by less than a margin: two one-sided t tests (TOST).

    Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15:657. Few or scattered seeds make the answer
    no, where a test for a difference would find none. Where all seeds have the same difference, it alone decides.

    Args:
        first: accuracies as fractions, one a seed.
        second: of the same seeds, in the same order.
        margin: the largest difference that does not matter: 0.005 is half a point.

    Raises:
        ValueError: the lengths differ, an accuracy is not between 0 and 1, or the margin is not positive.
    """
    from scipy.special import stdtr  # slow to import

    if not (isfinite(margin) and margin > 0):
        raise ValueError(f"the margin must be a positive number, not {margin}")
    differences = _differences(_accuracies("first", first), _accuracies("second", second), "seeds")
    differences = differences.round(12)  # 0.905 - 0.9 is 0.005, without the rounding error
    seeds, mean = len(differences), float(differences.mean())
    if seeds == 1:
        return Equivalence(mean, None, None, None, margin, seeds)
    if np.ptp(differences) == 0:
        mean = float(differences[0])
        p_value = float(abs(mean) >= margin)
    else:
        error = float(differences.std(ddof=1)) / sqrt(seeds)
        p_value = float(stdtr(seeds - 1, (abs(mean) - margin) / error))  # the larger of the two tests'
    interval = _student_interval(differences, 2 * CONFIDENCE - 1)
    return Equivalence(mean, interval, p_value, p_value < 1 - CONFIDENCE, margin, seeds)


def _student_quantile(confidence: float, freedom: int) -> float:
    from scipy.special import stdtrit  # slow to import

    return float(stdtrit(freedom, (1 + confidence) / 2))


def _student_interval(array: NDArray[np.float64], confidence: float, least_deviation: float = 0.0) -> Interval:
    mean, count = float(array.mean()), len(array)
    deviation = max(float(array.std(ddof=1)), least_deviation)
    reach = _student_quantile(confidence, count - 1) * deviation / sqrt(count)
    return mean - reach, mean + reach


def _finite(name: str, values: Values) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name}: one number or more in a list is needed, not an array of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: every value must be finite, not {array[~np.isfinite(array)][0]}")
    return array


def _speeds(name: str, values: Values) -> NDArray[np.float64]:
    array = _finite(name, values)
    if array.min() <= 0:
        raise ValueError(f"{name}: every speed must be positive, not {array.min()}")
    return array


def _accuracies(name: str, values: Values) -> NDArray[np.float64]:
    array = _finite(name, values)
    if array.min() < 0 or array.max() > 1:
        raise ValueError(f"{name}: every accuracy must be a fraction from 0 to 1, not {array.min()} to {array.max()}")
    return array


def _differences(first: NDArray[np.float64], second: NDArray[np.float64], what: str) -> NDArray[np.float64]:
    if len(first) != len(second):
        raise ValueError(f"both sides need the same {what}, not {len(first)} and {len(second)}")
    return first - second
