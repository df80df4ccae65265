"""Layers in forms that XLA makes faster code of, with the same parameters and the same results."""

from functools import partial, reduce
from operator import add, and_
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from backends.jax.layers import LAYERS, BuildLayer, Module, conv2d
from tasks.architecture import Architecture, Node
from tasks.layers import Conv2D, Layer, MaxPool2D, Shape

_FEW_INPUTS = 100
"""Convolutions whose outputs have at most this number of inputs each are a sum with a term for each input."""


class _ScannedConv(nnx.Conv):
    """A convolution in a form that is fast inside a scan: XLA's CPU compiler has a fast path for its own outside alone.

    (n, height, width, in) to (n, height', width', filters). With few inputs an output, a sum of shifted images times
    weights, which XLA fuses with its surroundings; else a sum of matrix products, one for each place in the kernel.
    """

    by_image = False
    """Whether the gradient for a kernel of few inputs is a product for each image, or one for all."""

    def __call__(self, x: jax.Array) -> jax.Array:  # type: ignore[override]
        height, width, channels, filters = self.kernel.shape
        padding: Any = self.padding.lower() if isinstance(self.padding, str) else tuple(self.padding)
        layer = Conv2D(filters, (height, width), tuple(self.strides), padding)
        x, kernel, bias = self.promote_dtype((x, self.kernel[...], self.bias and self.bias[...]), dtype=self.dtype)
        if x.dtype != jnp.float32:  # XLA compiles sums of images in bfloat16 for many minutes
            y = jnp.concatenate(_at_places(layer, x), axis=-1) @ kernel.reshape(-1, filters)
        elif _are_few(layer, channels):
            y = _weighted_sum(layer, self.by_image, x, kernel)
        else:
            y = _sum_of_products(layer, x, kernel)
        return y if bias is None else y + bias


class _ScannedConvByImage(_ScannedConv):
    by_image = True


def _conv2d(layer: Conv2D, shape: Shape) -> Module:
    return conv2d(layer, shape, _ScannedConv if layer.groups == 1 else nnx.Conv)


def _conv2d_by_image(layer: Conv2D, shape: Shape) -> Module:
    return conv2d(layer, shape, _ScannedConvByImage if layer.groups == 1 else nnx.Conv)


def _has_few_inputs(architecture: Architecture, node: Node) -> bool:
    """Whether a node is a convolution that is computed as a sum of shifted images."""
    layer = node.layer
    return isinstance(layer, Conv2D) and layer.groups == 1 and _are_few(layer, architecture.shape_before(node)[-1])


def _are_few(layer: Conv2D, channels: int) -> bool:
    """Whether each output of a convolution of so many channels has few inputs."""
    return layer.kernel_size[0] * layer.kernel_size[1] * channels <= _FEW_INPUTS


def _sum_of_products(layer: Conv2D, x: jax.Array, kernel: jax.Array) -> jax.Array:
    """The convolution (n, rows, columns, filters) of images (n, height, width, channels), without bias."""
    images = _at_places(layer, x)
    weights = kernel.reshape(len(images), x.shape[3], layer.filters)
    products = [image.reshape(-1, x.shape[3]) @ weight for image, weight in zip(images, weights, strict=True)]
    return reduce(add, products).reshape(*images[0].shape[:3], layer.filters)


def _sum_of_images(layer: Conv2D, x: jax.Array, kernel: jax.Array) -> jax.Array:
    """The convolution (n, rows, columns, filters) of images (n, height, width, channels), without bias."""
    weights = kernel.reshape(-1, layer.filters)
    return sum(image * weight for image, weight in zip(_shifted(layer, x), weights, strict=True))  # type: ignore[return-value]


def _shifted(layer: Conv2D, x: jax.Array) -> list[jax.Array]:
    """What each weight of a filter is multiplied with: images (n, rows, columns, 1), in the order of the kernel."""
    return [image[..., channel, None] for image in _at_places(layer, x) for channel in range(x.shape[3])]


