"""Dropout, by masks that are drawn beforehand; or by those that a framework draws for itself."""

from dataclasses import dataclass
from typing import ClassVar

from tasks.layers.base import Layer, Shape, need_between


@dataclass(frozen=True)
class _AnyDropout(Layer):
    """What both have in common."""

    rate: float
    kind: ClassVar[str] = "dropout"

    def __post_init__(self) -> None:
        need_between(self, 0, 1, rate=self.rate)

    def output_shape(self, shape: Shape) -> Shape:
        return shape


@dataclass(frozen=True)
class Dropout(_AnyDropout):
    """Training sets a share of the numbers, drawn for each example, to 0 and divides the others by ``1 - rate``.

    Inference changes nothing. So that all frameworks drop the same numbers, the masks are a table that is drawn in
    NumPy (:func:`tasks.masks.mask_table`), a mask a row, from the layer's state ``seed``. Each example takes the next
    row, the first one that of the state ``next_row``; after the last row comes the first again.

    Attributes:
        rate: the share that is dropped.
    """

    def state_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {"seed": (), "next_row": ()}


@dataclass(frozen=True)
class OwnDropout(_AnyDropout):
    """Dropout by each framework's own layer and generator: no two frameworks drop the same numbers.

    Attributes:
        rate: the share that is dropped.
    """
