"""What a report shows of a trained model's weights and biases: of each its shape, statistics and a histogram."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.layers import Shape

BINS = 30
"""The equal intervals of a histogram, from the smallest value to the largest."""
SHAPE, STATISTICS, HISTOGRAM = "weights_shape", "weights_statistics", "weights_histogram"
"""The first words of the arrays' names in a file. The others are the parameter's place in the network, and its name."""


@dataclass(frozen=True)
class WeightsSummary:
    """What is shown of one parameter of a model.

    Attributes:
        shape: in the canonical layout.
        mean: of all values.
        standard_deviation: of all values, from their own mean.
        smallest: value.
        largest: value.
        counts: the number of values in each interval of the histogram.
    """

    shape: Shape
    mean: float
    standard_deviation: float
    smallest: float
    largest: float
    counts: NDArray[np.int64]

    @property
    def count(self) -> int:
        return prod(self.shape)

    @property
    def edges(self) -> NDArray[np.float64]:
        """Where the intervals of the histogram begin and, last, where they end."""
        return _edges(self.smallest, self.largest)


def summarize_weights(values: NDArray[np.floating]) -> WeightsSummary:
    """The summary of a parameter, all of whose values are finite."""
    exact = values.astype(np.float64)  # in float32 the mean of a million values would be rounded in its fourth digit
    smallest, largest = float(exact.min()), float(exact.max())
    counts, _ = np.histogram(exact, _edges(smallest, largest))
    return WeightsSummary(values.shape, float(exact.mean()), float(exact.std()), smallest, largest, counts)


def _edges(smallest: float, largest: float) -> NDArray[np.float64]:
    """The ends of the intervals between two values; where they are equal, around them."""
    margin = (abs(smallest) / 2 or 0.5) if smallest == largest else 0.0
    return np.linspace(smallest - margin, largest + margin, BINS + 1)


def arrays_of_weights(parameters: Mapping[str, NDArray[np.floating]]) -> dict[str, NDArray[Any]]:
    """The summaries of a model's parameters as arrays for a file; without those whose values are not all finite."""
    arrays: dict[str, NDArray[Any]] = {}
    for place, (name, values) in enumerate(parameters.items()):
        if np.isfinite(values).all():
            summary = summarize_weights(values)
            arrays[f"{SHAPE} {place} {name}"] = np.array(summary.shape, np.int64)
            statistics = [summary.mean, summary.standard_deviation, summary.smallest, summary.largest]
            arrays[f"{STATISTICS} {place} {name}"] = np.array(statistics)
            arrays[f"{HISTOGRAM} {place} {name}"] = summary.counts
    return arrays


def weights_in_arrays(arrays: Mapping[str, NDArray[Any]]) -> dict[str, WeightsSummary]:
    """The summaries in the arrays of a file, by the parameter's name, in order; without those that cannot be right."""
    found: list[tuple[int, str, str, WeightsSummary]] = []
    for key in arrays:
        kind, _, rest = key.partition(" ")
        place, _, name = rest.partition(" ")
        if kind != SHAPE or not name:
            continue
        shape, statistics, counts = (
            arrays.get(f"{part} {rest}", np.empty(0)) for part in (SHAPE, STATISTICS, HISTOGRAM)
        )
        if shape.ndim == 1 and statistics.shape == (4,) and counts.shape == (BINS,):
            mean, deviation, smallest, largest = statistics.tolist()
            summary = WeightsSummary(tuple(shape.tolist()), mean, deviation, smallest, largest, counts)
            finite = bool((np.abs(statistics) <= np.finfo(np.float32).max).all())
            if finite and counts.min() >= 0 and counts.sum() == summary.count:
                found.append((len(place), place, name, summary))  # a longer number is a larger one
    return {name: summary for _, _, name, summary in sorted(found, key=lambda item: item[:2])}