def _at_places(layer: Conv2D, x: jax.Array) -> list[jax.Array]:
    """What each place in the kernel meets: images (n, rows, columns, channels)."""
    x = jnp.pad(x, ((0, 0), *layer.pads(x.shape[1:]), (0, 0)))
    rows, columns = (
        (size - kernel) // stride + 1
        for size, kernel, stride in zip(x.shape[1:3], layer.kernel_size, layer.strides, strict=True)
    )
    step_y, step_x = layer.strides
    return [
        x[:, i : i + (rows - 1) * step_y + 1 : step_y, j : j + (columns - 1) * step_x + 1 : step_x]
        for i, j in np.ndindex(*layer.kernel_size)
    ]


def _sum(layer: Conv2D, by_image: bool, x: jax.Array, kernel: jax.Array) -> jax.Array:
    return _sum_of_images(layer, x, kernel)


def _sum_forward(layer: Conv2D, by_image: bool, x: jax.Array, kernel: jax.Array) -> tuple[jax.Array, Any]:
    return _sum_of_images(layer, x, kernel), (x, kernel)


def _sum_backward(layer: Conv2D, by_image: bool, kept: Any, gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The kernel's gradient is one matrix product; one sum per weight would read the whole gradient once per weight."""
    x, kernel = kept
    of_x = jax.linear_transpose(lambda x: _sum_of_images(layer, x, kernel), x)(gradient)[0]
    images = _shifted(layer, x)
    if by_image:
        each = jnp.stack(images, axis=1).reshape(len(x), len(images), -1)
        of_kernel = (each @ gradient.reshape(len(x), -1, layer.filters)).sum(axis=0)
    else:
        of_kernel = jnp.concatenate(images).reshape(len(images), -1) @ gradient.reshape(-1, layer.filters)
    return of_x, of_kernel.reshape(kernel.shape)


_weighted_sum = jax.custom_vjp(_sum, nondiff_argnums=(0, 1))
_weighted_sum.defvjp(_sum_forward, _sum_backward)


def _max_pool2d(layer: MaxPool2D, x: jax.Array) -> jax.Array:
    """(n, height, width, channels) to (n, height', width', channels), by reshaping, where windows are plain.

    XLA's gradient of ``nnx.max_pool`` is a scatter, which is slow.
    """
    (size_y, size_x), (n, height, width, channels) = layer.size, x.shape
    x = x[:, : height // size_y * size_y, : width // size_x * size_x]
    return _largest(x.reshape(n, height // size_y, size_y, width // size_x, size_x, channels))


@jax.custom_vjp
def _largest(windows: jax.Array) -> jax.Array:
    """The maximum of each window, (n, rows, size_y, columns, size_x, channels) to (n, rows, columns, channels)."""
    return windows.max(axis=(2, 4))


def _largest_forward(windows: jax.Array) -> tuple[jax.Array, jax.Array]:
    return _largest(windows), windows


def _largest_backward(windows: jax.Array, gradient: jax.Array) -> tuple[jax.Array]:
    """The first of equal maxima gets the gradient.

    Each value is compared with the others of its window. The gradient of ``jnp.max`` compares it with the maximum of
    the forward pass; but XLA may compute the windows twice, rounded differently, and then none equals that maximum.
    """
    size_y, size_x = windows.shape[2], windows.shape[4]
    values = {(i, j): windows[:, :, i, :, j] for i, j in np.ndindex(size_y, size_x)}

    def part(place: tuple[int, int]) -> jax.Array:
        value = values[place]
        wins = [value > values[at] if at < place else value >= values[at] for at in values if at != place]
        return jnp.where(reduce(and_, wins, True), gradient, 0)

    rows = [jnp.stack([part((i, j)) for j in range(size_x)], axis=3) for i in range(size_y)]
    return (jnp.stack(rows, axis=2),)


_largest.defvjp(_largest_forward, _largest_backward)


TUNED_LAYERS: dict[type[Layer], BuildLayer] = {
    **LAYERS,
    Conv2D: _conv2d,
    MaxPool2D: lambda layer, shape: partial(_max_pool2d, layer) if layer.is_plain else LAYERS[MaxPool2D](layer, shape),
}
