"""The environment of a worker process: what frameworks read when they are imported."""

import os
from pathlib import Path

import platformdirs

from backends.registry import about

ROOT = Path(__file__).parent.parent.parent


def worker_environment(backend: str, threads: int, compile_cache: Path | None = None) -> dict[str, str]:
    """The environment variables of a worker: threads, memory, logging and caches.

    Args:
        backend: the framework's own variables are added, see :class:`backends.about.About`.
        threads: the number of threads that every pool may have.
        compile_cache: the folder for compiled code; None for a folder of the user's, kept from run to run.
    """
    cache = compile_cache or platformdirs.user_cache_path("sidebyside") / "compiled"
    own = {name: value.format(cache=cache) for name, value in about(backend).environment.items()}
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        # How long a waiting thread of OpenMP holds its core: by default so long that on a busy machine it keeps the
        # core from the thread it waits for (PyTorch 5 times as slow beside one busy process; no loss on a quiet one).
        "GOMP_SPINCOUNT": "10000",
        # glibc keeps freed memory instead of giving it back and fetching it anew, page by page, in every step.
        "MALLOC_MMAP_THRESHOLD_": str(2**30),
        "MALLOC_TRIM_THRESHOLD_": str(2**32),
        "NVIDIA_TF32_OVERRIDE": "0",  # no TF32 in any framework: full float32 everywhere
        "KERAS_HOME": str(cache / "keras"),  # not the user's keras.json: float64 or channels first would change models
        **own,
    }
