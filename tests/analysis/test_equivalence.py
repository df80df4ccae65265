"""The equivalence of accuracies: two one-sided t tests with a known level and power."""

import numpy as np
import pytest
from scipy import stats

from compare.analysis.equivalence import equivalent
from tests.analysis.simulated import Floats


def paired_accuracies(difference: float, seeds: int, spread: float, count: int = 1000) -> tuple[Floats, Floats]:
    """``count`` pairs (count, seeds) whose true difference is given."""
    random = np.random.default_rng(3)
    second = random.uniform(0.90, 0.95, (count, seeds))
    return second + random.normal(difference, spread, second.shape), second


@pytest.mark.parametrize(("seeds", "spread"), [(3, 0.001), (5, 0.001), (5, 0.003), (10, 0.003)])
@pytest.mark.parametrize("difference", [0.005, -0.005])
def test_tost_holds_its_level_at_the_margin(difference: float, seeds: int, spread: float) -> None:
    """5 % of 1,000 are 50, three standard errors more are 70. The next test shows that the answer is not always no."""
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
