"""Clocks: how long training and inference take. Everything in the interface returns NumPy, so work is done by then."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backends.base import Model
from tasks.batches import Batches

CALL_SECONDS = 0.2
"""A timed call lasts at least this long, so that the clock and the call itself weigh nothing."""
TIMED_CALLS = 5
LOOKS = 6
"""Calls that all have to look unfinished before a loop is taken to return early."""


def clock(call: Callable[[], object]) -> float:
    """The seconds that a call takes. Everything in the interface returns NumPy, so the work is done by then."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


class UnfinishedError(RuntimeError):
    """A training call returned before its work was done, so that its timing is worth nothing."""


def looks_unfinished(model: Model, call_seconds: float) -> bool:
    """Whether the first look at the parameters had to wait: longer than the second by more than a tenth of the call.

    So it is after every call of a ``train`` that returns early; on a busy machine, it may be so by chance.

    Args:
        model: right after a call of ``train``.
        call_seconds: what that call took.
    """
    first, second = clock(model.parameters), clock(model.parameters)
    return first - second > max(call_seconds / 10, 0.05)


def check_finished(model: Model, batches: Batches) -> None:
    """Trains again after a call that looked unfinished: one that is finished looks so at one of a few looks at least.

    Args:
        model: is trained further.
        batches: those of the call that looked unfinished.

    Raises:
        UnfinishedError: each of the calls looked unfinished.
    """
    if all(looks_unfinished(model, clock(partial(model.train, batches))) for _ in range(LOOKS)):
        raise UnfinishedError("train returns before its work is done; its timing would be wrong")


class Steady(NamedTuple):
    """Seconds of steady epochs, one value a timed call, and how many epochs each call held."""

    epoch_seconds: list[float]
    epochs_a_call: int


def time_short_epochs(model: Model, batches: Batches) -> Steady:
    """Times epochs that are too short for one call each: as many a call as make it last, as pyperf calibrates.

    The model goes on training, beyond its recipe; read its parameters and accuracy before.

    Args:
        batches: any epochs of the recipe; they are repeated as needed.
    """
    epochs = batches.epochs
    while True:
        many = _repeated(batches, epochs)
        model.train(many)  # compiles for this shape
        timed = [clock(partial(model.train, many))]
        if timed[0] >= CALL_SECONDS:
            while len(timed) < TIMED_CALLS and sum(timed) < 2 * TIMED_CALLS * CALL_SECONDS:
                timed.append(clock(partial(model.train, many)))
            if looks_unfinished(model, timed[-1]):
                check_finished(model, many)
            return Steady([seconds / epochs for seconds in timed], epochs)
        epochs = max(epochs + 1, int(epochs * 1.5 * CALL_SECONDS / max(timed[0], CALL_SECONDS / 1000)))


def _repeated(batches: Batches, epochs: int) -> Batches:
    which = np.arange(epochs) % batches.epochs
    return Batches(np.ascontiguousarray(batches.indices[which]), np.ascontiguousarray(batches.remainder[which]))


class Inference(NamedTuple):
    """Examples per second at a batch size, and the seconds of single examples: median and 95th percentile."""

    examples_per_second: float
    latency_seconds: float
    latency_95_seconds: float


def time_inference(model: Model, inputs: NDArray[np.float32], batch_size: int) -> Inference:
    """Times the model's answers for NumPy inputs, transfers included."""
    batch_size = min(batch_size, len(inputs))
    batch = inputs[:batch_size]
    single = [inputs[index : index + 1] for index in range(min(len(inputs), 100))]
    model.logits(batch)
    model.logits(single[0])
    of_batches = _repeat(lambda index: model.logits(batch))
    of_single = _repeat(lambda index: model.logits(single[index % len(single)]))
    return Inference(
        batch_size / statistics.median(of_batches), statistics.median(of_single), float(np.percentile(of_single, 95))
    )


def _repeat(call: Callable[[int], object]) -> list[float]:
    """The seconds of each of many calls: 20 at least, and as many as fit into the time of a timed call."""
    seconds: list[float] = []
    end = time.perf_counter() + CALL_SECONDS
    while len(seconds) < 20 or time.perf_counter() < end:
        seconds.append(clock(partial(call, len(seconds))))
    return seconds
