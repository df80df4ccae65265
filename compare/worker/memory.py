"""The memory of this process."""

import contextlib
import sys
from pathlib import Path

import psutil


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
