"""Pools of images (height, width, channels)."""

from dataclasses import dataclass
from typing import ClassVar

from tasks.errors import FieldError
from tasks.layers.base import Layer, Shape, need_positive, need_rank
from tasks.layers.padding import Padding, Pads, need_padding, pads_of, positions


@dataclass(frozen=True)
class _Pool(Layer):
    """One number for each window of each channel.

    Attributes:
        size: of a window.
        strides: from window to window; by default the size, so that windows do not overlap.
        padding: rows and columns that fill no window are dropped ("valid"), filled up ("same"), or filled up as given.
    """

    size: tuple[int, int] = (2, 2)
    strides: tuple[int, int] | None = None
    padding: Padding = "valid"

    def __post_init__(self) -> None:
        need_positive(self, size=self.size, strides=self.steps)
        need_padding(self, self.padding)
        if not isinstance(self.padding, str) and any(
            max(pad) >= size for pad, size in zip(self.padding, self.size, strict=True)
        ):
            rule = f"must be smaller than the window of {self.size}, not {self.padding}"
            raise FieldError(self.kind, "padding", rule)

    @property
    def steps(self) -> tuple[int, int]:
        """From window to window."""
        return self.strides or self.size

    @property
    def is_plain(self) -> bool:
        """Whether windows neither overlap nor leave anything between them, and nothing is padded."""
        return self.steps == self.size and self.padding in ("valid", ((0, 0), (0, 0)))

    def pads(self, shape: Shape) -> Pads:
        """Rows and columns added before and after, for the height and for the width."""
        return pads_of(self.padding, shape, self.size, self.steps)

    def output_shape(self, shape: Shape) -> Shape:
        need_rank(self, shape, 3)
        return (*positions(self, shape, self.pads(shape), self.size, self.steps), shape[2])


@dataclass(frozen=True)
class MaxPool2D(_Pool):
    """The maximum over windows; what is padded is never the maximum.

    Where several elements of a window are the maximum, the gradient goes to the first of them in row order.
    """

    kind: ClassVar[str] = "max_pool2d"


@dataclass(frozen=True)
class AveragePool2D(_Pool):
    """The mean over windows; with ``count_padding`` what is padded counts as zeros, else it does not count."""

    count_padding: bool = False
    kind: ClassVar[str] = "average_pool2d"


@dataclass(frozen=True)
class GlobalAveragePool2D(Layer):
    """The mean of each channel, from ``(height, width, channels)`` to ``(channels,)``."""

    kind: ClassVar[str] = "global_average_pool2d"

    def output_shape(self, shape: Shape) -> Shape:
        need_rank(self, shape, 3)
        return (shape[2],)
