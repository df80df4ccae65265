"""Arrays of bytes in IDX files, the form in which MNIST was published."""

import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.archive import LARGEST_FILE
from tasks.errors import DataError
from tasks.files import read_regular

IDX_NAMES = {
    "train-images-idx3-ubyte": "x_train",
    "train-labels-idx1-ubyte": "y_train",
    "t10k-images-idx3-ubyte": "x_test",
    "t10k-labels-idx1-ubyte": "y_test",
}
"""The files of a data set in this form, and the array that each holds."""
_BYTES = 8  # how the third byte of a file says that its numbers are bytes
_MOST_PACKED = 100
"""How often larger than the packed file its content may be; images of MNIST come to 5."""


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array of bytes in an IDX file, packed with gzip if its name ends in ``.gz``.

    Raises:
        DataError: the file cannot be read, or holds something else.
    """
    content = read_regular(path, LARGEST_FILE, DataError, "name a folder with the four files of a data set in IDX")
    if path.suffix == ".gz":
        content = _unpacked(path, content)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _BYTES or not 1 <= content[3] <= 4:
        raise DataError(f"{path}: not an IDX file of bytes; name a folder with the four files of MNIST's form")
    start = 4 + 4 * content[3]
    shape = tuple(int.from_bytes(content[at : at + 4]) for at in range(4, start, 4))
    if len(content) != start + prod(shape):
        what = f"{list(shape)} numbers are announced, and {len(content) - start:,} are there"
        raise DataError(f"{path}: damaged: {what}; get it anew")
    return np.frombuffer(content, np.uint8)[start:].reshape(shape)


def _unpacked(path: Path, content: bytes) -> bytes:
    most = min(LARGEST_FILE, _MOST_PACKED * len(content))
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(content, most)
    except zlib.error as error:
        raise DataError(f"{path}: damaged, and cannot be unpacked ({error}); get it anew") from error
    if unpacker.unconsumed_tail:
        raise DataError(f"{path}: refused: it unpacks to more than {most:,} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise DataError(f"{path}: damaged: it ends too early, or goes on after its end; get it anew")
    return found
