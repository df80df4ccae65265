"""What a worker runs in, as far as it bears on speed: Python, cores, environment variables."""

import os
import platform
import re

from backends.base import Setting
from backends.cores import affinity_cores
from compare.text import without_paths
from tasks.arithmetic import Arithmetic

_VARIABLES = re.compile(
    "(PY)?TORCH|JAX_|XLA_|TF_(?!VAR_|CLI_|TOKEN_)|KERAS_|FLAX_|TRITON_|G?OMP_|MKL_|KMP_|OPENBLAS_|CUDA|NVIDIA_|MALLOC_"
)
"""The beginnings of environment variables that change a framework's speed or results; Terraform's TF_ are not."""
_SECRET = re.compile("KEY|TOKEN|SECRET|PASS|CREDENTIAL")


def surroundings(arithmetic: Arithmetic) -> dict[str, Setting]:
    """What this process runs in, for the ledger; the precision of products where they are not in full float32."""
    found: dict[str, Setting] = {"python": platform.python_version(), "affinity": affinity_cores()}
    found["environment"] = environment()
    return found if arithmetic == "float32" else found | {"matmul_precision": arithmetic}


def environment() -> str:
    """The variables of this process's environment that bear on speed, for the ledger; no secrets and no paths."""
    names = sorted(name for name in os.environ if _VARIABLES.match(name) and not _SECRET.search(name))
    return " ".join(f"{name}={without_paths(os.environ[name])}" for name in names)
