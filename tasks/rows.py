"""A few examples that stand in the task's file itself: a truth table."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from tasks.dataset import Dataset
from tasks.errors import DataError, FieldError
from tasks.layers import Shape
from tasks.source import Source


@dataclass(frozen=True)
class Rows(Source):
    """Rows that are trained on and tested with.

    Attributes:
        inputs: the numbers of each example; all have as many.
        labels: for each example the index of its class.
        classes: a name for each label.
    """

    inputs: tuple[tuple[float, ...], ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    kind: ClassVar[str] = "rows"

    def __post_init__(self) -> None:
        if len({len(row) for row in self.inputs}) != 1 or not self.inputs[0]:
            raise FieldError(self.kind, "inputs", "must be rows of as many numbers each, at least one")
        if max(abs(number) for row in self.inputs for number in row) > float(np.finfo(np.float32).max):
            raise FieldError(self.kind, "inputs", "must be finite in float32")
        if len(self.classes) < 2:
            raise FieldError(self.kind, "classes", f"must be two names at least, not {len(self.classes)}")
        if len(self.labels) != len(self.inputs):
            raise FieldError(
                self.kind, "labels", f"must be {len(self.inputs)}, one for each row, not {len(self.labels)}"
            )
        for label in self.labels:
            if not 0 <= label < len(self.classes):
                raise FieldError(self.kind, "labels", f"must be from 0 to {len(self.classes) - 1}, not {label}")

    @property
    def input_shape(self) -> Shape:
        return (len(self.inputs[0]),)

    def load(self, file: Path | None) -> Dataset:
        if file is not None:
            raise DataError("--data is for the mnist tasks: this one has its rows in its own file, and takes no other")
        inputs, labels = np.array(self.inputs, np.float32), np.array(self.labels, np.int32)
        return Dataset(inputs, labels, inputs, labels, self.classes)
