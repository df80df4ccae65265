"""What TensorFlow's own profiler sees of a training call."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from backends.kernels import Kernel, Kind

_PRODUCT = re.compile(r"MatMul|Conv|dot|ynn_fusion|gemm|cublas|cudnn|custom-call", re.IGNORECASE)
"""TensorFlow's and XLA's names; YNNPACK is a library of products, with what is fused into them."""
_DATA = re.compile(r"Iterator|Dataset")
"""What waits for tf.data's next batch."""
_HOLDS = re.compile(r"(while|call|conditional|tuple)(\.\d+)?$")
"""Instructions of XLA that run others."""
_OPERATION = re.compile(r".*[^:]:(?P<kind>_?[A-Z]\w*)$")
"""TensorFlow's events for its own kernels: the operation's place in the model, and what it is."""
_RUNS_OTHERS = re.compile(
    r"(Stateful)?PartitionedCall|While|If|Case|XlaLaunch|_?(Arg|Retval)|Identity|NoOp|Const|Switch|Merge"
)


def prepare_profile() -> None:
    """Does nothing: TensorFlow names its kernels at any time."""


def kernels_of(call: Callable[[], object]) -> list[Kernel]:
    """Makes a call, and returns the kernels that it ran: those of a GPU where there are any."""
    from tensorflow.tsl.profiler.protobuf.xplane_pb2 import XSpace

    space = XSpace()
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        try:
            call()
        finally:
            tf.profiler.experimental.stop()
        for file in Path(folder).rglob("*.xplane.pb"):
            space.ParseFromString(file.read_bytes())
    on_gpu = [plane for plane in space.planes if plane.name.startswith("/device:GPU")]
    kernels = []
    for plane in on_gpu or space.planes:
        for line in plane.lines:
            for event in line.events:
                stats = {plane.stat_metadata[stat.metadata_id].name for stat in event.stats}
                name = _kernel_name(plane.event_metadata[event.metadata_id].name, by_xla="hlo_op" in stats)
                if name is not None:
                    kind: Kind = "product" if _PRODUCT.search(name) else "data" if _DATA.search(name) else "other"
                    begin = line.timestamp_ns / 1e9 + event.offset_ps / 1e12
                    kernels.append(Kernel(kind, name, begin, begin + event.duration_ps / 1e12))
    return kernels


def _kernel_name(event: str, *, by_xla: bool) -> str | None:
    """What is computed in an event, by XLA's name or TensorFlow's; None where it is no kernel."""
    if by_xla:
        return None if _HOLDS.match(event) else event
    operation = _OPERATION.match(event)
    return operation["kind"] if operation and not _RUNS_OTHERS.fullmatch(operation["kind"]) else None
