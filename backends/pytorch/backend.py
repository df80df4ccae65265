"""PyTorch on this machine: threads, precision, devices, memory."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed
from torch._dynamo.exc import BackendCompilerFailed

from backends import base
from backends.kernels import Kernel
from backends.pytorch import ABOUT
from tasks.arithmetic import ARITHMETICS

_Steps = Callable[[Tensor], Tensor]
_TIMEOUT = timedelta(minutes=5)
"""How long a process waits for the others, which do the same work; torch's own default is half an hour."""


def device_of(device: str) -> torch.device:
    """Torch's own word for ``"cpu"``, ``"cpu:1"`` or ``"gpu:0"``: ``cpu``, ``cpu``, ``cuda:0``."""
    return torch.device("cpu" if device.startswith("cpu") else device.replace("gpu", "cuda"))


def compiled(how: str) -> str:
    """How a loop is compiled, unless torch is set to compile nothing, by TORCH_COMPILE_DISABLE say."""
    return f"{base.EAGER}torch.compile is switched off" if torch._dynamo.config.disable else how


def _has_compiler(device: str) -> bool:
    """Whether the compiler's own compiler is there: Inductor writes C++ for a CPU, and Triton, launched by C, else."""
    if device == "cpu":
        return any(shutil.which(name) for name in ("g++", "clang++", "c++", "cl"))
    return find_spec("triton") is not None and any(shutil.which(name) for name in ("cc", "gcc", "clang"))


class _CompiledSteps:
    """Several training steps in one compiled call; eager where the compiler fails, without headers say.

    It may fail because its cache is damaged or the disk is full: it gets another folder, and then a third.

    Args:
        train: trains on batches of indices (steps, batch_size), in place, and returns the loss of each.
        eagerly: the same for where nothing is compiled.
        options: what the compiler is told.
        failed: is called once the compiler has failed.
    """

    def __init__(self, train: _Steps, eagerly: _Steps, options: Mapping[str, bool], failed: Callable[[], None]) -> None:
        self.run: _Steps = torch.compile(train, dynamic=False, options=dict(options))
        self.eagerly, self.failed = eagerly, failed
        self.caches: list[str] | None = None

    def __call__(self, steps: Tensor) -> Tensor:
        """Trains on the batches (steps, batch_size); returns the loss of each."""
        while True:
            try:
                return self.run(steps)
            except (BackendCompilerFailed, OSError):
                from torch._inductor.runtime.cache_dir_utils import cache_dir  # only now: torch imports them late
                from torch._inductor.utils import clear_caches

                if self.caches is None:
                    self.caches = [tempfile.mkdtemp(prefix="sidebyside-"), f"{cache_dir()}-2"]
                if not self.caches:
                    self.run = self.eagerly
                    self.failed()
                else:
                    os.environ["TORCHINDUCTOR_CACHE_DIR"] = self.caches.pop()
                    clear_caches()
                    torch._dynamo.reset()


class _StepsInGraph:
    """Several training steps that a GPU is given at once, recorded in a CUDA graph when they have run often enough.

    Args:
        train: trains on batches of indices (steps, batch_size), in place, and returns the loss of each.
        cuda: where graphs and streams are from; ``torch.cuda``, or what stands for it in a test.
    """

    WARM_UP = 3
    """So many calls run as they are, on a stream of their own: libraries choose their kernels meanwhile."""

    def __init__(self, train: _Steps, cuda: Any = torch.cuda) -> None:
        self.train, self.cuda = train, cuda
        self.calls = 0

    def __call__(self, steps: Tensor) -> Tensor:
        """Trains on the batches (steps, batch_size), of the same shape in every call; returns the loss of each."""
        self.calls += 1
        if self.calls <= self.WARM_UP:
            stream = self.cuda.Stream()
            stream.wait_stream(self.cuda.current_stream())
            with self.cuda.stream(stream):
                losses = self.train(steps)
            self.cuda.current_stream().wait_stream(stream)
            return losses
        if self.calls == self.WARM_UP + 1:
            self.steps, self.graph = steps.clone(), self.cuda.CUDAGraph()
            with self.cuda.graph(self.graph):  # records the kernels, and runs none of them
                self.losses = self.train(self.steps)
        self.steps.copy_(steps)
        self.graph.replay()
        return self.losses.clone()


def _meet(meeting: str, devices: Sequence[str], rank: int) -> None:
    """Makes this process one of torch's group, in which the processes find each other by a file."""
    names = [name for _, name in socket.if_nameindex() if name.startswith("lo")]
    if names:  # otherwise Gloo asks for the address of the machine's name, which may have none
        os.environ.setdefault("GLOO_SOCKET_IFNAME", names[0])
    backend = "gloo" if devices[0].startswith("cpu") else "nccl"
    if backend == "nccl":
        torch.cuda.set_device(int(devices[rank].partition(":")[2]))
    place = {"init_method": f"file://{meeting}", "rank": rank, "world_size": len(devices)}
    distributed.init_process_group(backend, timeout=_TIMEOUT, **place)


def _share_of(threads: int, devices: Sequence[str]) -> int:
    return max(threads // len(devices), 1)


class Backend(base.Backend):
    """PyTorch; how to use it is documented in :class:`backends.base.Backend`."""

    about = ABOUT
    arithmetics = ARITHMETICS

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

    def set_tf32(self, *, allowed: bool) -> None:
        """Lets products, and cuDNN's convolutions, round their factors to TF32, or not."""
        super().set_tf32(allowed=allowed)
        torch.set_float32_matmul_precision("high" if allowed else "highest")
        torch.backends.cudnn.allow_tf32 = allowed

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

    def prepare_profile(self) -> None:
        """Has code that is compiled from now on name its kernels."""
        from backends.pytorch import profile

        profile.prepare_profile()

    def kernels_of(self, call: Callable[[], object]) -> list[Kernel]:
        """Makes a call, and returns the kernels that the framework's own profiler saw."""
        from backends.pytorch import profile

        return profile.kernels_of(call)
