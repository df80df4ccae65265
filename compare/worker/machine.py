"""What the machine does in a moment, by NumPy alone: whether it was slow while a cell was timed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from compare.records.run import MachineRate
from compare.worker.clocks import clock

SECONDS = 0.05
"""Each of the two is measured for so long."""
MATRIX_SIZE, BYTES = 768, 32_000_000


def machine_rate() -> MachineRate:
    """Measures NumPy's product of two matrices and its copy of an array."""
    matrix = np.ones((MATRIX_SIZE, MATRIX_SIZE), np.float32)
    product = np.empty_like(matrix)
    source, copy = np.ones(BYTES, np.uint8), np.ones(BYTES, np.uint8)
    return MachineRate(
        matrix_operations_per_second=2 * MATRIX_SIZE**3 * _calls_a_second(lambda: np.matmul(matrix, matrix, product)),
        copied_bytes_per_second=BYTES * _calls_a_second(lambda: np.copyto(copy, source)),
        throttles=throttles(),
    )


def throttles(cores: Path = Path("/sys/devices/system/cpu")) -> int | None:
    """How often Linux has seen a core slowed for heat; None where it does not tell."""
    files = sorted(cores.glob("cpu[0-9]*/thermal_throttle/core_throttle_count"))
    try:
        return sum(int(file.read_text()) for file in files) if files else None
    except (OSError, ValueError):
        return None


def _calls_a_second(call: Callable[[], object]) -> float:
    call()
    seconds: list[float] = []
    while not seconds or sum(seconds) < SECONDS:
        seconds.append(clock(call))
    return len(seconds) / sum(seconds)
