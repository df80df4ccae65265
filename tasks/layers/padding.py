"""Where the windows of convolutions and pools stand on an image."""

from typing import Literal

from tasks.errors import FieldError
from tasks.layers.base import Layer, Shape, need_rank

Pads = tuple[tuple[int, int], tuple[int, int]]
"""Rows and columns that are added before and after: ``((top, bottom), (left, right))``."""
Padding = Literal["same", "valid"] | Pads
"""``"valid"`` adds nothing. ``"same"`` is TensorFlow's: the output has ``ceil(size / stride)`` positions, and an odd
row or column is added at the bottom and at the right."""


PADDINGS = "'same', 'valid' or ((top, bottom), (left, right))"


def need_padding(layer: Layer, padding: Padding) -> None:
    """Raises ValueError unless the padding is one of those."""
    if padding in ("same", "valid"):
        return
    pairs = padding if isinstance(padding, tuple) and len(padding) == 2 else ()
    if not pairs or any(not isinstance(pair, tuple) or len(pair) != 2 or min(pair) < 0 for pair in pairs):
        raise FieldError(layer.kind, "padding", f"must be {PADDINGS}, not {padding!r}")


def pads_of(padding: Padding, shape: Shape, size: tuple[int, int], strides: tuple[int, int]) -> Pads:
    """What is added to an image of a shape, for windows of a size."""
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding != "same":
        return padding
    totals = [
        max((-(-length // stride) - 1) * stride + window - length, 0)
        for length, window, stride in zip(shape, size, strides, strict=False)
    ]
    height, width = ((total // 2, total - total // 2) for total in totals)
    return height, width


def positions(
    layer: Layer, shape: Shape, pads: Pads, size: tuple[int, int], strides: tuple[int, int]
) -> tuple[int, int]:
    """How many windows stand below and beside each other. Raises ValueError where none fits."""
    need_rank(layer, shape, 3)
    height, width = (
        (length + sum(pad) - window) // stride + 1
        for length, pad, window, stride in zip(shape, pads, size, strides, strict=False)
    )
    if min(height, width) < 1:
        what = "kernel" if layer.kind.startswith("conv") else "window"
        raise ValueError(f"{layer.kind}: a {what} of {size} does not fit into an input of shape {shape}")
    return height, width
