"""Data in files of a user's own: read as the libraries read that people know, bounded, checked, known by their hash."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from tasks import file_source
from tasks.array_files import IDX, NPZ, FashionMNIST
from tasks.csv_file import CSV
from tasks.errors import DataError
from tasks.picture_files import Pictures
from tasks.toml_task import read_task
from tests.tasks.data_files import arrays, pictures, source_of, table

FASHION = Path(FashionMNIST().folder)


@pytest.mark.parametrize("kind", ["npz", "numpy", "idx", "idx.gz"])
def test_images_in_bytes_become_numbers_up_to_1_with_a_channel(kind: str, tmp_path: Path) -> None:
    content = arrays()
    source = source_of(kind, tmp_path, content).found(tmp_path)
    assert (source.shape, source.classes) == ((4, 5, 1), ("0", "1", "2"))
    data = source.load(None)
    np.testing.assert_array_equal(data.train_inputs, content["x_train"][..., None].astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(data.test_images, content["x_test"])
    np.testing.assert_array_equal(source.from_numbers(content["x_train"].astype(np.float64)), data.train_inputs)
    np.testing.assert_array_equal(data.train_labels, content["y_train"])
    assert data.train_labels.dtype == np.int32
    assert data.raw_images is not None
    np.testing.assert_array_equal(data.raw_images.images, content["x_train"])


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", ">i4"])
def test_labels_are_whole_numbers_of_any_type(kind: str, tmp_path: Path) -> None:
    labels = (np.arange(12) % 3).astype(kind)
    source = source_of("npz", tmp_path, arrays(y_train=labels)).found(tmp_path)
    np.testing.assert_array_equal(source.load(None).train_labels, labels)


def test_numbers_are_scaled_as_told_and_an_example_takes_the_shape_that_is_named(tmp_path: Path) -> None:
    content = arrays(x_train=np.arange(240.0).reshape(12, 20), x_test=np.arange(120).reshape(6, 20) / 3)
    written = source_of("npz", tmp_path, content)
    plain = written.found(tmp_path)
    np.testing.assert_array_equal(plain.load(None).train_inputs, content["x_train"].astype(np.float32))
    source = NPZ("mine.npz", divisor=2.0, mean=0.5, std=4.0, shape=(5, 4)).found(tmp_path)
    data = source.load(None)
    expected = ((content["x_train"] / 2 - 0.5) / 4).astype(np.float32).reshape(12, 5, 4)
    np.testing.assert_allclose(data.train_inputs, expected, rtol=1e-6)
    assert data.raw_images is data.test_images is None
    np.testing.assert_allclose(source.from_numbers(content["x_train"][:1]), expected[:1], rtol=1e-6)


def test_classes_may_be_named(tmp_path: Path) -> None:
    source_of("npz", tmp_path, arrays())
    assert NPZ("mine.npz", classes=("a", "b", "c", "none")).found(tmp_path).classes == ("a", "b", "c", "none")
    with pytest.raises(DataError, match="y_train holds the label 2; labels must be 0 to 1"):
        NPZ("mine.npz", classes=("a", "b")).found(tmp_path)


@pytest.mark.parametrize("shape", [(), (20,), (4, 5), (5, 4, 1)])
def test_a_picture_is_an_input_whatever_the_shape_of_an_example(shape: tuple[int, ...], tmp_path: Path) -> None:
    source_of("idx", tmp_path, arrays())
    source = IDX(".", shape=shape).found(tmp_path)
    Image.new("L", (50, 40), 51).save(tmp_path / "grey.png")
    inputs = source.from_picture(tmp_path / "grey.png")
    assert inputs.shape == source.input_shape == (shape or (4, 5, 1))
    np.testing.assert_allclose(inputs, 0.2, rtol=1e-6)


def test_examples_that_are_no_pictures_take_none(tmp_path: Path) -> None:
    source_of("idx", tmp_path, arrays(x_train=np.ones((12, 7)), x_test=np.ones((6, 7))))
    Image.new("L", (5, 4)).save(tmp_path / "grey.png")
    with pytest.raises(DataError, match=r"an example has the shape \[7\], which no picture has; predict answers to"):
        IDX(".").found(tmp_path).from_picture(tmp_path / "grey.png")


@pytest.mark.skipif(not FASHION.exists(), reason="this system has no Fashion-MNIST")
def test_fashion_mnist_is_the_original() -> None:
    source = FashionMNIST().found(Path())
    assert source.shape == (28, 28, 1)
    assert source.folder == FashionMNIST().folder  # where it is on every machine
    assert (source.classes[0], source.classes[9]) == ("T-shirt/top", "Ankle boot")
    data = source.load(None)
    assert (len(data.train_labels), len(data.test_labels)) == (60_000, 10_000)
    assert np.bincount(data.train_labels).tolist() == [6_000] * 10
    with gzip.open(FASHION / "t10k-images-idx3-ubyte.gz") as file:
        assert np.asarray(data.test_images).tobytes() == file.read()[16:]


def test_a_table_is_split_and_standardised_as_scikit_learn_does(tmp_path: Path) -> None:
    frame = table(tmp_path)
    source = CSV("trees.csv", "kind", ("id", "note"), test_share=0.3, split_seed=5).found(tmp_path)
    assert (source.classes, source.shape) == (("ash", "elm", "oak"), (4,))
    numbers = frame[["length", "width", "height", "constant"]].to_numpy()
    x, x_test, y, y_test = train_test_split(numbers, frame["kind"].to_numpy(), test_size=0.3, random_state=5)
    scaler = StandardScaler().fit(x)
    data = source.load(None)
    np.testing.assert_allclose(data.train_inputs, scaler.transform(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(data.test_inputs, scaler.transform(x_test), rtol=1e-5, atol=1e-6)
    assert [source.classes[label] for label in data.train_labels] == y.tolist()
    assert [source.classes[label] for label in data.test_labels] == y_test.tolist()
    np.testing.assert_allclose(source.from_numbers(numbers[:2]), scaler.transform(numbers[:2]), rtol=1e-5, atol=1e-6)
    plain = replace(source, standardize=False).load(None)
    np.testing.assert_array_equal(plain.train_inputs, x.astype(np.float32))


def test_labels_of_a_table_that_are_numbers_are_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "numbers.csv").write_text("\ufeffa;label\r\n1;10\r\n2;9\r\n\r\n3;10\r\n4;2\r\n", encoding="utf-8")
    source = CSV("numbers.csv", "label", delimiter=";").found(tmp_path)
    assert source.classes == ("2", "9", "10")


def test_pictures_of_two_kinds_in_folders_by_class(tmp_path: Path) -> None:
    pictures(tmp_path)
    source = Pictures(".", 8, 6, color=True, test_share=0.25).found(tmp_path)
    assert (source.shape, source.classes) == ((8, 6, 3), ("black", "white"))
    data = source.load(None)
    assert (len(data.train_labels), len(data.test_labels)) == (6, 2)
    for inputs, label in zip(data.train_inputs, data.train_labels, strict=True):
        np.testing.assert_allclose(inputs, np.full((8, 6, 3), label) * np.array([1, 1, 200 / 255]), atol=0.02)
    np.testing.assert_allclose(source.from_picture(tmp_path / "white" / "1.png")[0, 0], [1, 1, 200 / 255], atol=1e-6)


def test_pictures_that_are_parted_into_train_and_test_stay_so(tmp_path: Path) -> None:
    pictures(tmp_path, parts=("train", "test"))
    (tmp_path / "train" / "black" / "0.jpg").unlink()
    data = Pictures(".", 8, 8).found(tmp_path).load(None)
    assert (data.train_labels.tolist(), data.test_labels.tolist()) == ([0] * 3 + [1] * 4, [0] * 4 + [1] * 4)
    assert data.train_inputs.shape == (7, 8, 8, 1)


def test_a_picture_is_turned_put_on_white_and_kept_at_16_bits(tmp_path: Path) -> None:
    pictures(tmp_path)
    seen = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    seen.save(tmp_path / "black" / "clear.png")
    Image.fromarray(np.full((8, 8), 0x80FF, np.uint16)).save(tmp_path / "black" / "deep.png")
    half = Image.new("L", (8, 8))
    half.paste(255, (0, 0, 8, 4))  # white above
    exif = half.getexif()
    exif[0x0112] = 6  # held so that it is to be turned by 90 degrees to the right
    half.save(tmp_path / "black" / "turned.jpg", exif=exif)
    source = Pictures(".", 8, 8).found(tmp_path)
    assert (source.from_picture(tmp_path / "black" / "clear.png") == 1).all()
    assert (source.from_picture(tmp_path / "black" / "deep.png") == np.float32(0x80 / 255)).all()
    turned = source.from_picture(tmp_path / "black" / "turned.jpg")[..., 0]
    assert turned[:, 5:].min() > 0.9  # white on the right
    assert turned[:, :3].max() < 0.1


def test_a_description_names_no_folder_of_the_machine_and_knows_its_data_by_their_hash(tmp_path: Path) -> None:
    table(tmp_path)
    inner = tmp_path / "tasks"
    inner.mkdir()
    for name in (str(tmp_path / "trees.csv"), "../trees.csv"):
        source = CSV(name, "kind", ("id", "note")).found(inner)
        assert source.file == "trees.csv"
        assert source.load(None)
    file_source._PLACES.clear()  # as another process, which looks around itself
    with pytest.raises(DataError, match=r"^trees.csv: cannot be read \(No such file or directory\); data.file names"):
        source.load(None)
    (tmp_path / "trees.csv").write_text((tmp_path / "trees.csv").read_text().replace("oak", "fir"))
    file_source.know_places({source.sha256: str(tmp_path / "trees.csv")})
    with pytest.raises(DataError, match="the content is not the one with which the task was described"):
        source.load(None)


TREES = """
loss = "cross_entropy"
batch_size = 8
epochs = 5
initial_weights = "keras"
layers = [{type = "Dense", units = 3}]
[optimizer]
type = "Adam"
learning_rate = 0.05
[data]
source = "csv"
file = "trees.csv"
label = "kind"
ignore = ["id", "note"]
"""


def test_a_tasks_file_names_its_data_from_its_own_folder_on(tmp_path: Path) -> None:
    table(tmp_path)
    (tmp_path / "trees.toml").write_text(TREES)
    task, document = read_task(tmp_path / "trees.toml")
    assert task.source.classes == ("ash", "elm", "oak")
    assert document["data"]["file"] == "trees.csv"
    assert len(document["data"]["sha256"]) == 64
    assert str(tmp_path) not in repr(document)
    assert len(task.dataset().train_labels) == 22
