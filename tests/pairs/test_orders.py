"""In which order an image was flattened is told by the values, also behind a pool of the model's own code."""

from collections.abc import Callable

import numpy as np
import pytest

from backends.own import Array, Call, flatten_order

IMAGE = np.random.RandomState(0).standard_normal((3, 4, 6, 5))


def pooled(image: Array) -> Array:
    return image.reshape(3, 2, 2, 3, 2, 5).max((2, 4))


def averaged(image: Array) -> Array:
    return image.reshape(3, 2, 2, 3, 2, 5).mean((2, 4))


def rectified(image: Array) -> Array:
    return np.maximum(image, 0)


def order_of(features: Array) -> Array | None:
    convolution = Call("conv", "conv2d", {}, (IMAGE,), IMAGE, {})
    return flatten_order(Call("dense", "dense", {}, (features,), features, {}), [convolution])


@pytest.mark.parametrize(
    "change",
    [lambda image: image, rectified, pooled, averaged, lambda image: pooled(rectified(image))],
)
def test_both_orders_are_told(change: Callable[[Array], Array]) -> None:
    changed = change(IMAGE)
    assert order_of(changed.reshape(3, -1)) is None
    places = order_of(changed.transpose(0, 3, 1, 2).reshape(3, -1))
    assert places is not None
    # Of each feature, channels first, the place that it has channels last.
    assert np.array_equal(changed.reshape(3, -1)[:, places], changed.transpose(0, 3, 1, 2).reshape(3, -1))


def test_what_is_no_flattened_image_has_no_order() -> None:
    assert order_of(np.random.RandomState(1).standard_normal((3, 120))) is None
    assert order_of(IMAGE.mean((1, 2))) is None  # one number a channel: both orders are one
    assert order_of(np.ones((3, 7))) is None
