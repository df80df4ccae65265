"""The masks of dropout: drawn once, in NumPy, and given to every framework."""

from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from tasks.layers import Dropout, Shape
from tasks.reproducible import random_stream

SEEDS = 2**24
"""Seeds of masks are below this number: float32, in which all state is kept, holds them exactly."""
_BYTES, _FEWEST, _MOST = 2**25, 257, 4097
_LEVELS = 2**16


def mask_rows(shape: Shape) -> int:
    """The number of different masks for examples of this shape: as many as fit into 32 MB, from 257 to 4,097.

    It is odd, so that in the next epoch an example in the same place has another mask.
    """
    return min(max(_BYTES // prod(shape), _FEWEST), _MOST) | 1


@lru_cache(maxsize=8)
def mask_table(layer: Dropout, shape: Shape, seed: int) -> NDArray[np.bool_]:
    """The masks of a dropout layer, ``(rows, *shape)``: True where a number is kept.

    Args:
        layer: has the rate.
        shape: of one example before it, in the canonical layout.
        seed: the layer's state of this name.
    """
    draws = random_stream(seed, "masks").randint(0, _LEVELS, (mask_rows(shape), *shape), np.uint16)
    table: NDArray[np.bool_] = draws >= round(layer.rate * _LEVELS)
    table.setflags(write=False)  # it is kept, and given to all who ask
    return table
