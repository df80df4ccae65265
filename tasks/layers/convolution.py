"""Convolutions of images (height, width, channels)."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

from tasks.errors import FieldError
from tasks.layers.base import Layer, Shape, need_positive, need_rank
from tasks.layers.padding import Padding, Pads, need_padding, pads_of, positions


@dataclass(frozen=True)
class Conv2D(Layer):
    """Two-dimensional cross-correlation plus a bias, from ``(height, width, in)`` to ``(height', width', filters)``.

    With ``groups``, channels and filters are divided into as many equal parts, and each part of the filters sees its
    own part of the channels: kernels are ``(height, width, in / groups, filters)``. As many groups as channels make a
    depthwise convolution. Without a stride ``padding="same"`` is PyTorch's too.
    """

    filters: int
    kernel_size: tuple[int, int] = (3, 3)
    strides: tuple[int, int] = (1, 1)
    padding: Padding = "same"
    bias: bool = True
    groups: int = 1
    kind: ClassVar[str] = "conv2d"

    def __post_init__(self) -> None:
        need_positive(
            self, filters=self.filters, kernel_size=self.kernel_size, strides=self.strides, groups=self.groups
        )
        need_padding(self, self.padding)
        if self.filters % self.groups:
            raise FieldError(self.kind, "groups", f"must divide the {self.filters} filters, and {self.groups} do not")

    def pads(self, shape: Shape) -> Pads:
        """Zeros before and after, for the height and for the width."""
        return pads_of(self.padding, shape, self.kernel_size, self.strides)

    def output_shape(self, shape: Shape) -> Shape:
        need_rank(self, shape, 3)
        if shape[2] % self.groups:
            raise ValueError(f"conv2d: {shape[2]} channels cannot be divided into {self.groups} groups")
        return (*positions(self, shape, self.pads(shape), self.kernel_size, self.strides), self.filters)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        kernel = {"kernel": (*self.kernel_size, shape[2] // self.groups, self.filters)}
        return kernel | ({"bias": (self.filters,)} if self.bias else {})

    def operations(self, shape: Shape) -> int:
        return 2 * prod(self.kernel_size) * (shape[2] // self.groups) * prod(self.output_shape(shape))


@dataclass(frozen=True)
class ConvTranspose2D(Layer):
    """Transposed convolution plus a bias, from ``(height, width, in)`` to ``(height', width', filters)``.

    Each pixel adds its product with the kernel ``(height, width, in, filters)`` to the output: ``y[i * stride + a -
    before] += x[i] @ kernel[a]``. This is what a convolution does to gradients. Nothing is cropped with ``"valid"``:
    ``(size - 1) * stride + kernel`` rows. With ``"same"`` there are ``size * stride``: an odd one of those that are
    cropped is cropped at the bottom and at the right, and where the kernel is smaller than the stride, rows of the bias
    alone are added there.
    """

    filters: int
    kernel_size: tuple[int, int] = (3, 3)
    strides: tuple[int, int] = (1, 1)
    padding: Literal["same", "valid"] = "same"
    bias: bool = True
    kind: ClassVar[str] = "conv_transpose2d"

    def __post_init__(self) -> None:
        need_positive(self, filters=self.filters, kernel_size=self.kernel_size, strides=self.strides)
        if self.padding not in ("same", "valid"):
            raise FieldError(self.kind, "padding", f"must be 'same' or 'valid', not {self.padding!r}")

    def crops(self) -> Pads:
        """Rows and columns that are cropped before and after; a negative number of them is added."""
        if self.padding == "valid":
            return (0, 0), (0, 0)
        befores = [max(size - stride, 0) // 2 for size, stride in zip(self.kernel_size, self.strides, strict=True)]
        height, width = (
            (before, size - stride - before)
            for before, size, stride in zip(befores, self.kernel_size, self.strides, strict=True)
        )
        return height, width

    def output_shape(self, shape: Shape) -> Shape:
        need_rank(self, shape, 3)
        height, width = (
            (length - 1) * stride + size - sum(crop)
            for length, stride, size, crop in zip(shape, self.strides, self.kernel_size, self.crops(), strict=False)
        )
        return (height, width, self.filters)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        kernel = {"kernel": (*self.kernel_size, shape[2], self.filters)}
        return kernel | ({"bias": (self.filters,)} if self.bias else {})

    def operations(self, shape: Shape) -> int:
        return 2 * prod(self.kernel_size) * self.filters * prod(shape)
