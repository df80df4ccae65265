"""The machine: what a reader of the figures must know of it."""

import os
import platform
import re
from pathlib import Path

import psutil

from backends.base import Setting, affinity_cores, cpu_quota
from compare.text import without_paths

_VARIABLES = re.compile(
    "(PY)?TORCH|JAX_|XLA_|TF_(?!VAR_|CLI_|TOKEN_)|KERAS_|FLAX_|TRITON_|G?OMP_|MKL_|KMP_|OPENBLAS_|CUDA|NVIDIA_|MALLOC_"
)
"""The beginnings of environment variables that change a framework's speed or results; Terraform's TF_ are not."""
_SECRET = re.compile("KEY|TOKEN|SECRET|PASS|CREDENTIAL")


def load_average() -> float | None:
    """Of the last minute; None where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def environment() -> str:
    """The variables of this process's environment that bear on speed, for the ledger; no secrets and no paths."""
    names = sorted(name for name in os.environ if _VARIABLES.match(name) and not _SECRET.search(name))
    return " ".join(f"{name}={without_paths(os.environ[name])}" for name in names)


def describe_host() -> dict[str, Setting]:
    """What a reader must know of the machine; nothing that names its owner."""
    quota = cpu_quota()
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cores": affinity_cores(),
        **({} if quota is None else {"cpu_quota": quota}),
        "memory_bytes": int(psutil.virtual_memory().total),
        "python": platform.python_version(),
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
