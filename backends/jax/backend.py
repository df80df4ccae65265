"""JAX on this machine: threads, precision, devices, memory."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from backends import base
from backends.cores import affinity_cores
from backends.jax import ABOUT
from backends.kernels import Kernel
from tasks.arithmetic import ARITHMETICS


def device_of(device: str) -> jax.Device:
    """JAX's own object for ``"cpu"``, ``"cpu:1"`` or ``"gpu:0"``."""
    platform, _, index = device.partition(":")
    return jax.devices(platform)[int(index or 0)]


def compiled(how: str) -> str:
    """How a loop is compiled, unless JAX is set to compile nothing, by JAX_DISABLE_JIT say."""
    return f"{base.EAGER}jax_disable_jit is set" if jax.config.jax_disable_jit else how


def _count(platform: str) -> int:
    try:
        return len(jax.devices(platform))
    except (RuntimeError, AssertionError):  # how JAX says that there are none, and that nothing could be started
        return 0


class Backend(base.Backend):
    """JAX; how to use it is documented in :class:`backends.base.Backend`."""

    about = ABOUT
    arithmetics = ARITHMETICS

    def __init__(self) -> None:
        """Imports what belongs to the framework besides JAX: how long all of it takes is measured around this."""
        import flax.nnx  # noqa: F401
        import optax  # noqa: F401

    def configure(self, threads: int) -> dict[str, base.Setting]:
        """Sets full float32 precision for the whole process; returns what was set, and the threads that XLA has."""
        # JAX has no thread setting: XLA's pool has one thread for each core of the process's affinity.
        jax.config.update("jax_default_matmul_precision", "highest")  # no TF32; without effect on a CPU
        return {"matmul_precision": "highest", "threads": affinity_cores(), "flush_denormals": True}

    def set_tf32(self, *, allowed: bool) -> None:
        """Lets products and convolutions round their factors to TF32, or not."""
        super().set_tf32(allowed=allowed)
        jax.config.update("jax_default_matmul_precision", "tensorfloat32" if allowed else "highest")

    def divide_cpu(self, count: int) -> None:
        """Has XLA see so many devices in the CPU. Raises RuntimeError where it has begun already."""
        jax.config.update("jax_num_cpu_devices", count)

    def devices(self) -> tuple[str, ...]:
        """``"cpu"`` and, for each GPU, ``"gpu:<index>"``, of those that JAX_PLATFORMS allows.

        Raises:
            DeviceUnavailableError: it allows none that is there.
        """
        cpu = ("cpu",) if _count("cpu") else ()
        found = (*cpu, *(f"gpu:{index}" for index in range(_count("gpu"))))
        if not found:
            raise base.DeviceUnavailableError(
                f"jax finds no device here with JAX_PLATFORMS={jax.config.jax_platforms}: unset it, or set it to cpu"
            )
        return found

    def matrix_product(self, size: int, device: str) -> Callable[[], object]:
        """A call that multiplies two float32 matrices (size, size) and waits for the product."""
        normal = np.random.default_rng(0).standard_normal((size, size), np.float32)
        matrix = jax.device_put(normal, device_of(device))
        product = jax.jit(jnp.matmul)
        return lambda: product(matrix, matrix).block_until_ready()

    def peak_bytes(self, device: str) -> int | None:
        """The most bytes that XLA held on a GPU; None for the CPU, or where XLA does not tell."""
        statistics = None if device == "cpu" else device_of(device).memory_stats()
        return statistics["peak_bytes_in_use"] if statistics else None

    def prepare_profile(self) -> None:
        """Has code that is compiled from now on name its kernels."""
        from backends.jax import profile

        profile.prepare_profile()

    def kernels_of(self, call: Callable[[], object]) -> list[Kernel]:
        """Makes a call, and returns the kernels that the framework's own profiler saw."""
        from backends.jax import profile

        return profile.kernels_of(call)
