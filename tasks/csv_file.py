"""Tables in CSV files: a column of labels, and columns of numbers."""

import csv
import io
import math
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from tasks.dataset import Dataset, Labels
from tasks.errors import DataError, FieldError, choice
from tasks.file_source import FileSource, check_size, class_names
from tasks.files import read_regular
from tasks.split import Scaling, Split, no_scaling, standard_scaling

if TYPE_CHECKING:
    import _csv

LARGEST_TABLE = 100_000_000
"""Bytes of a file; of short numbers, to read them takes eleven times as many in memory."""
_ADVICE = "data.file names a CSV file"


@dataclass(frozen=True)
class Table:
    """What a file holds.

    Attributes:
        numbers: float64 (rows, columns), of the columns that are inputs.
        labels: the texts of the column of labels, one a row; of a regression each is a number.
    """

    numbers: NDArray[np.float64]
    labels: Sequence[str]


@dataclass(frozen=True)
class CSV(Split, FileSource):
    """The rows of a table, whose first line names the columns.

    Attributes:
        file: its name; from the folder of the task's file on.
        label: the column with the class of each row; its texts are the names of the classes, in their order.
        ignore: columns that are left out; all others are inputs.
        delimiter: the sign between two columns.
        standardize: whether each column of inputs has the mean 0 and the deviation 1 over the rows that are trained on,
            as ``StandardScaler`` of scikit-learn makes it; otherwise numbers are as they are.
        target: in place of ``label``, the column with the number that is to be predicted: a regression.
    """

    file: str
    label: str = ""
    ignore: tuple[str, ...] = ()
    delimiter: str = ","
    standardize: bool = True
    target: str = ""
    kind: ClassVar[str] = "csv"

    def __post_init__(self) -> None:
        Split.__post_init__(self)
        FileSource.__post_init__(self)
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise FieldError(self.kind, "delimiter", f"must be one sign, not {self.delimiter!r}")
        if bool(self.label) == bool(self.target):
            raise FieldError(
                self.kind, "label", "must name the column of classes, or target that of numbers to be predicted"
            )
        if self.target and self.classes:
            raise FieldError(self.kind, "classes", "are of a column of classes, and target is one of numbers")

    @property
    def predicts_numbers(self) -> bool:
        return bool(self.target)

    def read(self, path: Path) -> Dataset:
        table = self._table(path)
        classes, labels = self._labels(path, table)
        inputs = self._scaling(table)(table.numbers)
        train, test = self.split(len(labels))
        return Dataset(inputs[train], labels[train], inputs[test], labels[test], classes)

    def _labels(self, path: Path, table: Table) -> tuple[tuple[str, ...], Labels]:
        """The names of the classes, and the label of each row; of a regression no names, and its numbers."""
        if self.target:
            return (), np.array([float(number) for number in table.labels], np.float32)
        names = sorted(set(table.labels), key=_order)
        index = {name: at for at, name in enumerate(names)}
        return class_names(path, names, self.classes), np.array([index[name] for name in table.labels], np.int32)

    def from_numbers(self, numbers: NDArray[np.float64]) -> NDArray[np.float32]:
        return self._scaling(self._table(self._place))(numbers)

    def _scaling(self, table: Table) -> Scaling:
        if not self.standardize:
            return no_scaling(table.numbers.shape[1])
        return standard_scaling(table.numbers[self.split(len(table.labels))[0]])

    def _table(self, path: Path) -> Table:
        content = read_regular(path, LARGEST_TABLE, DataError, _ADVICE)
        text = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline="")
        rows = csv.reader(text, delimiter=self.delimiter, strict=True)
        try:
            return self._read_rows(path, rows)
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: not a text in UTF-8: {_ADVICE}, saved as CSV UTF-8") from error
        except csv.Error as error:
            raise DataError(f"{path}: line {rows.line_num}: not CSV ({error})") from error

    def _read_rows(self, path: Path, rows: "_csv.Reader") -> Table:
        columns = [name.strip() for name in next(rows, [])]
        label_at, inputs_at = self._columns(path, columns)
        numbers, labels = array("d"), list[str]()
        for row in rows:
            if not row:
                continue
            place = f"{path}: line {rows.line_num}"
            if len(row) != len(columns):
                raise DataError(f"{place}: the first line names {len(columns)} columns, and this one has {len(row)}")
            numbers.extend([_number(row[at], place, columns[at]) for at in inputs_at])
            label, column = row[label_at].strip(), columns[label_at]
            if not label:
                raise DataError(f"{place}, column {column}: is empty: fill it in, or leave out the line")
            if self.target:
                _number(label, place, column, "leave out the line")
            labels.append(sys.intern(label))  # equal ones are kept once
        check_size(path, len(numbers))
        if len(labels) < 2:
            raise DataError(f"{path}: must have two rows at least, one to train on and one to test with")
        return Table(np.array(numbers).reshape(len(labels), -1), labels)

    def _columns(self, path: Path, columns: Sequence[str]) -> tuple[int, list[int]]:
        """Where the label of a row stands, and where its inputs."""
        if "" in columns and "" not in self.ignore:
            advice = f"name it, leave it out by ignore = [''], or take away a {self.delimiter!r} that is one too many"
            raise DataError(f"{path}: the first line has no name for column {columns.index('') + 1}: {advice}")
        if twice := [name for name in columns if columns.count(name) > 1]:
            raise DataError(f"{path}: two columns are named {twice[0]!r}: rename one")
        of_labels = self.label or self.target
        for key, name in [
            ("label" if self.label else "target", of_labels),
            *(("ignore", name) for name in self.ignore),
        ]:
            if name not in columns:
                raise DataError(f"{path}: has no column {name!r}, which data.{key} names: {choice(name, columns)}")
        inputs = [at for at, name in enumerate(columns) if name != of_labels and name not in self.ignore]
        if not inputs:
            raise DataError(f"{path}: has no columns of inputs: are they parted by another sign, data.delimiter?")
        return columns.index(of_labels), inputs


def _order(name: str) -> tuple[bool, float, str]:
    """Numbers by their size, before texts by their letters."""
    try:
        number = float(name)
    except ValueError:
        return True, 0.0, name
    return not math.isfinite(number), number if math.isfinite(number) else 0.0, name


def _number(text: str, place: str, column: str, otherwise: str = "") -> float:
    try:
        number = float(text)
    except ValueError as error:
        what = f"{text.strip()[:40]!r} is not a number" if text.strip() else "is empty"
        otherwise = otherwise or f"leave the column out: ignore = [{column!r}]"
        raise DataError(f"{place}, column {column}: {what}; mend it, or {otherwise}") from error
    if not abs(number) <= float(np.finfo(np.float32).max):
        raise DataError(f"{place}, column {column}: {text.strip()[:40]!r} is not finite in float32")
    return number
