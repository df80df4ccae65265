"""Layers: the shapes that they give and the padding that they need."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.layers import Conv2D, MaxPool2D
from tests.tasks.common import drawn


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "before", "after"),
    [
        (28, 3, 1, 1, 1),
        (28, 3, 2, 0, 1),  # PyTorch would pad (1, 1)
        (7, 3, 2, 1, 1),
        (5, 2, 1, 0, 1),
        (6, 4, 1, 1, 2),
        (5, 5, 2, 2, 2),
        (6, 5, 2, 1, 2),
        (6, 1, 4, 0, 0),  # a stride that jumps over the end
        (1, 3, 2, 1, 1),
    ],
)
def test_same_padding_is_tensorflows(size: int, kernel: int, stride: int, before: int, after: int) -> None:
    other = (9, (1, 1))  # the other axis: neither kernel nor stride
    tall, wide = Conv2D(4, (kernel, 1), (stride, 1)), Conv2D(4, (1, kernel), (1, stride))
    assert tall.pads((size, other[0], 2)) == ((before, after), (0, 0))
    assert wide.pads((other[0], size, 2)) == ((0, 0), (before, after))
    assert tall.output_shape((size, other[0], 2)) == (math.ceil(size / stride), 9, 4)
    assert wide.output_shape((other[0], size, 2)) == (9, math.ceil(size / stride), 4)


def test_valid_padding_pads_nothing() -> None:
    layer = Conv2D(4, (3, 2), (2, 1), "valid")
    assert layer.pads((8, 5, 1)) == ((0, 0), (0, 0))
    assert layer.output_shape((8, 5, 1)) == (3, 4, 4)


def test_pooling_drops_what_fills_no_window() -> None:
    assert MaxPool2D((2, 3)).output_shape((5, 8, 7)) == (2, 2, 7)


@drawn
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 9))
def test_same_padding_is_the_least_that_covers_every_stride(size: int, kernel: int, stride: int) -> None:
    before, after = Conv2D(1, (kernel, 1), (stride, 1)).pads((size, 1, 1))[0]
    total, positions = before + after, math.ceil(size / stride)
    assert 0 <= after - before <= 1
    assert (size + total - kernel) // stride + 1 == positions
    assert total == 0 or (size + total - 1 - kernel) // stride + 1 < positions
