"""Data in files that are damaged, hostile or do not fit: refused in one line that says where and what."""

import gzip
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.array_files import FashionMNIST
from tasks.csv_file import CSV
from tasks.errors import DataError, FieldError
from tasks.picture_files import Pictures
from tests.tasks.data_files import arrays, pictures, source_of
from tests.worker.fakes import posix_only


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("unpickled",))


def damage(kind: str, folder: Path) -> None:
    """Writes data that are wrong in this way."""
    if kind == "pickle":
        np.save(folder / "x_train.npy", np.array([Evil()], object), allow_pickle=True)
    elif kind == "header":
        (folder / "x_train.npy").write_bytes((folder / "x_train.npy").read_bytes() + b"more")
    elif kind == "no file":
        (folder / "y_test.npy").unlink()
    elif kind == "bomb":
        (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(50_000_000)))
    elif kind == "short":
        path = folder / "train-images-idx3-ubyte.gz"
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1]))
    elif kind == "cut":
        path = folder / "train-images-idx3-ubyte.gz"
        path.write_bytes(path.read_bytes()[:-9])
    else:
        (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x0d\x01" + bytes(8)))


@pytest.mark.parametrize(
    ("kind", "what", "message"),
    [
        ("numpy", "pickle", "x_train.npy: not a readable .npy file of a plain array"),
        ("numpy", "header", "x_train.npy: not a readable .npy file of a plain array"),
        ("numpy", "no file", "y_test.npy: cannot be read"),
        ("idx.gz", "bomb", "refused: it unpacks to more than"),
        ("idx.gz", "short", r"damaged: \[12, 4, 5\] numbers are announced, and 239 are there"),
        ("idx.gz", "cut", "damaged: it ends too early"),
        ("idx.gz", "not idx", "not an IDX file of bytes"),
    ],
)
def test_damaged_and_hostile_files_are_refused_in_one_line(kind: str, what: str, message: str, tmp_path: Path) -> None:
    source = source_of(kind, tmp_path, arrays())
    damage(what, tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        source.found(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_train": np.arange(11)}, r"y_train must have the shape \(12,\), not \(11,\)"),
        ({"y_train": np.arange(12) / 2}, "y_train must be whole numbers, int64 say, not float64"),
        ({"y_test": np.arange(6) - 1}, "y_test holds the label -1; labels must be 0 to 999"),
        ({"x_test": np.zeros((6, 5, 5), np.uint8)}, r"x_train is uint8 \(4, 5, 1\), and x_test uint8 \(5, 5, 1\)"),
        ({"x_test": np.zeros((6, 4, 5))}, "and x_test float64"),
        ({"x_train": np.full((12, 3), np.nan)}, "x_train holds numbers that are not finite in float32"),
        ({"x_train": np.full((12, 3), 1e39)}, "x_train holds numbers that are not finite in float32"),
        ({"x_train": np.zeros(12)}, r"x_train must have the shape \(examples, ...\), not \(12,\)"),
        ({"x_train": np.full((12, 3), "a")}, "x_train must be numbers, uint8 or float32 say, not <U1"),
        ({"y_train": np.zeros(12, int), "y_test": np.zeros(6, int)}, "every label is '0'; there must be 2 to"),
        ({"x_test": np.zeros((0, 4, 5), np.uint8), "y_test": np.zeros(0, int)}, r"x_test has the shape \(0, 4, 5\)"),
        ({"x_train": np.zeros((12, 0))}, r"x_train has the shape \(12, 0\), and so no numbers: each size must be"),
        ({"x_train": np.zeros((0, 0, 3), np.uint8), "y_train": np.zeros(0, int)}, "and so no numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changed: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        source_of("npz", tmp_path, arrays(**changed)).found(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,x\n2,y\n", "has no column 'label', which data.label names: choose from a, b"),
        ("a,Label\n1,x\n2,y\n", r"has no column 'label', which data.label names: did you mean Label\?"),
        ("a,a,label\n1,2,x\n", "two columns are named 'a': rename one"),
        ("label\nx\ny\n", "has no columns of inputs"),
        ("a,label\n1,x\n2\n", "line 3: the first line names 2 columns, and this one has 1"),
        ("a,label\n1,x\nmany,y\n", r"line 3, column a: 'many' is not a number; mend it, or leave the column out"),
        ("a,label\n1,x\n,y\n", "line 3, column a: is empty; mend it"),
        ("a,label\n1,x\nnan,y\n", "line 3, column a: 'nan' is not finite in float32"),
        ("a,label\n1,x\n1e39,y\n", "line 3, column a: '1e39' is not finite in float32"),
        ("a,label\n1,x\n2, \n", "line 3, column label: is empty"),
        ("a,label\n", "must have two rows at least"),
        (
            "a,label,\n1,x,\n2,y,\n",
            r"no name for column 3: name it, leave it out by ignore = \[''\], or take away a ','",
        ),
        ("a,label\n1,x\n", "must have two rows at least"),
        ("a,label\n1,x\n2,x\n", "every label is 'x'; there must be 2 to 1,000 classes"),
        ('a,label\n1,"x\n', "line 2: not CSV"),
        ("", "has no column 'label'"),
        ("a,label\n\xff,x\n", "not a text in UTF-8"),
    ],
)
def test_tables_that_do_not_fit_are_refused_with_the_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=message) as caught:
        CSV("wrong.csv", "label").found(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, "csv: label must name the column of classes, or target that of numbers to be predicted"),
        ({"label": "a", "target": "b"}, "csv: label must name the column of classes, or target"),
        (
            {"target": "b", "classes": ("x", "y")},
            "csv: classes are of a column of classes, and target is one of numbers",
        ),
    ],
)
def test_a_table_has_classes_or_numbers_to_be_predicted(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(FieldError, match=message):
        CSV("wrong.csv", **changed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,tall\n", "line 3, column b: 'tall' is not a number"),
        ("a,b\n1,2\n3,\n", "line 3, column b: is empty: fill it in, or leave out the line"),
        ("a,c\n1,2\n", "has no column 'b', which data.target names: choose from a, c"),
    ],
)
def test_numbers_to_be_predicted_are_numbers(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        CSV("wrong.csv", target="b").found(tmp_path)


def test_folders_without_what_they_need_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        Pictures("none", 8, 8).found(tmp_path)
    pictures(tmp_path, parts=("train", "test"))
    (tmp_path / "train" / "grey").mkdir()
    with pytest.raises(DataError, match="grey: has no pictures; each class has a folder with its own"):
        Pictures(".", 8, 8).found(tmp_path)
    (tmp_path / "train" / "grey" / "1.png").write_bytes((tmp_path / "train" / "white" / "1.png").read_bytes())
    with pytest.raises(DataError, match="train and test must have the same classes; one of them lacks grey"):
        Pictures(".", 8, 8).found(tmp_path)
    (tmp_path / "train" / "grey" / "1.png").unlink()
    (tmp_path / "train" / "grey").rmdir()
    (tmp_path / "train" / "white" / "1.png").write_bytes(b"GIF89a" + bytes(20))
    with pytest.raises(DataError, match=r"1\.png: no picture in PNG or JPEG, or a damaged one"):
        Pictures(".", 8, 8).found(tmp_path)


def test_pictures_in_no_folder_or_in_train_alone_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: has no folders; data\.folder names a folder that has a folder for"):
        Pictures("empty", 8, 8).found(tmp_path)
    pictures(tmp_path / "half", parts=("train",))
    with pytest.raises(DataError, match=r"half: has a folder train alone: name .*train itself, or make both"):
        Pictures("half", 8, 8).found(tmp_path)


@posix_only
def test_folders_whose_names_cannot_be_kept_are_refused(tmp_path: Path) -> None:
    pictures(tmp_path / "all")
    (tmp_path / "all" / "white").rename(os.fsdecode(os.fsencode(tmp_path / "all") + b"/wei\xdf"))
    with pytest.raises(DataError, match=r"the name of its folder 'wei\\udcdf' is not in UTF-8: rename it") as caught:
        Pictures("all", 8, 8).found(tmp_path)
    str(caught.value).encode()
    pictures(strange := tmp_path / "line\nbreak")
    with pytest.raises(DataError, match="has signs that cannot be shown: rename it"):
        Pictures("..", 8, 8).found(strange / "black")


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"])
@pytest.mark.parametrize("shape", [(0, 4, 5), (12, 0, 5)])
def test_idx_files_without_a_number_are_refused(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    source = source_of("idx", tmp_path, arrays())
    (tmp_path / name).write_bytes(bytes([0, 0, 8, 3]) + b"".join(size.to_bytes(4, "big") for size in shape))
    with pytest.raises(DataError, match=r"has the shape \(.*\), and so no numbers"):
        source.found(tmp_path)


def test_a_share_that_leaves_nothing_to_train_on_is_refused(tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("a,label\n1,x\n2,y\n")
    with pytest.raises(
        DataError, match=r"data\.test_share: 0\.9 of 2 examples leaves none to train on: make it smaller"
    ):
        CSV("few.csv", "label", test_share=0.9).found(tmp_path)


def test_a_table_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(100_000_001)
    with pytest.raises(DataError, match="too large, with 100,000,001 bytes; at most 100,000,000 bytes are read"):
        CSV("large.csv", "label").found(tmp_path)


def test_fashion_mnist_that_is_missing_is_told_by_its_package(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read .*; install it, by apt-get install dataset-fashion-mnist, or"):
        FashionMNIST(str(tmp_path / "none")).found(tmp_path)


def test_other_content_is_told_with_what_to_do(tmp_path: Path) -> None:
    source = source_of("npz", tmp_path, arrays())
    with pytest.raises(DataError, match="not the one with which the task was described; bring back what was there"):
        replace(source, sha256="0" * 64).found(tmp_path)
