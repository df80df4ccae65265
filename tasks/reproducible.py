"""Random streams and hashes that are the same on every machine and under every version of NumPy."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def random_stream(seed: int, purpose: str) -> np.random.RandomState:
    """A random stream for one purpose, independent of the streams for others.

    RandomState, not Generator: its streams are frozen (NEP 19), so a seed gives the same parameters and batches under
    every NumPy version, and hashes in old reports stay comparable.
    """
    entropy = (seed, *purpose.encode())
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(entropy)))


def sha256_of(arrays: Mapping[str, NDArray[Any]]) -> str:
    """The SHA-256 of named arrays: of every name, dtype, shape and element in C order, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.newbyteorder('<').str} {array.shape}\n".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).data)
    return digest.hexdigest()
