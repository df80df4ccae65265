"""What NVIDIA's driver tells of a GPU, by its library NVML: energy, clocks, memory and other processes."""

import importlib
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from compare.records.run import Gpu
from compare.worker.calls import Calls
from tasks.batches import Batches

_SLOWED = {
    "nvmlClocksEventReasonSwThermalSlowdown": "heat",
    "nvmlClocksEventReasonHwThermalSlowdown": "heat",
    "nvmlClocksEventReasonSwPowerCap": "its limit of power",
    "nvmlClocksEventReasonHwPowerBrakeSlowdown": "its limit of power",
}
"""Why the driver keeps a clock down, by NVML's names of the reasons; an idle GPU's is none of these."""
Value = TypeVar("Value")


class GpuMeter:
    """Reads one GPU while a cell runs on it; every reading is None where the driver does not give it.

    Args:
        nvml: the module of NVIDIA's library.
        handle: the library's own name of the GPU.
    """

    def __init__(self, nvml: Any, handle: Any) -> None:
        self.nvml, self.handle = nvml, handle

    def joules(self) -> float | None:
        """The energy that the GPU has used since its driver was loaded."""
        millijoules = self._ask(lambda: self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle))
        return None if millijoules is None else millijoules / 1000

    def read(self, joules_per_example: float | None) -> Gpu:
        """The record of the GPU, right after the last timed call."""
        nvml, handle = self.nvml, self.handle
        clock = self._ask(lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM))
        highest = self._ask(lambda: nvml.nvmlDeviceGetMaxClockInfo(handle, nvml.NVML_CLOCK_SM))
        return Gpu(
            name=_text(self._ask(lambda: nvml.nvmlDeviceGetName(handle)) or "unknown"),
            driver=_text(self._ask(nvml.nvmlSystemGetDriverVersion) or ""),
            memory_bytes=self._own_memory(),
            joules_per_example=joules_per_example,
            clock_mhz=clock,
            highest_clock_mhz=highest,
            slowed_for=self._slowed_for(),
            other_processes=self._other_processes(),
        )

    def _processes(self) -> list[Any] | None:
        """NVML's records of the processes that compute on the GPU."""
        return self._ask(lambda: list(self.nvml.nvmlDeviceGetComputeRunningProcesses(self.handle)))

    def _other_processes(self) -> int | None:
        """None where this process is not among them: in a container, the driver may tell the host's numbers."""
        pids = [process.pid for process in self._processes() or ()]
        return len(pids) - 1 if os.getpid() in pids else None

    def _own_memory(self) -> int | None:
        own = [p.usedGpuMemory for p in self._processes() or () if p.pid == os.getpid()]
        return own[0] if own and own[0] is not None else None

    def _slowed_for(self) -> list[str]:
        reasons = self._ask(lambda: self.nvml.nvmlDeviceGetCurrentClocksEventReasons(self.handle)) or 0
        return sorted({word for name, word in _SLOWED.items() if reasons & getattr(self.nvml, name, 0)})

    def _ask(self, question: Callable[[], Value]) -> Value | None:
        try:
            return question()
        except (self.nvml.NVMLError, AttributeError):  # not known of this GPU, or to this version of the library
            return None


def read_gpu(meter: GpuMeter | None, calls: Calls, count: int, batches: Batches) -> Gpu | None:
    """The record of the GPU of a cell, with the energy of the last so many training calls; None without a meter."""
    if meter is None:
        return None
    joules = calls.joules_a_step(count)
    return meter.read(None if joules is None else joules * batches.steps / batches.examples)


def meter_of(devices: Sequence[str]) -> GpuMeter | None:
    """The meter of one GPU, ``("gpu:0",)``, as frameworks count them.

    None of a CPU, of several GPUs, and where NVIDIA's library is not there.

    The framework counts the GPUs that CUDA_VISIBLE_DEVICES names, and NVML all of the machine, in the order of the bus:
    a worker's environment makes CUDA count in that order too.
    """
    kind, _, index = devices[0].partition(":")
    if kind != "gpu" or len(devices) > 1:
        return None
    try:
        nvml = importlib.import_module("pynvml")
        nvml.nvmlInit()
    except Exception:  # not installed, no driver, or another library of that name
        return None
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = None if visible is None else [name.strip() for name in visible.split(",")]
    try:
        name = index if names is None else names[int(index)]
        handle = (
            nvml.nvmlDeviceGetHandleByIndex(int(name)) if name.isdecimal() else nvml.nvmlDeviceGetHandleByUUID(name)
        )
    except (nvml.NVMLError, IndexError):  # a part of a GPU, say, of which the driver counts nothing by itself
        return None
    return GpuMeter(nvml, handle)


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
