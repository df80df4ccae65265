"""The machine: what a reader of the figures must know of it."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from backends.base import Setting
from backends.cores import affinity_cores, cpu_quota


def load_average() -> float | None:
    """Of the last minute; None where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def describe_host() -> dict[str, Setting]:
    """What a reader must know of the machine; nothing that names its owner."""
    quota = cpu_quota()
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cores": affinity_cores(),
        **_governor(),
        **({} if quota is None else {"cpu_quota": quota}),
        "memory_bytes": int(psutil.virtual_memory().total),
        "python": platform.python_version(),
        "sidebyside": _own_version(),
    }


def _governor(file: Path = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")) -> dict[str, Setting]:
    """What sets the processor's frequency, where Linux tells: ``performance`` keeps it at its highest."""
    try:
        return {"governor": file.read_text().strip()}
    except OSError:
        return {}


def _own_version() -> str:
    try:
        return version("sidebyside")
    except PackageNotFoundError:  # the files were copied, not installed
        return "unknown"


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
