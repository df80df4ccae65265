"""The cores that a process may use."""

import os
from contextlib import suppress
from math import ceil
from pathlib import Path, PurePosixPath


def usable_cores() -> int:
    """The cores that this process may use: those of its affinity, or fewer where its container has a quota."""
    return min(affinity_cores(), ceil(cpu_quota() or affinity_cores()))


def cpu_quota(root: Path = Path("/")) -> float | None:
    """The cores' worth of processor time that the control group allows (``docker --cpus``); None without a limit."""
    quotas = []
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        group = PurePosixPath(path)  # a container may see its own group as the root: every level is looked at
        for level in (group, *group.parents):
            for mount in {"", controllers, "cpu"}:
                folder = root / "sys/fs/cgroup" / mount / level.relative_to("/")
                with suppress(OSError, ValueError):
                    quota, period = (folder / "cpu.max").read_text().split()  # version 2; "max" is no limit
                    quotas.append(int(quota) / int(period))
                with suppress(OSError, ValueError):
                    quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
                    quotas.append(int(quota) / int(period))
    return min((quota for quota in quotas if quota > 0), default=None)


def affinity_cores() -> int:
    """The cores on which the system may run this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
