"""The data of the tasks, number by number against their sources."""

import hashlib
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import tasks
from tasks import mnist
from tasks.dataset import predicted_labels
from tasks.errors import DataError


def test_predicted_labels() -> None:
    assert predicted_labels(np.array([[0.1, 0.7, 0.2], [3.0, 1.0, 2.0]]), "cross_entropy", "accuracy").tolist() == [
        1,
        0,
    ]
    one = np.array([[-0.2], [0.0], [0.2], [0.5], [0.51]])
    assert predicted_labels(one, "sum_of_squared_errors", "accuracy").tolist() == [0, 0, 0, 0, 1]
    assert predicted_labels(one, "mean_squared_error", "accuracy").tolist() == [0, 0, 0, 0, 1]
    assert predicted_labels(one, "binary_cross_entropy", "accuracy").tolist() == [0, 0, 1, 1, 1]
    np.testing.assert_array_equal(predicted_labels(one, "mean_squared_error", "r_squared"), one[:, 0])


def test_and_gate() -> None:
    dataset = tasks.load_task("and-gate").source.load(None)
    assert dataset.train_inputs.dtype == np.float32
    assert dataset.train_labels.dtype == np.int32
    table = {(int(a), int(b)): int(y) for (a, b), y in zip(dataset.train_inputs, dataset.train_labels, strict=True)}
    assert table == {(a, b): a & b for a in (0, 1) for b in (0, 1)}
    np.testing.assert_array_equal(dataset.test_inputs, dataset.train_inputs)
    np.testing.assert_array_equal(dataset.test_labels, dataset.train_labels)


def test_iris_is_scikit_learns_split() -> None:
    from sklearn.datasets import load_iris
    from sklearn.model_selection import train_test_split

    measured, species = load_iris(return_X_y=True)
    expected = train_test_split(measured, species, test_size=0.40, random_state=0)
    d = tasks.load_task("iris-mlp").source.load(None)
    assert (d.train_inputs.shape, d.test_inputs.shape) == ((90, 4), (60, 4))
    for found, wanted in zip((d.train_inputs, d.test_inputs, d.train_labels, d.test_labels), expected, strict=True):
        np.testing.assert_array_equal(found, wanted.astype(found.dtype))
    assert d.train_inputs.dtype == d.test_inputs.dtype == np.float32
    assert d.train_labels.dtype == d.test_labels.dtype == np.int32
    assert d.classes == ("setosa", "versicolor", "virginica")
    assert d.raw_images is None


@pytest.fixture(scope="module")
def digits() -> dict[str, NDArray[np.uint8]]:
    return mnist.read_digits()


def test_mnist_is_the_original(digits: dict[str, NDArray[np.uint8]]) -> None:
    assert {key: (array.shape, str(array.dtype)) for key, array in digits.items()} == {
        "x_train": ((60_000, 28, 28), "uint8"),
        "y_train": ((60_000,), "uint8"),
        "x_test": ((10_000, 28, 28), "uint8"),
        "y_test": ((10_000,), "uint8"),
    }
    assert digits["y_train"][:5].tolist() == [5, 0, 4, 1, 9]
    assert digits["y_test"][:5].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.parametrize(
    ("key", "magic", "sha256"),
    [
        ("x_train", 2051, "ba891046e650"),
        ("y_train", 2049, "65a50cbbf4e9"),
        ("x_test", 2051, "0fa7898d5092"),
        ("y_test", 2049, "ff7bcfd416de"),
    ],
)
def test_mnist_is_the_idx_files_to_the_byte(
    digits: dict[str, NDArray[np.uint8]], key: str, magic: int, sha256: str
) -> None:
    array = digits[key]
    header = struct.pack(f">{1 + array.ndim}I", magic, *array.shape)
    assert hashlib.sha256(header + array.tobytes()).hexdigest().startswith(sha256)


@pytest.mark.parametrize(("name", "mean", "std"), [("mnist-mlp", 0.1307, 0.3081), ("mnist-cnn", 0.5, 0.5)])
def test_standardized_digits_equal_the_formula_to_the_last_bit(
    digits: dict[str, NDArray[np.uint8]], name: str, mean: float, std: float
) -> None:
    d = tasks.load_task(name).source.load(None)
    one = np.float32
    formula = np.array([(one(pixel) / one(255) - one(mean)) / one(std) for pixel in range(256)], one)
    assert (d.train_inputs.shape, d.test_inputs.shape) == ((60_000, 28, 28, 1), (10_000, 28, 28, 1))
    assert d.train_inputs.dtype == d.test_inputs.dtype == np.float32
    for at in range(0, 60_000, 10_000):
        np.testing.assert_array_equal(
            d.train_inputs[at : at + 10_000, ..., 0], formula[digits["x_train"][at : at + 10_000]]
        )
    np.testing.assert_array_equal(d.test_inputs[..., 0], formula[digits["x_test"]])
    assert d.train_labels.dtype == d.test_labels.dtype == np.int32
    np.testing.assert_array_equal(d.train_labels, digits["y_train"])
    np.testing.assert_array_equal(d.test_labels, digits["y_test"])
    assert d.classes == tuple("0123456789")
    assert d.raw_images is not None
    assert (d.raw_images.mean, d.raw_images.std) == (mean, std)
    np.testing.assert_array_equal(d.raw_images.images, digits["x_train"])


def keras_normalize(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """``keras.utils.normalize(images, axis=1)`` as Keras has it."""
    norms = np.atleast_1d(np.linalg.norm(images, 2, 1))
    norms[norms == 0] = 1
    return np.asarray(images / np.expand_dims(norms, 1))


def test_dense_digits_have_columns_of_length_one(digits: dict[str, NDArray[np.uint8]]) -> None:
    d = tasks.load_task("mnist-dense").source.load(None)
    assert (d.train_inputs.shape, d.test_inputs.shape) == ((60_000, 28, 28, 1), (10_000, 28, 28, 1))
    assert d.train_inputs.dtype == d.test_inputs.dtype == np.float32
    np.testing.assert_array_equal(d.test_inputs[..., 0], keras_normalize(digits["x_test"]).astype(np.float32))
    some = np.r_[:50, 9_990:10_010, 59_950:60_000]  # at both ends and over the seam of two blocks
    np.testing.assert_array_equal(
        d.train_inputs[some, ..., 0], keras_normalize(digits["x_train"][some]).astype(np.float32)
    )
    lengths = np.linalg.norm(d.test_inputs[..., 0].astype(np.float64), axis=1)
    inked = digits["x_test"].any(axis=1)
    np.testing.assert_allclose(lengths[inked], 1, atol=1e-6)
    np.testing.assert_array_equal(lengths[~inked], 0)
    assert d.raw_images is None


@pytest.mark.parametrize(("name", "from_where"), [("and-gate", "rows in its own file"), ("iris-mlp", "scikit-learn")])
def test_tasks_that_take_no_file_say_so(name: str, from_where: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"--data is for the mnist tasks.*{from_where}"):
        tasks.load_task(name).source.load(tmp_path / "data.npz")


def test_the_hash_of_the_data_covers_inputs_and_labels() -> None:
    dataset = tasks.load_task("and-gate").source.load(None)
    nudged = dataset.train_inputs.copy()
    nudged[0, 0] = 1e-3
    hashes = {
        dataset.train_sha256,
        replace(dataset, train_inputs=nudged).train_sha256,
        replace(dataset, train_labels=1 - dataset.train_labels).train_sha256,
    }
    assert len(hashes) == 3
