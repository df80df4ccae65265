"""Arrays as PNG images: digits, and the weights of a first layer."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNITS = 16
"""Units that are drawn of a dense first layer; of a convolution up to 64 filters are."""


def weights_picture(kernel: NDArray[Any], largest: float) -> tuple[str, int, int] | None:
    """A PNG of first-layer weights as a data URI, with its width and height: a tile per filter or unit.

    Args:
        kernel: of a convolution (height, width, channels, filters) or of a dense layer (inputs, units).
        largest: the weight that gets the full colour, orange, and blue if it is negative.

    Returns:
        None if the weights cannot be shown as tiles.
    """
    if kernel.ndim == 4:
        tiles = np.moveaxis(kernel[..., :64].mean(axis=2), -1, 0)
    elif kernel.ndim == 2 and kernel.shape[0] == 784:
        tiles = kernel[:, :UNITS].T.reshape(-1, 28, 28)
    elif kernel.ndim == 2 and kernel.size <= 4096:
        tiles = kernel[None]
    else:
        return None
    columns = min(len(tiles), 8)
    rows = -(-len(tiles) // columns)
    height, width = tiles.shape[1:]
    grid = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), 128, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = (index // columns) * (height + 1), (index % columns) * (width + 1)
        grid[top : top + height, left : left + width] = _diverging(tile / (largest or 1.0))
    return png(grid), grid.shape[1], grid.shape[0]


def _diverging(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Blue for -1, white for 0, orange for 1, which every kind of colour vision can tell apart; shape (..., 3)."""
    low, high = np.array([0, 90, 181]), np.array([220, 100, 0])
    share = np.clip(np.nan_to_num(values), -1, 1)[..., None]
    colors = 255 + np.where(share < 0, -share * (low - 255), share * (high - 255))
    pixels: NDArray[np.uint8] = colors.astype(np.uint8)
    return pixels


def png(pixels: NDArray[Any]) -> str:
    """An image as a data URI: shape (height, width), or (height, width, 3), which keeps 64 colours for a small file."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels, np.uint8))
    if pixels.ndim == 3:
        image = image.quantize(64)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
