"""What other processes took of this process's cores."""

import os
import sys
import time
from contextlib import suppress

import psutil


class OutsideLoad:
    """Measures from when it is made how many of this process's cores others kept busy.

    Others are all processes but those of this process's group; time that a virtual machine's host took counts too.
    """

    def __init__(self) -> None:
        self._known = sys.platform == "linux"
        if self._known:
            self._start = time.monotonic()
            self._busy, self._own = _busy_seconds(), _own_seconds()

    def cores(self) -> float | None:
        """The mean since the start, in cores; None where it is unknown."""
        if not self._known:
            return None
        seconds = time.monotonic() - self._start
        busy, own = _busy_seconds() - self._busy, _own_seconds() - self._own
        if busy <= 0 < own:  # the system does not tell
            return None
        return max(busy - own, 0.0) / seconds


def _busy_seconds() -> float:
    """Processor time that the cores of this process's affinity have spent on any work, since the system started."""
    times = psutil.cpu_times(percpu=True)
    cores = [times[core] for core in os.sched_getaffinity(0) if core < len(times)]
    return float(sum(sum(core[:3]) + sum(core[5:8]) for core in cores))  # all but idle and waiting for disks


def _own_seconds() -> float:
    """Processor time of the processes of this group, and of their children that have ended."""
    seconds = 0.0
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if os.getpgid(process.pid) == os.getpgrp():
                seconds += sum(process.cpu_times()[:4])
    return seconds
