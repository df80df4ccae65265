"""Padding with a stride: as many outputs, at other places.

A convolution and a pool have 3 x 3 windows and stride 2. "Same" pads an even image at its end only, the usual line of
PyTorch pads it on both sides: the sizes are equal, the numbers are not. Averages may count the padding or not.
"""

from typing import Any

import numpy as np

IMAGE = np.arange(16, dtype=np.float32).reshape(4, 4)  # one image of one channel
ODD_IMAGE = np.arange(25, dtype=np.float32).reshape(5, 5)
ONES = np.ones((5, 5), np.float32)
KERNEL = np.arange(1, 10, dtype=np.float32).reshape(3, 3)
SIZES = (4, 5, 6, 7)

NOTE = (
    "Same padding gives ceil(n / stride) outputs: in all it adds P = max((outputs - 1) * stride + kernel - n, 0), P // "
    "2 of it before and the rest after, so 3 x 3 with stride 2 pads an even image by (0, 1) and an odd one by (1, 1). "
    "torch's padding=1 always means (1, 1): on an even image it gives the same size, with each window one pixel "
    "further up and left, which no shape check sees. torch refuses padding='same' with a stride; F.pad before a "
    "convolution without padding does what Keras and flax do, and explicit pairs in flax or ZeroPadding2D in Keras "
    "what torch does. An average counts the padded zeros in torch and flax unless count_include_pad=False, and never "
    "does in Keras. A maximum is padded with minus infinity in all, but not after a ZeroPadding2D."
)
DIFFERS = {
    "usual_line": "padding=1 in torch, 'same' elsewhere: the windows are one pixel apart",
    "same_with_a_stride": "what comes of padding='same' with stride 2",
    "average_by_default": "of ones, padded by 1: torch and flax count the padding",
}


