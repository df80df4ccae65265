"""What JAX's own profiler sees of a training call."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import jax

from backends.kernels import Kernel, Kind

_PRODUCT = re.compile(r"dot|conv|ynn_fusion|gemm|cublas|cudnn|custom-call", re.IGNORECASE)
"""XLA's names; YNNPACK is the library that computes its products on a CPU, with what is fused into them."""
_HOLDS = re.compile(r"(while|call|conditional|tuple)(\.\d+)?$")
"""Instructions of XLA that run others."""


def prepare_profile() -> None:
    """Does nothing: XLA names its kernels at any time."""


def kernels_of(call: Callable[[], object]) -> list[Kernel]:
    """Makes a call, and returns the kernels that it ran: those of a GPU where there are any."""
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            call()
        files = list(Path(folder).rglob("*.xplane.pb"))
        planes = list(jax.profiler.ProfileData.from_file(str(files[0])).planes) if files else []
    on_gpu = [plane for plane in planes if plane.name.startswith("/device:GPU")]
    kernels = []
    for plane in on_gpu or planes:
        for line in plane.lines:
            for event in line.events:
                names = dict(event.stats)
                if "hlo_op" in names and not _HOLDS.match(event.name):
                    kind: Kind = "product" if _PRODUCT.search(event.name) else "other"
                    kernels.append(Kernel(kind, event.name, event.start_ns / 1e9, event.end_ns / 1e9))
    return kernels
