"""Layers in forms that XLA makes more of, with the same parameters and the same results."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx

from backends.jax.model import LAYERS, BuildLayer, convolution
from tasks.architecture import Conv2D, Layer, MaxPool2D, Shape

FEW_CHANNELS = 4
"""Up to this many input channels a convolution is computed as shifted slices and one matrix product."""


class SlicesConv(nnx.Conv):
    """A convolution as one slice of the image for each kernel position, and a matrix product.

    XLA's CPU compiler brings convolutions onto its fast path only outside of loops, and this one runs inside a scan.
    """

    def __call__(self, x: jax.Array) -> jax.Array:  # type: ignore[override]
        height, width, _, filters = self.kernel.shape
        layer = Conv2D(filters, (height, width), tuple(self.strides), self.padding.lower())
        x = jnp.pad(x, ((0, 0), *layer.pads(x.shape[1:]), (0, 0)))
        rows, columns = (
            (size - kernel) // stride + 1
            for size, kernel, stride in zip(x.shape[1:3], (height, width), layer.strides, strict=True)
        )
        step_y, step_x = layer.strides
        slices = [
            x[:, i : i + (rows - 1) * step_y + 1 : step_y, j : j + (columns - 1) * step_x + 1 : step_x]
            for i in range(height)
            for j in range(width)
        ]
        return jnp.concatenate(slices, axis=-1) @ self.kernel.reshape(-1, filters) + self.bias


@jax.custom_vjp
def _largest(windows: jax.Array) -> jax.Array:
    """The maximum of each window, (n, rows, size_y, columns, size_x, channels) to (n, rows, columns, channels).

    Equal maxima share the gradient, as that of ``jnp.max`` does; but JAX's own writes the shares out before it picks.
    """
    return windows.max(axis=(2, 4))


def _largest_forward(windows: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    largest = _largest(windows)
    return largest, (windows, largest)


def _largest_backward(kept: tuple[jax.Array, jax.Array], gradient: jax.Array) -> tuple[jax.Array]:
    windows, largest = kept
    size_y, size_x = windows.shape[2], windows.shape[4]
    equal = sum(windows[:, :, i, :, j] == largest for i in range(size_y) for j in range(size_x))
    share = (gradient / equal)[:, :, None, :, None]
    return (jnp.where(windows == largest[:, :, None, :, None], share, 0),)


_largest.defvjp(_largest_forward, _largest_backward)


def max_pool(layer: MaxPool2D, x: jax.Array) -> jax.Array:
    """The maximum over windows by reshaping; XLA's gradient of ``nnx.max_pool`` is a slow scatter."""
    (size_y, size_x), (n, height, width, channels) = layer.size, x.shape
    x = x[:, : height // size_y * size_y, : width // size_x * size_x]
    return _largest(x.reshape(n, height // size_y, size_y, width // size_x, size_x, channels))


def _convolution(layer: Conv2D, shape: Shape, rngs: nnx.Rngs) -> nnx.Conv:
    return convolution(SlicesConv if shape[2] <= FEW_CHANNELS else nnx.Conv)(layer, shape, rngs)


def tuned_layers(on_cpu: bool) -> dict[type[Layer], BuildLayer]:
    """The layers that a scan trains; the convolution of slices is for a CPU alone."""
    layers: dict[type[Layer], BuildLayer] = {
        **LAYERS,
        MaxPool2D: lambda layer, shape, rngs: partial(max_pool, layer),
    }
    return {**layers, Conv2D: _convolution} if on_cpu else layers
