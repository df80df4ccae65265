"""Whether two accuracies are equal within a margin, from few seeds."""

from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

from compare.analysis.statistics import (
    CONFIDENCE,
    Interval,
    Values,
    check_finite,
    paired_differences,
    student_interval,
)


@dataclass(frozen=True)
class Equivalence:
    """Whether two accuracies differ by less than a margin. The fields that are None are undecided: there is one seed.

    Attributes:
        difference: mean over the seeds of the first accuracy minus the second, a fraction like the margin.
        interval: 90 % interval of the difference.
        p_value: of the hypothesis that the difference is at least as large as the margin.
        equivalent: whether that hypothesis is rejected at 5 %, that is, whether the interval lies inside the margin.
        margin: the largest difference that does not matter.
        seeds: number of pairs of accuracies.
    """

    difference: float
    interval: Interval | None
    p_value: float | None
    equivalent: bool | None
    margin: float
    seeds: int


def equivalent(first: Values, second: Values, margin: float = 0.005) -> Equivalence:
    """Tests whether two accuracies, paired by seed, differ by less than a margin: two one-sided t tests (TOST).

    Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15:657. With few seeds, or seeds whose differences
    scatter, the answer is no, although a test for a difference would find none either. If all seeds have the same
    difference, that difference alone decides.

    Args:
        first: accuracies as fractions, or R², one per seed.
        second: accuracies for the same seeds in the same order.
        margin: the largest difference that does not matter; 0.005 is half a percentage point.

    Raises:
        ValueError: the lengths differ, one is above 1, or the margin is not positive.
    """
    from scipy.special import stdtr  # slow to import

    if not (isfinite(margin) and margin > 0):
        raise ValueError(f"the margin must be a positive number, not {margin}")
    differences = paired_differences(_accuracies("first", first), _accuracies("second", second), "seeds")
    differences = differences.round(12)  # without the rounding error, so that 0.905 - 0.9 is 0.005
    seeds, mean = len(differences), float(differences.mean())
    if seeds == 1:
        return Equivalence(mean, None, None, None, margin, seeds)
    if np.ptp(differences) == 0:
        mean = float(differences[0])
        p_value = float(abs(mean) >= margin)
    else:
        error = float(differences.std(ddof=1)) / sqrt(seeds)
        p_value = float(stdtr(seeds - 1, (abs(mean) - margin) / error))  # the larger p value of the two tests
    interval = student_interval(differences, 2 * CONFIDENCE - 1)
    return Equivalence(mean, interval, p_value, p_value < 1 - CONFIDENCE, margin, seeds)


def _accuracies(name: str, values: Values) -> NDArray[np.float64]:
    array = check_finite(name, values)
    if array.max() > 1:
        raise ValueError(f"{name}: an accuracy, and R², are at most 1, not {array.max()}")
    return array
