"""The ratio of two cells' speeds, the smallest difference that could be shown, and ranks: known answers."""

from math import log, sqrt

import numpy as np
import pytest
from scipy import stats

from compare.analysis.statistics import SpeedRatio, compare_ratio, smallest_detectable
from tests.analysis.simulated import Floats, Noise, heavy, interrupted, lognormal, simulate


def verdicts(first: Floats, second: Floats) -> list[str]:
    return [compare_ratio(*pair).verdict for pair in zip(first, second, strict=True)]


# The ratio of two cells


@pytest.mark.parametrize(
    ("rounds", "noise"),
    [(5, lognormal), (3, lognormal), (10, lognormal), (5, heavy), (3, interrupted), (10, interrupted)],
)
def test_equal_cells_are_called_different_in_at_most_6_percent(rounds: int, noise: Noise) -> None:
    called = verdicts(*simulate(rounds, noise))
    assert called.count("not distinguishable") >= 940
    assert called.count("faster") >= 1  # neither direction is ruled out from the start
    assert called.count("slower") >= 1


def test_the_same_simulation_refuses_the_percentile_bootstrap() -> None:
    first, second = simulate(5)
    log_ratios = np.log(first / second)
    indices = np.random.default_rng(0).integers(5, size=(1000, 5))
    low, high = np.quantile(log_ratios[:, indices].mean(axis=2), [0.025, 0.975], axis=1)
    assert np.mean((low > 0) | (high < 0)) > 0.12


def test_a_slowdown_of_10_percent_is_found_in_at_least_95_percent() -> None:
    assert verdicts(*simulate(5, speed=0.9)).count("slower") >= 950


def test_pairing_by_round_removes_the_drift() -> None:
    drift = 100 * np.array([1.0, 2.0, 0.5, 4.0, 1.5])
    first = drift * [0.90, 0.92, 0.88, 0.90, 0.91]
    assert compare_ratio(first, drift).verdict == "slower"
    assert compare_ratio(first, np.roll(drift, 1)).verdict == "not distinguishable"


def test_the_interval_is_students_for_paired_values_but_wider_by_the_root_of_n_over_n_minus_1() -> None:
    first, second = (pair[0] for pair in simulate(5, count=1))
    log_ratios = np.log(first / second)
    low, high = stats.t.interval(0.95, 4, log_ratios.mean(), stats.sem(log_ratios) * sqrt(5 / 4))
    comparison = compare_ratio(first, second)
    assert comparison.ratio == pytest.approx(stats.gmean(first / second), rel=1e-12)
    assert comparison.interval is not None
    assert log(comparison.interval[1] / comparison.interval[0]) == pytest.approx(high - low, rel=0.03)
    assert log(comparison.interval[1] * comparison.interval[0]) == pytest.approx(high + low, rel=1e-9)


def test_the_interval_covers_the_true_ratio() -> None:
    intervals = [compare_ratio(*pair).interval for pair in zip(*simulate(5, speed=3.0, count=500), strict=True)]
    covered = np.mean([interval is not None and interval[0] < 3 < interval[1] for interval in intervals])
    assert 0.94 < covered < 0.985  # 0.964


def test_constant_ratios_have_an_interval_of_one_point() -> None:
    comparison = compare_ratio([200, 400, 600], [100, 200, 300])
    assert (comparison.verdict, comparison.rounds) == ("faster", 3)
    assert comparison.ratio == pytest.approx(2)
    assert comparison.interval == pytest.approx((2, 2))
    assert compare_ratio([100, 200, 300], [200, 400, 600]).verdict == "slower"
    assert compare_ratio([100, 200, 300], [100, 200, 300]) == SpeedRatio(1, (1, 1), "not distinguishable", 3)


def test_exchanging_the_cells_inverts_the_answer() -> None:
    first, second = (pair[0] for pair in simulate(5, speed=0.9, count=1))
    forth, back = compare_ratio(first, second), compare_ratio(second, first)
    assert (forth.verdict, back.verdict) == ("slower", "faster")
    assert forth.interval is not None
    assert back.interval is not None
    assert back.ratio == pytest.approx(1 / forth.ratio)
    assert back.interval == pytest.approx((1 / forth.interval[1], 1 / forth.interval[0]))


@pytest.mark.parametrize("rounds", [1, 2])
def test_fewer_than_three_rounds_have_no_interval_and_show_no_difference(rounds: int) -> None:
    comparison = compare_ratio([400.0] * rounds, [100.0] * rounds)
    assert (comparison.interval, comparison.verdict, comparison.rounds) == (None, "not distinguishable", rounds)
    assert comparison.ratio == pytest.approx(4)
    assert smallest_detectable(comparison) is None


def test_the_interval_is_that_of_the_resampled_means() -> None:
    """The error that is computed is the one that drawing resamples of the deviations comes near to."""
    first, second = (pair[0] for pair in simulate(5, count=1))
    log_ratios = np.log(first / second)
    deviations = (log_ratios - log_ratios.mean()) * 5 / 4
    means = deviations[np.random.default_rng(0).integers(5, size=(5, 100_000))].mean(axis=0)
    comparison = compare_ratio(first, second)
    assert comparison.interval is not None
    width = np.log(comparison.interval[1] / comparison.interval[0])
    assert width == pytest.approx(2 * 2.776445 * means.std(), rel=0.01)


# The smallest difference that the rounds could have shown


@pytest.mark.parametrize(
    ("interval", "expected"), [((0.98, 1.04), 0.04), ((0.8, 1.04), 0.25), ((1.01, 1.03), 0.03), (None, None)]
)
def test_the_smallest_detectable_difference(interval: tuple[float, float] | None, expected: float | None) -> None:
    comparison = SpeedRatio(1.0, interval, "not distinguishable", 5)
    assert smallest_detectable(comparison) == (expected if expected is None else pytest.approx(expected))


def test_the_smallest_detectable_difference_is_where_the_verdict_turns() -> None:
    first, second = (pair[0] for pair in simulate(5, count=1))
    difference = smallest_detectable(compare_ratio(first, second))
    assert difference is not None
    assert 0.01 < difference < 0.2

    def verdicts_at(size: float) -> set[str]:
        return {compare_ratio(first * (1 + size), second).verdict, compare_ratio(first / (1 + size), second).verdict}

    assert verdicts_at(difference + 1e-6) == {"faster", "slower"}
    assert "not distinguishable" in verdicts_at(difference - 1e-6)
