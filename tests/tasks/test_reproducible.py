"""Random streams and the hash of arrays."""

import hashlib
import struct

import numpy as np
from numpy.typing import NDArray

from tasks.reproducible import random_stream, sha256_of


def test_random_streams_differ_by_purpose() -> None:
    first, second = random_stream(0, "parameters"), random_stream(0, "batches")
    assert not np.array_equal(first.random_sample(4), second.random_sample(4))


def test_sha256_of_covers_name_dtype_shape_and_elements() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    expected = hashlib.sha256(b"a <f4 (2, 3)\n" + struct.pack("<6f", *range(6))).hexdigest()
    assert sha256_of({"a": array}) == expected
    others: list[dict[str, NDArray[np.generic]]] = [
        {"b": array},
        {"a": array.reshape(3, 2)},
        {"a": array.astype(np.float64)},
        {"a": array[::-1]},
    ]
    assert len({expected, *(sha256_of(other) for other in others)}) == 5


def test_sha256_of_is_blind_to_byte_order_memory_layout_and_order_of_names() -> None:
    array, other = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(2, np.int32)
    expected = sha256_of({"a": array, "b": other})
    assert sha256_of({"b": other, "a": array}) == expected
    assert sha256_of({"a": array.astype(">f4"), "b": other}) == expected
    assert sha256_of({"a": np.asfortranarray(array), "b": other}) == expected
