"""compare.statistics on synthetic data with known answers.

The simulations draw from fixed seeds. In each round both cells share a drift, and each has its own noise.
"""

import subprocess
import sys
from collections.abc import Callable
from math import exp, log, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from compare.statistics import (
    Comparison,
    Estimate,
    compare_ratio,
    equivalent,
    flag_outliers,
    mean_interval,
    median_interval,
    rank,
    smallest_detectable,
)

Floats = NDArray[np.float64]
Noise = Callable[[np.random.Generator, tuple[int, int]], Floats]


def lognormal(random: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """2 % on every round."""
    return np.exp(random.normal(0, 0.02, shape))


def heavy(random: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Student's t with 3 degrees of freedom: now and then a round is far off."""
    return np.exp(0.02 * random.standard_t(3, shape))


def interrupted(random: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """1 %, and one round in ten is slower by a quarter."""
    return np.exp(random.normal(0, 0.01, shape)) * np.where(random.random(shape) < 0.1, 0.75, 1)


def simulate(
    rounds: int, noise: Noise = lognormal, *, count: int = 1000, speed: float = 1.0, seed: int = 1
) -> tuple[Floats, Floats]:
    """``count`` comparisons (count, rounds) of a cell that is ``speed`` times as fast as the other."""
    random = np.random.default_rng(seed)
    drift = 5000 * np.exp(random.normal(0, 0.05, (count, rounds)).cumsum(axis=1))
    return speed * drift * noise(random, drift.shape), drift * noise(random, drift.shape)


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
    assert compare_ratio([100, 200, 300], [100, 200, 300]) == Comparison(1, (1, 1), "not distinguishable", 3)


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


def test_the_answer_is_always_the_same_unless_another_generator_is_given() -> None:
    first, second = (pair[0] for pair in simulate(5, count=1))
    assert compare_ratio(first, second) == compare_ratio(first, second)
    assert compare_ratio(first, second) == compare_ratio(first, second, np.random.default_rng(0))
    assert compare_ratio(first, second) != compare_ratio(first, second, np.random.default_rng(1))


# What A/A could not have seen


@pytest.mark.parametrize(
    ("interval", "expected"), [((0.98, 1.04), 0.04), ((0.8, 1.04), 0.25), ((1.01, 1.03), 0.03), (None, None)]
)
def test_the_smallest_detectable_difference(interval: tuple[float, float] | None, expected: float | None) -> None:
    comparison = Comparison(1.0, interval, "not distinguishable", 5)
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


# Ranks


STEADY = np.array([0.99, 1.0, 1.01, 1.0, 1.0])
OTHER = np.array([1.0, 1.01, 0.99, 1.0, 1.0])


def test_cells_that_differ_have_ranks_in_the_order_of_their_speed() -> None:
    ranks = rank({"slow": 100 * STEADY, "fast": 300 * OTHER, "middle": 200 * STEADY})
    assert list(ranks.items()) == [("fast", 1), ("middle", 2), ("slow", 3)]


def test_cells_that_do_not_differ_share_a_rank_and_the_next_rank_follows() -> None:
    ranks = rank({"c": 200 * STEADY, "a": 300 * STEADY, "d": 199.9 * OTHER, "b": 300.1 * OTHER})
    assert list(ranks.items()) == [("b", 1), ("a", 1), ("c", 2), ("d", 2)]


def test_a_noisy_cell_shares_the_rank_of_the_leader_from_which_it_was_not_told() -> None:
    noisy = 250 * np.array([0.5, 1.6, 0.7, 1.5, 1.2])
    ranks = rank({"leader": 300 * STEADY, "steady": 280 * OTHER, "noisy": noisy})
    assert np.log(noisy).mean() < np.log(280 * OTHER).mean()
    assert list(ranks.items()) == [("leader", 1), ("noisy", 1), ("steady", 2)]


def test_a_rank_is_shared_with_the_groups_leader_not_along_a_chain() -> None:
    """The last is not distinguishable from the middle, but slower than the leader."""
    cells = {"leader": [100, 104, 108, 104, 104], "middle": [103, 103, 103, 103, 103], "last": [99, 103, 107, 103, 103]}
    assert compare_ratio(cells["middle"], cells["last"]).verdict == "not distinguishable"
    assert compare_ratio(cells["leader"], cells["middle"]).verdict == "not distinguishable"
    assert rank(cells) == {"leader": 1, "middle": 1, "last": 2}


def test_without_intervals_all_share_the_first_rank() -> None:
    assert rank({"a": [100.0], "b": [900.0]}) == {"b": 1, "a": 1}
    assert rank({"alone": [100.0]}) == {"alone": 1}
    assert rank({}) == {}


# One cell


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


# Equivalence of accuracies


def paired_accuracies(difference: float, seeds: int, spread: float, count: int = 1000) -> tuple[Floats, Floats]:
    """``count`` pairs (count, seeds) whose true difference is given."""
    random = np.random.default_rng(3)
    second = random.uniform(0.90, 0.95, (count, seeds))
    return second + random.normal(difference, spread, second.shape), second


@pytest.mark.parametrize(("seeds", "spread"), [(3, 0.001), (5, 0.001), (5, 0.003), (10, 0.003)])
@pytest.mark.parametrize("difference", [0.005, -0.005])
def test_tost_holds_its_level_at_the_margin(difference: float, seeds: int, spread: float) -> None:
    """5 % of 1,000, and up to three standard errors more; the tests below show that it does not just say no."""
    answers = [equivalent(*pair).equivalent for pair in zip(*paired_accuracies(difference, seeds, spread), strict=True)]
    assert 20 <= answers.count(True) <= 70


def test_tost_finds_equivalence() -> None:
    pairs = zip(*paired_accuracies(0.0, 5, 0.002), strict=True)
    assert [equivalent(*pair).equivalent for pair in pairs].count(True) >= 950


def test_tost_is_two_one_sided_t_tests() -> None:
    first = np.array([0.951, 0.949, 0.953, 0.950, 0.948])
    second = np.array([0.950, 0.950, 0.949, 0.951, 0.947])
    differences = first - second
    above = stats.ttest_1samp(differences, -0.005, alternative="greater").pvalue
    below = stats.ttest_1samp(differences, 0.005, alternative="less").pvalue
    result = equivalent(first, second)
    assert result.p_value == pytest.approx(max(above, below))
    assert result.interval == pytest.approx(stats.t.interval(0.9, 4, differences.mean(), stats.sem(differences)))
    assert result.difference == pytest.approx(0.0008)
    assert (result.equivalent, result.margin, result.seeds) == (True, 0.005, 5)
    exchanged = equivalent(second, first)
    assert exchanged.p_value == pytest.approx(result.p_value)
    assert exchanged.difference == pytest.approx(-0.0008)


def test_equivalent_says_whether_the_interval_lies_inside_the_margin() -> None:
    first, second = paired_accuracies(0.002, 4, 0.003, count=200)
    results = [equivalent(*pair) for pair in zip(first, second, strict=True)]
    assert {result.equivalent for result in results} == {True, False}
    for result in results:
        assert result.interval is not None
        assert result.equivalent == (max(map(abs, result.interval)) < 0.005)


def test_not_finding_a_difference_is_not_equivalence() -> None:
    first, second = [0.93, 0.96, 0.94], [0.95, 0.93, 0.945]
    assert stats.ttest_rel(first, second).pvalue > 0.5
    assert equivalent(first, second).equivalent is False
    assert equivalent(first, second, margin=0.2).equivalent is True


@pytest.mark.parametrize(
    ("first", "expected"), [(0.9, True), (0.904, True), (0.896, True), (0.905, False), (0.895, False), (0.95, False)]
)
@pytest.mark.parametrize("seeds", [2, 3, 7])
def test_where_all_seeds_agree_the_difference_decides(first: float, expected: bool, seeds: int) -> None:
    result = equivalent([first] * seeds, [0.9] * seeds)
    assert (result.equivalent, result.p_value) == (expected, 0.0 if expected else 1.0)
    assert result.interval == pytest.approx((first - 0.9, first - 0.9))


def test_rounding_errors_of_the_differences_are_no_spread() -> None:
    """In float64 some of these differences are above 0.005 and some below."""
    result = equivalent([0.105, 0.905, 0.955], [0.1, 0.9, 0.95])
    assert (result.p_value, result.interval) == (1.0, (0.005, 0.005))


def test_one_seed_leaves_equivalence_undecided() -> None:
    result = equivalent([0.9], [0.9])
    assert (result.equivalent, result.p_value, result.interval, result.difference) == (None, None, None, 0.0)


# What is refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compare_ratio([1, 2, 3], [1, 2]), "both sides need the same rounds, not 3 and 2"),
        (lambda: compare_ratio([1, 2, 0], [1, 2, 3]), "first: every speed must be positive, not 0.0"),
        (lambda: compare_ratio([1, 2, 3], [1, -2, 3]), "second: every speed must be positive, not -2.0"),
        (lambda: compare_ratio([1, 2, float("nan")], [1, 2, 3]), "first: every value must be finite, not nan"),
        (lambda: compare_ratio([], []), "first: one number or more"),
        (lambda: compare_ratio(np.ones((2, 3)), np.ones((2, 3))), r"not an array of shape \(2, 3\)"),
        (lambda: rank({"a": [1, 2, 3], "b": [1, 2]}), "both sides need the same rounds, not 2 and 3"),
        (lambda: rank({"a": [1, 2, 3], "jax": [1, 2, -1]}), "jax: every speed must be positive"),
        (lambda: median_interval([1, 2, 0]), "speeds: every speed must be positive"),
        (lambda: median_interval([]), "speeds: one number or more"),
        (lambda: mean_interval([0.9, float("inf")]), "values: every value must be finite, not inf"),
        (lambda: flag_outliers([float("nan")]), "values: every value must be finite, not nan"),
        (lambda: equivalent([0.9, 0.9], [0.9]), "both sides need the same seeds, not 2 and 1"),
        (lambda: equivalent([0.9, 0.9], [0.9, float("nan")]), "second: every value must be finite, not nan"),
        (lambda: equivalent([97.5, 97.0], [0.975, 0.97]), "first: every accuracy must be a fraction from 0 to 1"),
        (lambda: equivalent([0.9, 0.9], [-0.1, 0.9]), "second: every accuracy must be a fraction from 0 to 1"),
        (lambda: equivalent([0.9, 0.9], [0.9, 0.9], margin=0), "the margin must be a positive number, not 0"),
        (lambda: equivalent([0.9, 0.9], [0.9, 0.9], margin=float("inf")), "the margin must be a positive number"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_importing_the_module_does_not_import_scipy() -> None:
    program = "import sys, compare.statistics; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
