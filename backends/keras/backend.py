"""Keras and TensorFlow on this machine: threads, precision, devices, memory."""

import os
from collections.abc import Callable

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import tensorflow as tf

from backends import base
from backends.keras import ABOUT, _configure
from backends.kernels import Kernel
from tasks.arithmetic import ARITHMETICS


def device_of(device: str) -> str:
    """TensorFlow's own word for ``"cpu"``, ``"cpu:1"`` or ``"gpu:0"``, as ``tf.device`` takes it: ``/gpu:0``."""
    return f"/{device}"


def compiled(how: str) -> str:
    """How a loop is compiled, unless TensorFlow is set to compile nothing."""
    return f"{base.EAGER}run_functions_eagerly is set" if tf.config.functions_run_eagerly() else how


class Backend(base.Backend):
    """Keras on TensorFlow; how to use it is documented in :class:`backends.base.Backend`."""

    about = ABOUT
    arithmetics = ARITHMETICS

    def configure(self, threads: int) -> dict[str, base.Setting]:
        """Sets threads and full float32 precision for the whole process; returns what was set."""
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.config.experimental.enable_tensor_float_32_execution(False)  # on by default
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
        _configure("tensorflow")
        return {
            "matmul_precision": "highest",
            "threads": tf.config.threading.get_intra_op_parallelism_threads(),
            "flush_denormals": True,
        }

    def set_tf32(self, *, allowed: bool) -> None:
        """Lets products and convolutions round their factors to TF32, or not."""
        super().set_tf32(allowed=allowed)
        tf.config.experimental.enable_tensor_float_32_execution(allowed)

    def divide_cpu(self, count: int) -> None:
        """Has TensorFlow see so many devices in the CPU."""
        cpu, parts = tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * count
        tf.config.set_logical_device_configuration(cpu, parts)

    def devices(self) -> tuple[str, ...]:
        """``"cpu"`` and, for each GPU, ``"gpu:<index>"``."""
        return ("cpu", *(f"gpu:{index}" for index in range(len(tf.config.list_physical_devices("GPU")))))

    def matrix_product(self, size: int, device: str) -> Callable[[], object]:
        """A call that multiplies two float32 matrices (size, size) and waits for the product."""
        normal = np.random.default_rng(0).standard_normal((size, size), np.float32)
        with tf.device(device_of(device)):
            matrix = tf.constant(normal)
        return lambda: tf.matmul(matrix, matrix)[0, 0].numpy()

    def peak_bytes(self, device: str) -> int | None:
        """The most bytes that TensorFlow held on a GPU; None for the CPU."""
        return None if device == "cpu" else tf.config.experimental.get_memory_info(device.upper())["peak"]

    def prepare_profile(self) -> None:
        """Has code that is compiled from now on name its kernels."""
        from backends.keras import profile

        profile.prepare_profile()

    def kernels_of(self, call: Callable[[], object]) -> list[Kernel]:
        """Makes a call, and returns the kernels that the framework's own profiler saw."""
        from backends.keras import profile

        return profile.kernels_of(call)
