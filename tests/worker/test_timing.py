"""Calls are timed until they are enough and steady; short epochs are timed many a call."""

from typing import Any

import numpy as np
import pytest

from backends.numpy.model import NumpyModel
from compare.worker import clocks, timing
from compare.worker.calls import Calls
from compare.worker.timing import Steady, time_epochs, without_warm_up
from tasks.batches import Batches
from tests.worker.test_measure import SAMPLE, make_model


class FakeCalls(Calls):
    """Calls that last as long as they are told to: the seconds of an epoch, call by call, the last for all after it."""

    def __init__(self, *epoch_seconds: float) -> None:
        super().__init__(None)
        self.waiting = list(epoch_seconds)
        self.epochs: list[int] = []

    def train(self, model: Any, batches: Batches) -> Any:
        self.epochs.append(batches.epochs)
        seconds = self.waiting.pop(0) if len(self.waiting) > 1 else self.waiting[0]
        return None, seconds * batches.epochs


def timed(calls: FakeCalls, *known: tuple[float, int]) -> Steady:
    return time_epochs(calls, make_model(NumpyModel), SAMPLE.batches, known)


def test_short_epochs_are_timed_many_a_call() -> None:
    calls = FakeCalls(0.01)
    steady = timed(calls)
    assert steady.epochs_a_call * 0.01 >= clocks.CALL_SECONDS
    assert len(steady.epoch_seconds) >= timing.CALLS
    assert sum(steady.epoch_seconds) * steady.epochs_a_call >= timing.SECONDS
    # Each length is called before it is timed, so that nothing compiles on the clock.
    assert calls.epochs[-len(steady.epoch_seconds) - 2 :] == [steady.epochs_a_call] * (len(steady.epoch_seconds) + 2)


def test_short_calls_of_the_recipe_say_how_many_epochs_make_a_call_last() -> None:
    calls = FakeCalls(0.001)
    steady = timed(calls, (0.001, 1), (0.0011, 1))
    assert set(calls.epochs) == {steady.epochs_a_call}
    assert clocks.CALL_SECONDS < 0.001 * steady.epochs_a_call < 2 * clocks.CALL_SECONDS


@pytest.mark.parametrize("seconds", [1e-3, 1e-5, 5e-8])
def test_the_shortest_epochs_make_calls_that_last_after_few_tries(seconds: float) -> None:
    smallest = Batches(np.zeros((1, 1, 1), np.int32), np.zeros((1, 0), np.int32))
    for known in ((), ((seconds, 1),)):
        calls = FakeCalls(seconds)
        steady = time_epochs(calls, make_model(NumpyModel), smallest, known)
        assert clocks.CALL_SECONDS < seconds * steady.epochs_a_call < 2 * clocks.CALL_SECONDS
        assert len(calls.epochs) - len(steady.epoch_seconds) <= 10


def test_calls_of_the_recipe_count_and_are_gone_on_with_until_they_are_enough() -> None:
    calls = FakeCalls(0.3)
    assert timed(calls, (0.6, 2), (0.6, 2)) == ([0.3] * 5, 2, 0)
    assert calls.epochs == [2, 2, 2]


def test_long_calls_need_not_be_many() -> None:
    calls = FakeCalls(7.0)
    assert timed(calls, (6.0, 1)) == ([6.0, 7.0], 1, 0)
    assert timed(FakeCalls(7.0), (11.0, 1)) == ([11.0], 1, 0)


def test_the_warm_up_is_found_and_left_out() -> None:
    assert timed(FakeCalls(0.5), (0.9, 1), (0.7, 1)) == ([0.5] * 5, 1, 2)
    assert without_warm_up([1.0, 1.05, 1.0]) == [1.0, 1.05, 1.0]
    assert without_warm_up([4.0, 3.0, 2.0, 1.0]) == [2.0, 1.0]  # half of them at most
    assert without_warm_up([3.0]) == [3.0]


def test_calls_that_stay_unsteady_end_all_the_same() -> None:
    steady = timed(FakeCalls(*[0.3, 0.5] * 50))
    assert timing.PATIENCE_SECONDS <= sum(steady.epoch_seconds) * steady.epochs_a_call < timing.PATIENCE_SECONDS + 1
