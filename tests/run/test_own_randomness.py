"""Dropout by each framework's own generator: other masks, and equally good models."""

from itertools import combinations
from pathlib import Path

import pytest

import backends
from compare import compare
from compare.analysis.equivalence import equivalent

SEEDS = 10
MARGIN = 0.005


@pytest.mark.slow
def test_accuracies_are_equivalent_over_ten_seeds(tmp_path: Path) -> None:
    """Of Keras's example, trained for three epochs of 3,000 digits, to 91 %. Seen: at most 0.2 points apart."""
    names = [name for name in backends.framework_backends() if backends.missing(name) is None]
    found = compare(
        tasks="mnist-keras-example",
        backends=names,
        modes="stock",
        own_randomness=True,
        seeds=SEEDS,
        epochs=3,
        examples=3000,
        output=tmp_path / "run",
    )
    accuracies = {name: [0.0] * SEEDS for name in names}
    for run in found.results.runs:
        assert run.accuracy is not None
        accuracies[run.backend][run.seed] = run.accuracy
    assert len(set(map(tuple, accuracies.values()))) == len(names), "the masks are each framework's own"
    for first, second in combinations(names, 2):
        assert equivalent(accuracies[first], accuracies[second], MARGIN).equivalent, (first, second)
