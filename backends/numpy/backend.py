"""NumPy on this machine: threads, and the processor alone."""

import os
from collections.abc import Callable

import numpy as np

from backends import base
from backends.numpy import ABOUT


class Backend(base.Backend):
    """NumPy; how to use it is documented in :class:`backends.base.Backend`."""

    about = ABOUT
    dtypes = ("float32", "float64")

    def configure(self, threads: int) -> dict[str, base.Setting]:
        """Returns what is set: NumPy's matrix library read its threads from the environment when it was imported."""
        return {"matmul_precision": "highest", "threads": int(os.environ.get("OMP_NUM_THREADS", threads))}

    def devices(self) -> tuple[str, ...]:
        """``"cpu"``."""
        return ("cpu",)

    def matrix_product(self, size: int, device: str) -> Callable[[], object]:
        """A call that multiplies two float32 matrices (size, size)."""
        matrix = np.random.default_rng(0).standard_normal((size, size), np.float32)
        return lambda: matrix @ matrix
