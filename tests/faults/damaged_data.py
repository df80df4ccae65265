"""Data files with flipped bits and cut short: refused, or every array is as it was; never a part of it."""

import io
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import numpy as np

from tasks import mnist
from tasks.errors import DataError
from tests.tasks.digit_files import small_digits


def damaged(content: bytes, flips: int, cuts: int, seed: int) -> Iterator[bytes]:
    """Copies of the content: with one bit flipped each, then cut short each."""
    random = np.random.default_rng(seed)
    for at in random.integers(0, 8 * len(content), flips):
        changed = bytearray(content)
        changed[at // 8] ^= 1 << (at % 8)
        yield bytes(changed)
    for length in random.integers(0, len(content), cuts):
        yield content[:length]


def refused(path: Path, content: bytes, *, own: bool) -> bool:
    """Reads a damaged file. Raises AssertionError if it is loaded with anything else than the arrays of the whole."""
    path.write_bytes(content)
    try:
        with mock.patch.object(mnist, "FILE", path):
            found = mnist.read_digits(None if own else path)
    except DataError as error:
        if len(str(error).splitlines()) != 1:
            raise AssertionError(f"more than a line: {error}") from error
        return True
    assert not own, "MNIST itself is loaded although a bit is wrong"
    for key, array in small_digits().items():
        assert np.array_equal(found[key], array), f"{key} is loaded with other values"
    return False


def check(flips: int, cuts: int) -> tuple[int, int]:
    """Damages MNIST itself, and a user's file, compressed and not; returns how many were refused, and of how many."""
    total = count = 0
    with TemporaryDirectory(prefix="sidebyside-") as folder:
        for index, save in enumerate((None, np.savez, np.savez_compressed)):
            buffer = io.BytesIO()
            if save:
                save(buffer, **small_digits())
            content = buffer.getvalue() or mnist.FILE.read_bytes()
            for bad in damaged(content, flips, cuts, index):
                total += refused(Path(folder) / "data.npz", bad, own=save is None)
                count += 1
    return total, count


def run(count: int = 1000) -> str:
    """Tries so many flipped bits, and a tenth as many truncations, of each of the three files."""
    total, tried = check(count, count // 10)
    return (
        f"{tried:,} damaged data files ({count:,} flipped bits and {count // 10:,} truncations of three files):"
        f" {total:,} refused, {tried - total:,} loaded with every value as it was, 0 loaded with another"
    )
