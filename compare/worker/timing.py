"""The time of an epoch: training calls back to back, until they are steady."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np

from backends.base import Model
from compare.worker.calls import Calls
from compare.worker.clocks import CALL_SECONDS
from tasks.batches import Batches

CALLS, SECONDS = 5, 2.0
"""At least so many calls are timed, and for so long in all."""
LONG_SECONDS = 10.0
"""Of long calls fewer are enough, once they took so long together."""
PATIENCE_SECONDS = 6.0
"""Calls that do not become steady are timed for so long in all."""
SPREAD = 0.05
"""Calls are steady when the middle half of them lies within this share of their median."""
WARMING = 1.1
"""A call belongs to the warm-up if it took longer than this times the median of those after it."""


class Steady(NamedTuple):
    """Timed epochs.

    Attributes:
        epoch_seconds: of each timed call the seconds of an epoch, without the warm-up.
        epochs_a_call: of the calls that were made for their time; of all, where none had to be.
        warm_up: how many calls were left out, because those after them were faster.
    """

    epoch_seconds: list[float]
    epochs_a_call: int
    warm_up: int


def time_epochs(calls: Calls, model: Model, batches: Batches, timed: Sequence[tuple[float, int]]) -> Steady:
    """Goes on training, beyond the recipe, until the time of an epoch is known.

    Args:
        calls: of this model; after whole epochs.
        model: that is trained; read its parameters and accuracy before.
        batches: the epochs of the recipe; they are repeated as needed.
        timed: the seconds and the epochs of the recipe's own calls, of those that compiled nothing. Where there are
            none, or where they are too short, calls are made that hold as many epochs as make them last.
    """

    def seconds_a_call(epochs: int) -> float:
        which = (calls.steps // batches.steps + np.arange(epochs)) % batches.epochs
        return calls.train(model, Batches(batches.indices[which], batches.remainder[which]))[1]

    found, total = [seconds / of for seconds, of in timed], sum(seconds for seconds, _ in timed)
    if timed and median(seconds for seconds, _ in timed) >= CALL_SECONDS:
        epochs = timed[-1][1]
    else:
        likely = _more(1, median(found)) if found else batches.epochs
        epochs, found, total = _calibrated(seconds_a_call, likely), [], 0.0
    while not _enough(without_warm_up(found), total):
        seconds = seconds_a_call(epochs)
        found.append(seconds / epochs)
        total += seconds
    rest = without_warm_up(found)
    return Steady(rest, epochs, len(found) - len(rest))


def _more(epochs: int, seconds: float) -> int:
    """How many epochs make a call that lasts, where so many took so long: half as many again, to be sure."""
    return max(epochs + 1, int(epochs * 1.5 * CALL_SECONDS / max(seconds, CALL_SECONDS / 1000)))


def _calibrated(seconds_a_call: Callable[[int], float], epochs: int) -> int:
    """How many epochs a call holds that lasts long enough to be timed, as pyperf calibrates; it is compiled then.

    Args:
        seconds_a_call: makes a call of so many epochs, and times it.
        epochs: that are likely to be enough.
    """
    while True:
        seconds_a_call(epochs)  # compiles for this shape
        seconds = seconds_a_call(epochs)
        if seconds >= CALL_SECONDS:
            return epochs
        epochs = _more(epochs, seconds)


def _enough(epoch_seconds: Sequence[float], total: float) -> bool:
    """Whether so many calls are enough, which took so long in all, and are steady."""
    if total >= LONG_SECONDS:
        return True
    if len(epoch_seconds) < CALLS or total < SECONDS:
        return False
    low, middle, high = np.percentile(epoch_seconds, [25, 50, 75])
    return bool((high - low) <= SPREAD * middle) or total >= PATIENCE_SECONDS


def without_warm_up(seconds: Sequence[float]) -> list[float]:
    """Leaves out the first calls, at most half of them, as far as each was slower than those after it."""
    rest = list(seconds)
    while len(rest) > max(len(seconds) / 2, 1) and rest[0] > WARMING * median(rest[1:]):
        del rest[0]
    return rest
