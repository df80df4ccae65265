"""What the machine does in a moment, by NumPy alone: whether it was slow while a cell was timed."""

from collections.abc import Callable

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
    )


def _calls_a_second(call: Callable[[], object]) -> float:
    call()
    seconds: list[float] = []
    while not seconds or sum(seconds) < SECONDS:
        seconds.append(clock(call))
    return len(seconds) / sum(seconds)
