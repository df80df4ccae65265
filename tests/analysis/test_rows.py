"""A row's accuracy: a mean whose interval no accuracy can leave, and that test examples keep from being too narrow."""

import pytest

from compare.analysis.sections import summarize
from tests.analysis.runs import make_results, make_run


def interval(accuracies: list[float], test_examples: int | None) -> tuple[float, float] | None:
    runs = [make_run("keras", seed=s, accuracy=a, test_examples=test_examples) for s, a in enumerate(accuracies)]
    (section,) = summarize(make_results(runs=runs))
    estimate = section.rows[0].accuracy
    assert estimate is not None
    return estimate.interval


@pytest.mark.parametrize("accuracies", [[0.85, 0.93, 0.9866], [0.01, 0.1, 0.0], [1.0, 1.0], [0.0, 1.0]])
def test_no_accuracy_is_below_0_or_above_1(accuracies: list[float]) -> None:
    found = interval(accuracies, 60)
    assert found is not None
    assert 0 <= found[0] < found[1] <= 1
    assert found[0] == 0 or found[1] == 1


def test_equal_seeds_are_as_exact_as_the_test_examples_allow() -> None:
    """Student's interval of two values that deviate by one example: 12.7 times 1/n over the root of 2."""
    for examples, reach in ((60, 0.14974), (10_000, 0.0008985)):
        found = interval([0.5, 0.5], examples)
        assert found == pytest.approx((0.5 - reach, 0.5 + reach), rel=1e-3)
    assert interval([0.5], 60) is None


def test_shares_are_of_the_highest_matrix_rate_of_any_run() -> None:
    rates = {"operations_per_epoch": 10**9, "epoch_seconds": [0.1, 0.1], "matrix_operations_per_second": 2e10}
    runs = [make_run("jax", **rates), make_run("keras", **(rates | {"matrix_operations_per_second": 4e10}))]
    runs.append(make_run("pytorch", device="gpu:0", **rates))
    (section,) = summarize(make_results(runs=runs))
    assert [row.share_of_matrix_rate for row in section.rows] == [0.25, 0.25, 0.5]
