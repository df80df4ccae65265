"""Clocks: how long training and inference take. Everything in the interface returns NumPy, so work is done by then."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backends.base import Model

CALL_SECONDS = 0.2
"""A timed call lasts at least this long, so that the clock and the call itself weigh nothing."""


def clock(call: Callable[[], object]) -> float:
    """The seconds that a call takes. Everything in the interface returns NumPy, so the work is done by then."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


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
