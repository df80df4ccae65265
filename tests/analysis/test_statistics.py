"""Medians, means and outliers of one cell: known answers; and what is refused."""

import subprocess
import sys
from collections.abc import Callable
from math import exp

import numpy as np
import pytest
from scipy import stats

from compare.analysis.equivalence import equivalent
from compare.analysis.statistics import Estimate, compare_ratio, flag_outliers, mean_interval, median_interval
from tests.analysis.simulated import Noise, heavy, lognormal


def test_the_median_lies_between_order_statistics_from_six_rounds_on() -> None:
    """Ranks from the table of the sign test at 5 %: 6: 1, 9: 2, 12: 3, 15: 4, 20: 6."""
    for rounds, low in ((6, 1), (8, 1), (9, 2), (12, 3), (15, 4), (20, 6)):
        speeds = np.random.default_rng(0).permutation(np.arange(1.0, rounds + 1))
        assert median_interval(speeds) == Estimate((rounds + 1) / 2, (low, rounds + 1 - low), rounds)


@pytest.mark.parametrize("rounds", [3, 4, 5])
def test_the_median_of_few_rounds_has_students_interval_of_the_logarithms(rounds: int) -> None:
    speeds = 100 * np.exp(np.array([0.0, 0.1, 0.5, -0.2, 0.9]))[:rounds]
    low, high = stats.t.interval(0.95, rounds - 1, np.log(speeds).mean(), stats.sem(np.log(speeds)))
    estimate = median_interval(speeds)
    assert (estimate.value, estimate.count) == (np.median(speeds), rounds)
    assert estimate.interval == pytest.approx((exp(low), exp(high)))


@pytest.mark.parametrize("rounds", [3, 5, 6, 12])
@pytest.mark.parametrize("noise", [lognormal, heavy])
def test_the_interval_of_the_median_covers_it(rounds: int, noise: Noise) -> None:
    samples = noise(np.random.default_rng(2), (1000, rounds))
    estimates = [median_interval(sample) for sample in samples]
    assert np.mean([e.interval is not None and e.interval[0] <= 1 <= e.interval[1] for e in estimates]) >= 0.93
    assert all(e.interval is not None and e.interval[0] <= e.value <= e.interval[1] for e in estimates)


@pytest.mark.parametrize("speeds", [[100.0], [100.0, 200.0]])
def test_one_or_two_rounds_have_a_median_and_no_interval(speeds: list[float]) -> None:
    assert median_interval(speeds) == Estimate(sum(speeds) / len(speeds), None, len(speeds))


def test_the_mean_has_students_interval() -> None:
    accuracies = [0.95, 0.96, 0.94, 0.955, 0.97]
    expected = stats.t.interval(0.95, 4, np.mean(accuracies), stats.sem(accuracies))
    estimate = mean_interval(accuracies)
    assert estimate.value == pytest.approx(0.955)
    assert estimate.interval == pytest.approx(expected)
    assert estimate.count == 5
    assert mean_interval([0.9, 0.9]).interval == (0.9, 0.9)
    assert mean_interval([0.95]) == Estimate(0.95, None, 1)


# Outliers


@pytest.mark.parametrize(
    ("values", "flagged"),
    [
        ([100, 101, 99, 60, 100.5], [3]),
        ([140, 60, 101, 100, 99, 100.5, 98], [0, 1]),
        # median 3, median absolute deviation 1: flagged beyond 3 + 3.5 / 0.6745 = 8.189
        ([1, 2, 3, 4, 8.18], []),
        ([1, 2, 3, 4, 8.20], [4]),
        # median absolute deviation 0: 1 / (1.2533 * 1 / 5) = 3.99, and 1 / (1.2533 * 1 / 4) = 3.19
        ([7, 7, 8, 7, 7], [2]),
        ([7, 7, 8, 7], []),
        ([7, 7, 7], []),
        ([1, 1000], []),
        ([5], []),
    ],
)
def test_values_far_from_the_median_are_flagged(values: list[float], flagged: list[int]) -> None:
    assert flag_outliers(values) == tuple(index in flagged for index in range(len(values)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compare_ratio([1, 2, 3], [1, 2]), "both sides need the same rounds, not 3 and 2"),
        (lambda: compare_ratio([1, 2, 0], [1, 2, 3]), "first: every speed must be positive, not 0.0"),
        (lambda: compare_ratio([1, 2, 3], [1, -2, 3]), "second: every speed must be positive, not -2.0"),
        (lambda: compare_ratio([1, 2, float("nan")], [1, 2, 3]), "first: every value must be finite, not nan"),
        (lambda: compare_ratio([], []), "first: one number or more"),
        (lambda: compare_ratio(np.ones((2, 3)), np.ones((2, 3))), r"not an array of shape \(2, 3\)"),
        (lambda: median_interval([1, 2, 0]), "speeds: every speed must be positive"),
        (lambda: median_interval([]), "speeds: one number or more"),
        (lambda: mean_interval([0.9, float("inf")]), "values: every value must be finite, not inf"),
        (lambda: flag_outliers([float("nan")]), "values: every value must be finite, not nan"),
        (lambda: equivalent([0.9, 0.9], [0.9]), "both sides need the same seeds, not 2 and 1"),
        (lambda: equivalent([0.9, 0.9], [0.9, float("nan")]), "second: every value must be finite, not nan"),
        (lambda: equivalent([97.5, 97.0], [0.975, 0.97]), "first: an accuracy, and R², are at most 1, not 97.5"),
        (lambda: equivalent([0.9, 0.9], [1.1, 0.9]), "second: an accuracy, and R², are at most 1, not 1.1"),
        (lambda: equivalent([0.9, 0.9], [0.9, 0.9], margin=0), "the margin must be a positive number, not 0"),
        (lambda: equivalent([0.9, 0.9], [0.9, 0.9], margin=float("inf")), "the margin must be a positive number"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_importing_the_module_does_not_import_scipy() -> None:
    program = "import sys, compare.analysis.statistics; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
