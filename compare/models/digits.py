"""Digits from PNG files, brought into the form of MNIST's, with a word for everything that was done to them.

MNIST's digits are white on black, fit a box of 20x20 pixels and lie in 28x28 with their centre of mass in the middle.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compare.models.photograph import find_marks, is_photograph
from compare.models.png import ImageError, read_grey
from tasks.mnist import IMAGE_SHAPE

SIDE = IMAGE_SHAPE[0]
BOX = 20
"""The longer side of a digit, in pixels."""
LEAST_CONTRAST = 32
"""Between ink and ground, of 255; below that there is nothing to be seen."""
INK = 25
"""What counts as ink where a digit is cut out, of 255."""


@dataclass(frozen=True)
class Digit:
    """A picture in MNIST's form.

    Attributes:
        pixels: uint8, (28, 28), white on black.
        done: what was done to the picture, in order.
    """

    pixels: NDArray[np.uint8]
    done: tuple[str, ...]


def read_digit(path: Path) -> Digit:
    """Reads a PNG file of one digit, dark on light or light on dark, of any size up to 4096x4096.

    Raises:
        ImageError: there is no such file, it is no PNG, too large, damaged, or blank.
    """
    grey, done = read_grey(path)
    grey = _from_photograph(path, grey, done) if is_photograph(grey) else _from_drawing(path, grey, done)
    if _is_as_mnist(grey):
        return Digit(grey, (*done, "neither cut out nor resized: it lies as MNIST's digits do"))
    rows, columns = _extent(grey.max(axis=1) > INK), _extent(grey.max(axis=0) > INK)
    return Digit(_fit(path, grey[rows, columns], done), tuple(done))


def _from_drawing(path: Path, grey: NDArray[np.uint8], done: list[str]) -> NDArray[np.uint8]:
    """White on black, where the ground has one grey value."""
    ground = int(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    if int(grey.max()) - ground < ground - int(grey.min()):
        grey, ground = 255 - grey, 255 - ground
        done.append("inverted (it was dark on light)")
    peak = int(grey.max())
    if peak - ground < LEAST_CONTRAST:
        raise ImageError(f"{path}: no digit to be seen: ink and ground differ by {peak - ground} of 255")
    if ground > 0 or peak < 250:  # not all of MNIST's own reach 255
        stretched = (grey.astype(np.float32) - ground) * (255 / (peak - ground))
        grey = np.clip(np.rint(stretched), 0, 255).astype(np.uint8)
        done.append(f"contrast stretched from {ground}-{peak} to 0-255")
    return grey


def _from_photograph(path: Path, grey: NDArray[np.uint8], done: list[str]) -> NDArray[np.uint8]:
    """White on black, where the ground has grain or uneven light."""
    marks = find_marks(grey)
    if marks is None or marks.contrast < LEAST_CONTRAST / 2:
        raise ImageError(f"{path}: no digit to be seen: no ink stands out from the grain and the light of the ground")
    if marks.ink.shape != grey.shape:
        done.append(f"averaged to {marks.ink.shape[1]}x{marks.ink.shape[0]}")
    if marks.dark:
        done.append("inverted (it was dark on light)")
    done.append("grain and uneven light taken out")
    if marks.doubt:
        done.append(f"IN DOUBT: {marks.doubt}")
    return marks.ink


def _is_as_mnist(grey: NDArray[np.uint8]) -> bool:
    """Whether the digit has MNIST's size and place already: longer side 19 or 20, centre within half a pixel."""
    if grey.shape != IMAGE_SHAPE:
        return False
    sides = [len(range(*_extent(grey.max(axis=axis) > 0).indices(SIDE))) for axis in (0, 1)]
    return max(sides) in (BOX - 1, BOX) and all(abs(centre - SIDE / 2) <= 0.5 for centre in _centre(grey))


def _fit(path: Path, digit: NDArray[np.uint8], done: list[str]) -> NDArray[np.uint8]:
    """The digit, cut out, with its longer side at 20 pixels and its centre of mass at (14, 14)."""
    from PIL import Image

    height, width = digit.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(Image.fromarray(digit.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))
    done += [f"cut out ({width}x{height})", f"resized to {size[0]}x{size[1]}"]
    peak = round(float(small.max()))
    if peak < LEAST_CONTRAST:
        raise ImageError(f"{path}: no digit to be seen at {size[0]}x{size[1]} pixels: draw it with a thicker pen")
    if peak < 250:
        small = small * (255 / small.max())
        done.append(f"thin strokes strengthened (from {peak} to 255)")
    # Half a pixel up or down comes to the same centre; the box itself must stay inside.
    top, left = (
        min(max(round(SIDE / 2 - centre), 0), SIDE - side)
        for centre, side in zip(_centre(small), small.shape, strict=True)
    )
    pixels = np.zeros(IMAGE_SHAPE, np.uint8)
    pixels[top : top + size[1], left : left + size[0]] = np.rint(small)
    done.append("centred by its mass in 28x28")
    return pixels


def _extent(filled: NDArray[np.bool_]) -> slice:
    """From the first to the last."""
    places = np.flatnonzero(filled)
    return slice(int(places[0]), int(places[-1]) + 1)


def _centre(grey: NDArray[Any]) -> tuple[float, float]:
    """The centre of mass: row and column."""
    mass = grey.astype(np.float64)
    rows, columns = mass.sum(axis=1), mass.sum(axis=0)
    return (
        float(rows @ np.arange(len(rows)) / rows.sum()),
        float(columns @ np.arange(len(columns)) / columns.sum()),
    )
