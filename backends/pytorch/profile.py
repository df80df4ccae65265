"""What torch's own profiler sees of a training call."""

import re
from collections.abc import Callable
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from backends.kernels import Kernel, Kind

_KERNEL = re.compile(r"aten::|aoti_torch_|graph_\d+_cpp_|mkl|torch_")
"""The beginnings of what computes on a CPU: torch's own operations, and what its compiler wrote or calls."""
_PRODUCT = re.compile(r"mm(_out)?$|addmm|bmm|matmul|conv|linear|gemm|dot|cudnn|cutlass|wgrad|dgrad", re.IGNORECASE)
_VIEWS = re.compile(
    r"aten::(view|_unsafe_view|reshape|_reshape_alias|permute|transpose|t|as_strided|select|slice|expand|detach|alias|"
    r"squeeze|unsqueeze|unbind|unflatten|flatten|narrow|empty|empty_like|empty_strided|result_type|lift_fresh|to|"
    r"resolve_conj|resolve_neg|is_nonzero|item|_local_scalar_dense)$"
)
"""Operations that compute nothing."""


def prepare_profile() -> None:
    """Has the compiler name its kernels to the profiler, in code that is compiled from now on."""
    import torch._inductor.config as inductor

    inductor.cpp.enable_kernel_profile = True


def kernels_of(call: Callable[[], object]) -> list[Kernel]:
    """Makes a call, and returns the kernels that it ran: those of a GPU where there are any."""
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if torch.cuda.is_available() else [])]
    with profile(activities=activities) as profiler:
        call()
    events = profiler.events() or []
    on_gpu = [event for event in events if event.device_type == DeviceType.CUDA]
    computing = on_gpu or [
        event for event in events if _computes(event) and not any(map(_computes, event.cpu_children))
    ]
    loading = [event for event in events if event.name.startswith("enumerate(DataLoader)")]
    spans = [(event.time_range.start, event.time_range.end) for event in loading]
    preparing = [_kernel("data", event) for event in loading]
    return preparing + [
        _kernel("product" if _PRODUCT.search(event.name) else "other", event)
        for event in computing
        if not any(begin <= event.time_range.start < end for begin, end in spans)
    ]


def _computes(event: Any) -> bool:
    return bool(_KERNEL.match(event.name)) and not _VIEWS.match(event.name)


def _kernel(kind: Kind, event: Any) -> Kernel:
    """Torch's times are in microseconds."""
    return Kernel(kind, event.name, event.time_range.start / 1e6, event.time_range.end / 1e6)