def with_numpy() -> dict:
    """np.pad, then windows."""
    import numpy as np
    from numpy.lib.stride_tricks import sliding_window_view

    def windows(x: np.ndarray, pad: tuple[int, int], fill: float = 0.0) -> np.ndarray:
        padded = np.pad(x, (pad, pad), constant_values=fill)
        return sliding_window_view(padded, (3, 3))[::2, ::2]

    def conv(x: np.ndarray, pad: tuple[int, int]) -> np.ndarray:
        return np.einsum("yxij,ij->yx", windows(x, pad), KERNEL)

    def same(n: int) -> tuple[int, int]:
        total = max((-(-n // 2) - 1) * 2 + 3 - n, 0)
        return total // 2, total - total // 2

    inside = windows(ONES, (1, 1)).sum(axis=(2, 3))  # how many pixels of a window are not padding
    images = [np.zeros((n, n)) for n in SIZES]
    return {
        "padded_0_1": conv(IMAGE, same(4)),
        "padded_1_1": conv(IMAGE, (1, 1)),
        "odd_image": conv(ODD_IMAGE, same(5)),
        "sizes": [len(conv(image, same(len(image)))) for image in images],
        "sizes_without_padding": [len(conv(image, (0, 0))) for image in images],
        "average_counted": inside / 9,
        "average_not_counted": inside / inside,
        "largest_of_minus_ones": windows(-ONES, (1, 1), -np.inf).max(axis=(2, 3)),
        "usual_line": conv(IMAGE, same(4)),
    }


def with_pytorch() -> dict:
    """One number for both sides; F.pad for the rest."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    def nchw(x: np.ndarray) -> torch.Tensor:
        return torch.tensor(x)[None, None]

    def conv(x: torch.Tensor, padding: int = 0) -> np.ndarray:
        return F.conv2d(x, nchw(KERNEL), stride=2, padding=padding)[0, 0].numpy()

    def average(counted: bool) -> np.ndarray:
        layer = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=counted)
        return layer(nchw(ONES))[0, 0].numpy()

    try:
        refused = str(nn.Conv2d(1, 1, 3, stride=2, padding="same"))
    except ValueError as error:
        refused = f"ValueError: {error}"
    by_default = nn.AvgPool2d(3, stride=2, padding=1)
    images = [torch.zeros(1, 1, n, n) for n in SIZES]
    return {
        "padded_0_1": conv(F.pad(nchw(IMAGE), (0, 1, 0, 1))),  # left, right, top, bottom
        "padded_1_1": conv(nchw(IMAGE), padding=1),
        "odd_image": conv(nchw(ODD_IMAGE), padding=1),
        "sizes": [len(conv(image, padding=1)) for image in images],
        "sizes_without_padding": [len(conv(image)) for image in images],
        "average_counted": average(counted=True),
        "average_not_counted": average(counted=False),
        "largest_of_minus_ones": F.max_pool2d(nchw(-ONES), 3, stride=2, padding=1)[0, 0].numpy(),
        "usual_line": conv(nchw(IMAGE), padding=1),
        "same_with_a_stride": refused,
        "average_by_default": by_default(nchw(ONES))[0, 0].numpy(),
    }


def with_keras() -> dict:
    """'valid' or 'same'; ZeroPadding2D for the rest."""
    import numpy as np
    from keras import layers

    def nhwc(x: np.ndarray) -> np.ndarray:
        return x[None, :, :, None]

    def conv(x: Any, padding: str) -> np.ndarray:
        layer = layers.Conv2D(1, 3, strides=2, padding=padding, use_bias=False)
        layer.build(x.shape)
        layer.kernel.assign(KERNEL[:, :, None, None])
        return layer(x).numpy()[0, :, :, 0]

    pad = layers.ZeroPadding2D(1)
    ones = nhwc(ONES)
    average = layers.AveragePooling2D(3, strides=2, padding="same")
    largest = layers.MaxPooling2D(3, strides=2, padding="same")
    images = [np.zeros((1, n, n, 1), np.float32) for n in SIZES]
    same = conv(nhwc(IMAGE), "same")
    return {
        "padded_0_1": same,
        "padded_1_1": conv(pad(nhwc(IMAGE)), "valid"),
        "odd_image": conv(nhwc(ODD_IMAGE), "same"),
        "sizes": [len(conv(image, "same")) for image in images],
        "sizes_without_padding": [len(conv(image, "valid")) for image in images],
        "average_counted": layers.AveragePooling2D(3, strides=2)(pad(ones)).numpy()[0, :, :, 0],
        "average_not_counted": average(ones).numpy()[0, :, :, 0],
        "largest_of_minus_ones": largest(-ones).numpy()[0, :, :, 0],
        "usual_line": same,
        "same_with_a_stride": f"{len(same)} x {len(same)} outputs",
        "average_by_default": average(ones).numpy()[0, :, :, 0],
    }


def with_jax() -> dict:
    """'VALID', 'SAME', or pairs of numbers."""
    import jax.numpy as jnp
    import numpy as np
    from flax import nnx

    both = ((1, 1), (1, 1))

    def conv(x: np.ndarray, padding: Any) -> np.ndarray:
        layer = nnx.Conv(1, 1, (3, 3), strides=2, padding=padding, use_bias=False, rngs=nnx.Rngs(0))
        layer.kernel[...] = jnp.array(KERNEL)[:, :, None, None]
        return np.asarray(layer(jnp.array(x)[None, :, :, None]))[0, :, :, 0]

    ones = jnp.array(ONES)[None, :, :, None]

    def pool(kind: Any, x: Any, **options: bool) -> np.ndarray:
        pooled = kind(x, (3, 3), strides=(2, 2), padding=both, **options)
        return np.asarray(pooled)[0, :, :, 0]

    images = [np.zeros((n, n), np.float32) for n in SIZES]
    same = conv(IMAGE, "SAME")
    return {
        "padded_0_1": same,
        "padded_1_1": conv(IMAGE, both),
        "odd_image": conv(ODD_IMAGE, "SAME"),
        "sizes": [len(conv(image, "SAME")) for image in images],
        "sizes_without_padding": [len(conv(image, "VALID")) for image in images],
        "average_counted": pool(nnx.avg_pool, ones, count_include_pad=True),
        "average_not_counted": pool(nnx.avg_pool, ones, count_include_pad=False),
        "largest_of_minus_ones": pool(nnx.max_pool, -ones),
        "usual_line": same,
        "same_with_a_stride": f"{len(same)} x {len(same)} outputs",
        "average_by_default": pool(nnx.avg_pool, ones),
    }
