"""Convolutions of images (height, width, channels)."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

from tasks.layers.base import Layer, Shape, need_positive, need_rank


@dataclass(frozen=True)
class Conv2D(Layer):
    """Two-dimensional cross-correlation plus a bias, from ``(height, width, in)`` to ``(height', width', filters)``.

    ``padding="same"`` is TensorFlow's: the output has ``ceil(size / stride)`` positions, and an odd zero goes to the
    bottom and to the right. Without a stride this is PyTorch's ``padding="same"`` too.
    """

    filters: int
    kernel_size: tuple[int, int] = (3, 3)
    strides: tuple[int, int] = (1, 1)
    padding: Literal["same", "valid"] = "same"
    kind: ClassVar[str] = "conv2d"

    def __post_init__(self) -> None:
        need_positive(self, filters=self.filters, kernel_size=self.kernel_size, strides=self.strides)
        if self.padding not in ("same", "valid"):
            raise ValueError(f"conv2d: padding must be 'same' or 'valid', not {self.padding!r}")

    def pads(self, shape: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
        """Zeros before and after, for the height and for the width."""
        if self.padding == "valid":
            return (0, 0), (0, 0)
        totals = [
            max((-(-size // stride) - 1) * stride + kernel - size, 0)
            for size, kernel, stride in zip(shape, self.kernel_size, self.strides, strict=False)
        ]
        height, width = ((total // 2, total - total // 2) for total in totals)
        return height, width

    def output_shape(self, shape: Shape) -> Shape:
        need_rank(self, shape, 3)
        height, width = (
            (size + sum(pad) - kernel) // stride + 1
            for size, pad, kernel, stride in zip(shape, self.pads(shape), self.kernel_size, self.strides, strict=False)
        )
        if min(height, width) < 1:
            raise ValueError(f"conv2d: a kernel of {self.kernel_size} does not fit into an input of shape {shape}")
        return (height, width, self.filters)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {"kernel": (*self.kernel_size, shape[2], self.filters), "bias": (self.filters,)}

    def operations(self, shape: Shape) -> int:
        return 2 * prod(self.kernel_size) * shape[2] * prod(self.output_shape(shape))
