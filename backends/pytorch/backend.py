"""PyTorch on this machine: threads, precision, devices, memory."""

from collections.abc import Callable

import numpy as np
import torch

from backends import base
from backends.pytorch import ABOUT


def device_of(device: str) -> torch.device:
    """Torch's own word for ``"cpu"``, ``"cpu:1"`` or ``"gpu:0"``: ``cpu``, ``cpu``, ``cuda:0``."""
    return torch.device("cpu" if device.startswith("cpu") else device.replace("gpu", "cuda"))


def compiled(how: str) -> str:
    """How a loop is compiled, unless torch is set to compile nothing, by TORCH_COMPILE_DISABLE say."""
    return f"{base.EAGER}torch.compile is switched off" if torch._dynamo.config.disable else how


class Backend(base.Backend):
    """PyTorch; how to use it is documented in :class:`backends.base.Backend`."""

    about = ABOUT

    def configure(self, threads: int) -> dict[str, base.Setting]:
        """Sets threads and full float32 precision for the whole process; returns what was set."""
        torch.set_num_threads(threads)
        flushed = torch.set_flush_denormal(True)  # late in training, denormals slow a step down
        torch.set_float32_matmul_precision("highest")  # no TF32 in matrix products ...
        torch.backends.cudnn.allow_tf32 = False  # ... nor in convolutions, where it is on by default
        return {
            "matmul_precision": torch.get_float32_matmul_precision(),
            "threads": torch.get_num_threads(),
            "flush_denormals": bool(flushed),
        }

    def divide_cpu(self, count: int) -> None:
        """Does nothing: torch's devices of a CPU are processes."""

    def devices(self) -> tuple[str, ...]:
        """``"cpu"`` and, for each GPU, ``"gpu:<index>"``."""
        return ("cpu", *(f"gpu:{index}" for index in range(torch.cuda.device_count())))

    def matrix_product(self, size: int, device: str) -> Callable[[], object]:
        """A call that multiplies two float32 matrices (size, size) and waits for the product."""
        normal = np.random.default_rng(0).standard_normal((size, size), np.float32)
        matrix = torch.from_numpy(normal).to(device_of(device))
        return lambda: (matrix @ matrix)[0, 0].item()

    def peak_bytes(self, device: str) -> int | None:
        """The most bytes that torch held on a GPU; None for the CPU."""
        return None if device == "cpu" else torch.cuda.max_memory_allocated(device_of(device))
