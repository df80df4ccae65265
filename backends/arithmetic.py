"""Which arithmetic a backend can train in, and where."""

from collections.abc import Sequence

from backends.devices import single_devices
from tasks.arithmetic import Arithmetic


def refusal(backend: str, known: Sequence[Arithmetic], arithmetic: Arithmetic, device: str) -> str:
    """Why a backend, which knows some, cannot train in an arithmetic on a device; empty where it can."""
    if arithmetic not in known:
        return f"{backend} trains in {' and '.join(known)} alone, not in {arithmetic}"
    if arithmetic != "float32" and len(single_devices(device)) > 1:
        return f"several devices train one model in float32 alone, not in {arithmetic}"
    if arithmetic == "tf32" and device.startswith("cpu"):
        return "tf32 is an arithmetic of NVIDIA's GPUs: a CPU has float32 and bfloat16"
    return ""
