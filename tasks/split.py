"""Which examples are tested with, and how columns are standardised: as scikit-learn does both."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from tasks.errors import DataError, FieldError
from tasks.source import Source


@dataclass(frozen=True, kw_only=True)
class Split(Source):
    """Examples of which a share, drawn from a seed, is tested with, as ``train_test_split`` of scikit-learn draws it.

    Attributes:
        test_share: the share of the examples that are tested with, rounded up.
        split_seed: draws them.
    """

    test_share: float = 0.25
    split_seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.test_share < 1:
            raise FieldError(self.kind, "test_share", f"must be above 0 and below 1, not {self.test_share}")
        if not 0 <= self.split_seed < 2**32:
            raise FieldError(self.kind, "split_seed", f"must be from 0 and below 4294967296, not {self.split_seed}")

    def split(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which of so many examples are trained on, and which are tested with. Raises DataError where none is left."""
        order = np.random.RandomState(self.split_seed).permutation(count)
        tested = ceil(self.test_share * count)
        if tested >= count:
            rule = f"{self.test_share} of {count} examples leaves none to train on: make it smaller, or add examples"
            raise DataError(f"data.test_share: {rule}")
        return order[tested:], order[:tested]


@dataclass(frozen=True)
class Scaling:
    """How the numbers of an example become inputs of a network: ``(numbers - mean) / deviation``, column by column.

    Attributes:
        mean: float64 (columns,).
        deviation: float64 (columns,).
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def __call__(self, numbers: NDArray[np.float64]) -> NDArray[np.float32]:
        """The inputs for numbers (n, columns)."""
        return ((numbers - self.mean) / self.deviation).astype(np.float32)


def standard_scaling(trained: NDArray[np.float64]) -> Scaling:
    """The one by which each column of these examples (n, columns) has the mean 0 and the deviation 1.

    As ``StandardScaler`` of scikit-learn; a column of equal numbers becomes 0.
    """
    mean, deviation = trained.mean(axis=0), trained.std(axis=0)
    rounding = len(trained) * np.finfo(np.float64).eps
    deviation[deviation**2 <= rounding * deviation**2 + (rounding * mean) ** 2] = 1
    return Scaling(mean, deviation)


def no_scaling(columns: int) -> Scaling:
    """The one that leaves the numbers as they are."""
    return Scaling(np.zeros(columns), np.ones(columns))
