"""Files of digits in place of MNIST: good ones are loaded, bad ones get one line of error, nothing is unpickled."""

import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tasks
from tasks import mnist
from tasks.dataset import Dataset
from tasks.errors import DataError
from tests.faults import damaged_data
from tests.tasks.digit_files import BAD_FILES, save, small_digits


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_file_that_is_not_digits_gets_one_line(kind: str, tmp_path: Path) -> None:
    make, message = BAD_FILES[kind]
    path = tmp_path / "data.npz"
    make(path)
    with pytest.raises(DataError) as caught:
        mnist.read_digits(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert message in text
    assert len(text.splitlines()) == 1


class Trap:
    """Calls a function when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    content = pickle.dumps(Trap(trap))
    plain, inside = tmp_path / "plain.npz", tmp_path / "inside.npz"
    plain.write_bytes(content)
    save(inside, x_train=np.array([Trap(trap)], object))
    for path in (plain, inside):
        with pytest.raises(DataError, match="not a readable"):
            mnist.read_digits(path)
    assert not trap.exists()
    pickle.loads(content)  # the trap works
    assert trap.exists()


def test_a_missing_file_a_folder_and_a_pipe_get_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "nothing.npz", tmp_path, tmp_path / "nothing" / "data.npz", tmp_path / "pipe"):
        with pytest.raises(DataError) as caught:
            mnist.read_digits(path)
        assert str(caught.value).startswith(f"{path}: cannot be read (")
        assert "--data takes an .npz file" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


def test_a_changed_copy_of_mnist_itself_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mnist.npz"
    save(path)
    monkeypatch.setattr(mnist, "FILE", path)
    with pytest.raises(DataError, match="the checksum is wrong; reinstall"):
        mnist.read_digits()
    assert len(mnist.read_digits(path)["x_train"]) == 30  # as --data it is welcome


@pytest.mark.parametrize("name", ["mnist-mlp", "mnist-dense", "mnist-cnn"])
def test_a_small_replacement_is_loaded(name: str, tmp_path: Path) -> None:
    path, digits = tmp_path / "small.npz", small_digits()
    save(path, note=np.array([1.5]))  # further arrays do not matter
    dataset: Dataset = tasks.load_task(name).source.load(path)
    assert (dataset.train_inputs.shape, dataset.test_inputs.shape) == ((30, 28, 28, 1), (12, 28, 28, 1))
    assert dataset.train_inputs.dtype == np.float32
    np.testing.assert_array_equal(dataset.train_labels, digits["y_train"])
    np.testing.assert_array_equal(dataset.test_labels, digits["y_test"])
    images = digits["x_train"].astype(np.float64)
    expected = {
        "mnist-mlp": (images / 255 - 0.1307) / 0.3081,
        "mnist-dense": images / np.linalg.norm(images, axis=1, keepdims=True),
        "mnist-cnn": (images / 255 - 0.5) / 0.5,
    }[name]
    np.testing.assert_allclose(dataset.train_inputs[..., 0], expected, atol=1e-5)


def test_the_archive_loads_as_plain_numpy_too(tmp_path: Path) -> None:
    """The small files of these tests are of the form that the package's own file has."""
    save(tmp_path / "small.npz")
    with np.load(io.BytesIO(mnist.FILE.read_bytes())) as own, np.load(tmp_path / "small.npz") as small_file:
        assert sorted(own.files) == sorted(small_file.files)


@pytest.mark.parametrize("dtype", ["int64", "int32", ">i2", "uint8", "int8"])
@pytest.mark.parametrize("axis", [-1, 1])
def test_labels_of_any_whole_numbers_and_images_with_a_channel_are_taken(dtype: str, axis: int, tmp_path: Path) -> None:
    digits = small_digits()
    given = {
        key: np.expand_dims(value, axis) if key[0] == "x" else value.astype(dtype) for key, value in digits.items()
    }
    save(tmp_path / "data.npz", **given)
    found = mnist.read_digits(tmp_path / "data.npz")
    for key, array in digits.items():
        assert found[key].dtype == np.uint8
        assert np.array_equal(found[key], array), key


def test_a_name_that_no_worker_can_be_told_is_refused(tmp_path: Path) -> None:
    for name in ("\udcff.npz", "a\nb.npz"):
        with pytest.raises(DataError, match="rename the file") as caught:
            mnist.read_digits(tmp_path / name)
        assert str(caught.value).isprintable()


def test_a_damaged_file_is_never_loaded_as_if_whole() -> None:
    refused, tried = damaged_data.check(flips=30, cuts=5)
    assert tried == 3 * 35
    assert refused > tried // 2


def test_a_flipped_bit_in_the_header_of_an_array_is_refused(tmp_path: Path) -> None:
    """Without a checksum, 30 images would become 20, and no value of them would be wrong."""
    np.savez(tmp_path / "data.npz", **small_digits())  # type: ignore[arg-type]
    content = (tmp_path / "data.npz").read_bytes()
    assert content.count(b"(30, 28, 28)") == 1
    (tmp_path / "data.npz").write_bytes(content.replace(b"(30, 28, 28)", b"(20, 28, 28)"))
    with pytest.raises(DataError, match="not a readable"):
        mnist.read_digits(tmp_path / "data.npz")
