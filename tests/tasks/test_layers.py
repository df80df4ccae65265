"""Layers: the shapes that they give and the padding that they need."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.architecture import sequence
from tasks.layers import (
    AveragePool2D,
    Conv2D,
    ConvTranspose2D,
    GlobalAveragePool2D,
    Layer,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    Shape,
)
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


@pytest.mark.parametrize(
    ("layer", "before", "after", "parameters", "operations"),
    [
        (
            Conv2D(6, (3, 2), (2, 1), ((1, 0), (2, 2))),
            (7, 5, 4),
            (3, 8, 6),
            {"kernel": (3, 2, 4, 6), "bias": (6,)},
            6912,
        ),
        (Conv2D(6, bias=False, groups=2), (4, 5, 4), (4, 5, 6), {"kernel": (3, 3, 2, 6)}, 4320),
        (Conv2D(8, groups=4), (4, 5, 4), (4, 5, 8), {"kernel": (3, 3, 1, 8), "bias": (8,)}, 2880),
        (ConvTranspose2D(3, (3, 2), (2, 3)), (4, 5, 2), (8, 15, 3), {"kernel": (3, 2, 2, 3), "bias": (3,)}, 1440),
        (ConvTranspose2D(3, (3, 2), (2, 3), "valid", False), (4, 5, 2), (9, 14, 3), {"kernel": (3, 2, 2, 3)}, 1440),
        (MaxPool2D((3, 3), (2, 2), ((1, 1), (1, 1))), (112, 112, 64), (56, 56, 64), {}, 0),
        (MaxPool2D((2, 2), padding="same"), (5, 4, 1), (3, 2, 1), {}, 0),
        (AveragePool2D((3, 2), (1, 2)), (5, 4, 3), (3, 2, 3), {}, 0),
        (GlobalAveragePool2D(), (5, 4, 3), (3,), {}, 0),
        (LayerNorm(), (5, 4, 3), (5, 4, 3), {"scale": (3,), "bias": (3,)}, 0),
        (LayerNorm(), (7,), (7,), {"scale": (7,), "bias": (7,)}, 0),
    ],
    ids=str,
)
def test_shapes_parameters_and_operations(
    layer: Layer, before: Shape, after: Shape, parameters: dict[str, Shape], operations: int
) -> None:
    assert layer.output_shape(before) == after
    assert layer.parameter_shapes(before) == parameters
    assert layer.operations(before) == operations


def test_only_a_pool_of_windows_side_by_side_is_plain() -> None:
    assert MaxPool2D((2, 3)).is_plain
    assert MaxPool2D((2, 3), (2, 3), ((0, 0), (0, 0))).is_plain
    assert not MaxPool2D((2, 3), (1, 3)).is_plain
    assert not MaxPool2D((2, 3), padding="same").is_plain
    assert not MaxPool2D((2, 3), padding=((0, 1), (0, 0))).is_plain


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv2D(4, groups=3), "conv2d: groups must divide the 4 filters, and 3 do not"),
        (lambda: Conv2D(4, groups=0), "conv2d: groups must be at least 1, not 0"),
        (lambda: sequence((4, 4, 3), (Conv2D(4, groups=2),)), "conv2d: 3 channels cannot be divided into 2 groups"),
        (lambda: Conv2D(4, padding=((1, -1), (0, 0))), r"conv2d: padding must be .*, not \(\(1, -1\), \(0, 0\)\)"),
        (lambda: Conv2D(4, padding=(1, 1)), r"conv2d: padding must be .*, not \(1, 1\)"),  # type: ignore[arg-type]
        (lambda: ConvTranspose2D(4, padding="full"), "must be 'same' or 'valid', not 'full'"),  # type: ignore[arg-type]
        (lambda: ConvTranspose2D(4, (0, 1)), "conv_transpose2d: kernel_size must be at least 1"),
        (lambda: sequence((4, 4), (ConvTranspose2D(4),)), "conv_transpose2d needs an input of 3 axes"),
        (lambda: MaxPool2D((2, 2), (0, 1)), "max_pool2d: strides must be at least 1"),
        (lambda: MaxPool2D((2, 2), padding=((2, 0), (0, 0))), "max_pool2d: padding must be smaller than the window"),
        (lambda: AveragePool2D((1, 2), padding=((0, 1), (0, 0))), "average_pool2d: padding must be smaller than"),
        (lambda: sequence((2, 2, 1), (AveragePool2D((3, 3)),)), "average_pool2d: a window of .* does not fit"),
        (lambda: sequence((4,), (GlobalAveragePool2D(),)), "global_average_pool2d needs an input of 3 axes"),
        (lambda: LayerNorm(0), "layer_norm: epsilon must be above 0, not 0"),
        (lambda: LayerNorm(math.nan), "layer_norm: epsilon must be above 0, not nan"),
        (lambda: LeakyReLU(-0.1), "leaky_relu: slope must be at least 0, not -0.1"),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
