"""Data sets that scikit-learn ships as files: iris, wine, breast cancer, digits, diabetes."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tasks.dataset import Dataset, Labels
from tasks.errors import DataError
from tasks.layers import Shape
from tasks.split import Split, standard_scaling

PIXELS = 16
"""The largest value of a pixel of the digits."""


@dataclass(frozen=True)
class Shipped(Split):
    """Examples that scikit-learn has."""

    columns: ClassVar[int]

    @property
    def input_shape(self) -> Shape:
        return (self.columns,)

    def load(self, file: Path | None) -> Dataset:
        if file is not None:
            raise DataError(f"--data is for the mnist tasks: {self.kind} comes from scikit-learn and takes no file")
        rows = self._rows()
        train, test = self.split(len(rows))
        inputs = self.from_numbers(rows[:, : self.columns])
        column = rows[:, self.columns]
        labels: Labels = column.astype(np.float32) if self.predicts_numbers else column.astype(np.int32)
        return Dataset(inputs[train], labels[train], inputs[test], labels[test], self.classes)

    def _rows(self) -> NDArray[np.float64]:
        """The numbers of each example, and last its label."""
        return read_shipped(f"{self.kind}.csv", 1)


@dataclass(frozen=True)
class Iris(Shipped):
    """150 flowers of three species, four measurements each (Fisher 1936)."""

    kind: ClassVar[str] = "iris"
    columns: ClassVar[int] = 4
    classes = ("setosa", "versicolor", "virginica")


@dataclass(frozen=True)
class Standardized(Shipped):
    """Examples each of whose columns has, over those that are trained on, the mean 0 and the deviation 1.

    Attributes:
        standardize: whether the columns are brought to that; otherwise they are as measured.
    """

    standardize: bool = True

    def from_numbers(self, numbers: NDArray[np.float64]) -> NDArray[np.float32]:
        if not self.standardize:
            return super().from_numbers(numbers)
        rows = self._rows()
        return standard_scaling(rows[self.split(len(rows))[0], : self.columns])(numbers)


@dataclass(frozen=True)
class Wine(Standardized):
    """178 wines of three growers, 13 measurements each (Forina et al. 1991)."""

    kind: ClassVar[str] = "wine"
    columns: ClassVar[int] = 13
    classes = ("class_0", "class_1", "class_2")

    def _rows(self) -> NDArray[np.float64]:
        return read_shipped("wine_data.csv", 1)


@dataclass(frozen=True)
class BreastCancer(Standardized):
    """569 tumours, 30 measurements each (Wolberg, Street, Mangasarian 1995)."""

    kind: ClassVar[str] = "breast_cancer"
    columns: ClassVar[int] = 30
    classes = ("malignant", "benign")


@dataclass(frozen=True)
class Diabetes(Standardized):
    """442 patients, 10 measurements each, and how far their diabetes had got a year later (Efron et al. 2004).

    A regression: what is predicted is a number, from 25 to 346. The measurements are those of scikit-learn's
    ``load_diabetes(scaled=False)``.
    """

    kind: ClassVar[str] = "diabetes"
    columns: ClassVar[int] = 10
    classes = ()

    @property
    def predicts_numbers(self) -> bool:
        return True

    def _rows(self) -> NDArray[np.float64]:
        inputs, target = read_shipped("diabetes_data_raw.csv.gz", 0), read_shipped("diabetes_target.csv.gz", 0)
        return np.column_stack([inputs.reshape(-1, self.columns), target])


@dataclass(frozen=True)
class Digits(Shipped):
    """1,797 handwritten digits of 8 x 8 pixels (Alpaydin, Kaynak 1998), divided by 16: an image (8, 8, 1)."""

    kind: ClassVar[str] = "digits"
    columns: ClassVar[int] = 64
    classes = tuple("0123456789")

    @property
    def input_shape(self) -> Shape:
        return (8, 8, 1)

    def from_numbers(self, numbers: NDArray[np.float64]) -> NDArray[np.float32]:
        return super().from_numbers(numbers / PIXELS)

    def _rows(self) -> NDArray[np.float64]:
        return read_shipped("digits.csv.gz", 0)


def read_shipped(name: str, head: int) -> NDArray[np.float64]:
    """The numbers of one of scikit-learn's files, without the lines at its head.

    What its own functions read, without their import, which takes 3 seconds of every worker's start.
    """
    package = find_spec("sklearn")
    assert package is not None
    assert package.origin is not None
    content = (Path(package.origin).parent / "datasets" / "data" / name).read_bytes()
    text = gzip.decompress(content) if name.endswith(".gz") else content
    lines: Sequence[str] = text.decode("ascii").split()[head:]
    return np.array([line.split(",") for line in lines], np.float64)
