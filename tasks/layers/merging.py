"""Layers that make one tensor of several."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tasks.layers.base import Merge, Shape


@dataclass(frozen=True)
class Add(Merge):
    """The sum of tensors of one shape."""

    kind: ClassVar[str] = "add"

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        if len(set(shapes)) != 1:
            raise ValueError(f"add needs inputs of one shape, not {' and '.join(map(str, shapes))}")
        return shapes[0]


@dataclass(frozen=True)
class Concatenate(Merge):
    """Tensors side by side along the last axis, which is the channels of images; their other axes are equal."""

    kind: ClassVar[str] = "concatenate"

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        if len({shape[:-1] for shape in shapes}) != 1:
            found = " and ".join(map(str, shapes))
            raise ValueError(f"concatenate needs inputs that differ in the last axis alone, not {found}")
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))
