"""Clocks, memory, the machine. Runs inside a worker: standard library, NumPy and psutil alone."""

import contextlib
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from numpy.typing import NDArray

from backends.base import Model, Setting, usable_cores
from tasks.batches import Batches

CALL_SECONDS = 0.2
"""A timed call lasts at least this long, so that the clock and the call itself weigh nothing."""
TIMED_CALLS = 5


def clock(call: Callable[[], object]) -> float:
    """The seconds that a call takes. Everything in the interface returns NumPy, so the work is done by then."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


class UnfinishedError(RuntimeError):
    """A training call returned before its work was done, so that its timing is worth nothing."""


def check_finished(model: Model, call_seconds: float) -> None:
    """Catches a backend whose ``train`` returns early: then the first look at the parameters has to wait for the rest.

    Args:
        model: right after a call of ``train``.
        call_seconds: what that call took.

    Raises:
        UnfinishedError: the first look took longer than the second by more than a tenth of the call.
    """
    first, second = clock(model.parameters), clock(model.parameters)
    if first - second > max(call_seconds / 10, 0.05):
        raise UnfinishedError(
            f"train returned {first - second:.2f} seconds before its work was done; its timing would be wrong"
        )


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
            check_finished(model, timed[-1])
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


def resident_bytes() -> int:
    return int(psutil.Process().memory_info().rss)


def forget_peak() -> None:
    """Starts the high-water mark of resident memory afresh, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_resident_bytes() -> int:
    """The high-water mark of resident memory since the last ``forget_peak``, or since the start."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


def load_average() -> float | None:
    """Of the last minute; None where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


VARIABLES = (
    *("XLA_FLAGS", "TF_XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS", "JAX_PLATFORMS", "JAX_ENABLE_X64", "CUDA_VISIBLE_DEVICES"),
    *("NVIDIA_TF32_OVERRIDE", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "OMP_PROC_BIND", "GOMP_SPINCOUNT"),
    *("KMP_AFFINITY", "KMP_BLOCKTIME", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"),
)
"""By these of the environment what a framework does can be changed."""


def environment() -> str:
    """The variables of this process's environment that bear on speed, for the ledger."""
    return " ".join(f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ)


def describe_host() -> dict[str, Setting]:
    """What a reader must know of the machine; nothing that names its owner."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cores": usable_cores(),
        "memory_bytes": int(psutil.virtual_memory().total),
        "python": platform.python_version(),
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
