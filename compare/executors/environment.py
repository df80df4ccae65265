"""The environment of a worker process: what frameworks read when they are imported."""

import os
from pathlib import Path

from backends.registry import about
from compare.folders import VARIABLE, cache

ROOT = Path(__file__).parent.parent.parent
REMOVED = ("PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONDONTWRITEBYTECODE")
"""Python's own variables that workers do not inherit: with warnings as errors, say, a framework cannot be imported."""


def python_environment(scratch: Path, *, own: bool = True) -> dict[str, str]:
    """The environment variables of any Python process of ours, which writes into ``scratch``.

    Args:
        scratch: the process's folder for temporary files.
        own: whether it is this interpreter's, and so is told where our packages lie. Another one has them installed:
            the folder of ours may hold frameworks too.
    """
    ours = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {
        **{name: value for name, value in os.environ.items() if name not in REMOVED},
        **({"PYTHONPATH": ours} if own else {}),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(scratch),
        VARIABLE: str(scratch),
    }


def worker_environment(
    backend: str, threads: int, scratch: Path, compile_cache: Path | None = None, *, own: bool = True
) -> dict[str, str]:
    """The environment variables of a worker: threads, memory, logging and caches.

    Args:
        backend: the framework's own variables are added, see :class:`backends.about.About`.
        threads: the number of threads that every pool may have.
        scratch: the worker's folder for temporary files.
        compile_cache: the folder for compiled code; None for a folder of the user's, kept from run to run.
        own: see :func:`python_environment`.
    """
    compiled = compile_cache or cache().path / "compiled"
    framework = {name: value.format(cache=compiled) for name, value in about(backend).environment.items()}
    return {
        **python_environment(scratch, own=own),
        "KERAS_HOME": str(scratch / "keras"),  # the user's keras.json could change the layout or the precision
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        # How long a waiting thread of OpenMP holds its core: by default so long that on a busy machine it keeps the
        # core from the thread it waits for (PyTorch 5 times as slow beside one busy process; no loss on a quiet one).
        "GOMP_SPINCOUNT": "10000",
        # glibc keeps freed memory instead of giving it back and fetching it anew, page by page, in every step.
        "MALLOC_MMAP_THRESHOLD_": str(2**30),
        "MALLOC_TRIM_THRESHOLD_": str(2**32),
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # NVIDIA's driver counts the GPUs so, and tells what each of them did
        "NVIDIA_TF32_OVERRIDE": "0",  # no TF32 in any framework: full float32 everywhere
        **framework,
    }
