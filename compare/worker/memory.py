"""The memory of this process."""

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from backends.base import Backend


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


def peak(backend: Backend, devices: Sequence[str], before: int) -> dict[str, int | str]:
    """The fields of a run that say how much memory the training took.

    Args:
        backend: has trained.
        devices: that trained.
        before: the process's resident bytes before the framework's import.
    """
    if len(devices) > 1:  # in several processes, or each with a peak of its own
        return {"memory_source": "not measured, for several devices trained"}
    of_device = backend.peak_bytes(devices[0])
    if of_device is not None:
        return {"peak_memory_bytes": of_device, "memory_source": "the framework's own peak on the device"}
    return {
        "peak_memory_bytes": max(peak_resident_bytes() - before, 0),
        "memory_source": "the process's resident memory above its level before the framework's import",
    }
