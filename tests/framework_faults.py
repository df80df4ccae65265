"""Faults of the frameworks that the certificate found; ``python -m tests.framework_faults NAME`` shows one.

Two are in oneDNN, which PyTorch and TensorFlow compute convolutions with on a CPU; both were seen on Intel processors
with AMX, and neither with oneDNN off. One is in XLA's own convolutions on a CPU.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from tasks.layers import Conv2D, ConvTranspose2D, Layer, Shape


@dataclass(frozen=True)
class Fault:
    """A fault of a framework.

    Attributes:
        what: in one sentence.
        distribution: the package that has it.
        version: the newest in which it was seen.
        show: computes it; returns whether the result is wrong. The process may also die of it.
    """

    what: str
    distribution: str
    version: str
    show: Callable[[], bool]


def _strided_1x1_in_pytorch() -> bool:
    import torch
    from torch.nn import functional

    for outputs in (1, 3, 5, 6):
        for stride in ((2, 1), (1, 2), (2, 2)):
            for layout in (torch.contiguous_format, torch.channels_last):
                images = torch.randn(7, 6, 4, 9).to(memory_format=layout).requires_grad_()
                kernel = torch.randn(outputs, 6, 1, 1).to(memory_format=layout).requires_grad_()
                result = functional.conv2d(images, kernel, stride=stride)
                gradient = torch.randn_like(result)
                result.backward(gradient)
                exact = kernel.detach().double().requires_grad_()
                functional.conv2d(images.detach().double(), exact, stride=stride).backward(gradient.double())
                if (kernel.grad - exact.grad).abs().max() > 1e-3:  # type: ignore[operator]
                    return True
    return False


def _one_column_in_pytorch() -> bool:
    import torch
    from torch.nn import functional

    images, kernel = torch.randn(4, 1, 6, 4), torch.randn(3, 1, 2, 3)
    last = torch.channels_last
    found = functional.conv2d(images.to(memory_format=last), kernel.to(memory_format=last), stride=(1, 2))
    exact = functional.conv2d(images.double(), kernel.double(), stride=(1, 2))
    return bool((found - exact).abs().max() > 1e-3)


def _one_column_in_tensorflow() -> bool:
    import numpy as np
    import tensorflow as tf

    random = np.random.RandomState(0)
    images, kernel = random.standard_normal((4, 6, 4, 1)), random.standard_normal((2, 3, 1, 3))
    found, exact = (
        tf.nn.conv2d(images.astype(number), kernel.astype(number), (1, 2), "VALID").numpy()
        for number in (np.float32, np.float64)
    )
    return bool(np.abs(found - exact).max() > 1e-3)


def _wide_padding_in_jax() -> bool:
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax import lax

    random = np.random.RandomState(0)
    images, kernel = (random.standard_normal(shape).astype(np.float32) for shape in ((6, 4, 4, 1), (2, 2, 1, 4)))

    def convolution(images: jax.Array, padding: tuple[tuple[int, int], ...]) -> jax.Array:
        return lax.conv_general_dilated(images, kernel, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def at_once(images: jax.Array) -> jax.Array:
        return (convolution(images, ((1, 1), (2, 0))) ** 2).sum()

    def padded_before(images: jax.Array) -> jax.Array:
        padded = jnp.pad(images, ((0, 0), (1, 1), (2, 0), (0, 0)))
        return (convolution(padded, ((0, 0), (0, 0))) ** 2).sum()

    exact = jax.grad(padded_before)(images)
    gradient = jax.jit(jax.grad(at_once))
    found = (gradient(images) for _ in range(50))  # what is read there is often 0
    return any(not np.abs(np.asarray(one - exact)).max() < 1e-3 for one in found)


_STRIDED = "the gradient of a 1x1 convolution with a stride damages memory: the process dies, or the gradient is wrong"
_COLUMN = "a convolution of one-channel images (NHWC) whose output is one column wide, with a stride across, is garbage"
_PADDING = "the gradient of a convolution whose padding is as wide as its kernel is garbage"
FAULTS = {
    "strided-1x1-pytorch": Fault(_STRIDED, "torch", "2.15.0", _strided_1x1_in_pytorch),
    "one-column-pytorch": Fault(_COLUMN, "torch", "2.15.0", _one_column_in_pytorch),
    "one-column-tensorflow": Fault(_COLUMN, "tensorflow", "2.21.0", _one_column_in_tensorflow),
    "wide-padding-jax": Fault(_PADDING, "jaxlib", "0.10.2", _wide_padding_in_jax),
}


def meets_a_fault(layer: Layer, shape: Shape) -> bool:
    """Whether a layer behind an image of a shape is one that some framework computes wrongly on a CPU."""
    if not isinstance(layer, Conv2D | ConvTranspose2D):
        return False
    strided_1x1 = layer.kernel_size == (1, 1) and layer.strides != (1, 1)
    one_column = shape[2] == 1 and layer.strides[1] > 1 and layer.output_shape(shape)[1] == 1
    pads = layer.pads(shape) if isinstance(layer, Conv2D) else ((0, 0), (0, 0))
    wide = any(max(pad) >= size for pad, size in zip(pads, layer.kernel_size, strict=True))
    return strided_1x1 or one_column or wide


if __name__ == "__main__":
    print("wrong" if FAULTS[sys.argv[1]].show() else "right")
