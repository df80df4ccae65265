"""Small files of digits, as users give them with ``--data``, and all kinds of bad ones."""

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.generic]]


def small_digits() -> Arrays:
    """30 images to train on and 12 to test on."""
    random = np.random.RandomState(0)
    return {
        "x_train": random.randint(0, 256, (30, 28, 28)).astype(np.uint8),
        "y_train": (np.arange(30) % 10).astype(np.uint8),
        "x_test": random.randint(0, 256, (12, 28, 28)).astype(np.uint8),
        "y_test": (np.arange(12) % 10).astype(np.uint8),
    }


def save(path: Path, **replaced: NDArray[np.generic] | None) -> None:
    """Writes the small digits with some arrays replaced, or left out where they are None."""
    arrays = {**small_digits(), **replaced}
    np.savez_compressed(path, **{key: array for key, array in arrays.items() if array is not None})  # type: ignore[arg-type]


def with_dtype(key: str, dtype: str) -> Callable[[Path], None]:
    return lambda path: save(path, **{key: small_digits()[key].astype(dtype)})


def with_shape(key: str, *shape: int) -> Callable[[Path], None]:
    return lambda path: save(path, **{key: np.zeros(shape, np.uint8)})


def with_label(key: str, label: int) -> Callable[[Path], None]:
    labels = small_digits()[key].copy()
    labels[3] = label
    return lambda path: save(path, **{key: labels})


def without(key: str) -> Callable[[Path], None]:
    return lambda path: save(path, **{key: None})


def changed(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """The bytes of a good file, changed."""

    def make(path: Path) -> None:
        save(path)
        path.write_bytes(change(path.read_bytes()))

    return make


def with_content(content: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(content)

    return make


def with_member(content: bytes) -> Callable[[Path], None]:
    """A zip file whose ``x_train.npy`` has this content."""

    def make(path: Path) -> None:
        save(path, x_train=None)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("x_train.npy", content)

    return make


def npy_header(text: str) -> bytes:
    padded = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode()


def in_every_directory_entry(offset: int, value: int) -> Callable[[bytes], bytes]:
    """Sets a 16-bit field of all entries in a zip file's directory (``offset`` as in its specification)."""

    def change(content: bytes) -> bytes:
        data, at = bytearray(content), 0
        while (at := content.find(b"PK\x01\x02", at)) >= 0:
            data[at + offset : at + offset + 2] = struct.pack("<H", value)
            at += 4
        return bytes(data)

    return change


def sparse(path: Path, size: int = 100_000_000_000) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def bomb(path: Path) -> None:
    """200 kB that unpack to 200 MB."""
    save(path, x_train=None)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("x_train.npy", "w") as member:
        member.write(npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (255102, 28, 28), }"))
        for _ in range(200):
            member.write(bytes(1_000_000))


def long_directory(path: Path) -> None:
    save(path)
    with zipfile.ZipFile(path, "a") as archive:
        for index in range(100):
            archive.writestr(f"{index}" + "x" * 50_000, b"")


def npy_file(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, small_digits()["x_train"])


def zip_of_text(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "digits")


BAD_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no x_train": (without("x_train"), "no array 'x_train'"),
    "no y_train": (without("y_train"), "no array 'y_train'"),
    "no x_test": (without("x_test"), "no array 'x_test'"),
    "no y_test": (without("y_test"), "no array 'y_test'"),
    "images of floats": (with_dtype("x_train", "float32"), "x_train must be uint8, not float32"),
    "test images of int8": (with_dtype("x_test", "int8"), "x_test must be uint8, not int8"),
    "labels of floats": (
        with_dtype("y_train", "float64"),
        "y_train must be whole numbers, uint8 or int64 say, not float",
    ),
    "labels of words": (with_dtype("y_test", "U5"), "y_test must be whole numbers"),
    "images too narrow": (with_shape("x_train", 30, 28, 27), "x_train must have shape (n, 28, 28), not (30, 28, 27)"),
    "images in colour": (with_shape("x_test", 12, 28, 28, 3), "x_test must have shape (n, 28, 28)"),
    "flat images": (with_shape("x_train", 30, 784), "x_train must have shape (n, 28, 28)"),
    "no images": (with_shape("x_test", 0, 28, 28), "x_test must have shape (n, 28, 28)"),
    "a number for images": (with_shape("x_train"), "x_train must have shape (n, 28, 28)"),
    "too few labels": (with_shape("y_train", 29), "y_train must have shape (30,), not (29,)"),
    "one-hot labels": (with_shape("y_test", 12, 10), "y_test must have shape (12,), not (12, 10)"),
    "label 10": (with_label("y_train", 10), "y_train holds the label 10; labels must be 0 to 9"),
    "label -1": (lambda path: save(path, y_test=np.full(12, -1)), "y_test holds the label -1; labels must be 0 to 9"),
    "label 2**40": (lambda path: save(path, y_test=np.full(12, 1 << 40)), "y_test holds the label 1099511627776"),
    "label 255": (with_label("y_test", 255), "y_test holds the label 255; labels must be 0 to 9"),
    "objects": (
        lambda path: save(path, x_train=np.array([{"a": 1}, None], object)),
        "not a readable .npz file of plain arrays",
    ),
    "empty": (with_content(b""), "not a readable .npz file"),
    "half a zip": (changed(lambda content: content[: len(content) // 2]), "not a readable .npz file"),
    "a zip without its end": (changed(lambda content: content[:-10]), "not a readable .npz file"),
    "a zip without its start": (changed(lambda content: content[100:]), "not a readable .npz file"),
    "a byte flipped": (changed(lambda c: c[:2000] + bytes([c[2000] ^ 255]) + c[2001:]), "not a readable .npz file"),
    "text": (with_content(b"5,0,4,1,9\n" * 1000), "not a readable .npz file"),
    "a picture": (
        with_content(b"\x89PNG\r\n\x1a\n" + bytes(500)),
        "not a readable .npz file",
    ),
    "a zip of text": (zip_of_text, "no array 'x_train'"),
    "an array cut short": (
        with_member(npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (30, 28, 28), }") + bytes(99)),
        "not a readable .npz file",
    ),
    "an .npy file": (npy_file, "not a readable .npz file"),
    "a member that is no array": (with_member(b"hello"), "not a readable .npz file"),
    "a member that is empty": (with_member(b""), "not a readable .npz file"),
    "a header that does not parse": (
        with_member(npy_header("{'descr': '|u1', 'shape': (((")),
        "not a readable .npz file",
    ),
    "a header without end": (with_member(npy_header("{'descr': '''|u1")), "not a readable .npz file"),
    "a header of more than memory": (
        with_member(npy_header(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({10**14}, 28, 28), }}")),
        "not a readable .npz file",
    ),
    "a header of fewer images": (
        with_member(npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (29, 28, 28), }") + bytes(30 * 784)),
        "x_train.npy has more bytes than its header says",
    ),
    "100 GB of nothing": (sparse, "too large, with 100,000,000,000 bytes"),
    "2 GB of nothing": (lambda path: sparse(path, 1_999_999_999), "not a readable .npz file"),
    "a bomb": (bomb, "bytes in it unpack to 200,0"),
    "a directory of 5 MB": (long_directory, "its directory is too long"),
    "encrypted": (changed(in_every_directory_entry(8, 1)), "not a readable .npz file"),
    "an unknown compression": (changed(in_every_directory_entry(10, 99)), "not a readable .npz file"),
}
