"""Digits from PNG files, brought into the form of MNIST's, with a word for everything that was done to them.

MNIST's digits are white on black, fit a box of 20x20 pixels and lie in 28x28 with their centre of mass in the middle.
"""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.errors import SideBySideError
from tasks.files import read_regular
from tasks.mnist import IMAGE_SHAPE

SIDE = IMAGE_SHAPE[0]
BOX = 20
"""The longer side of a digit, in pixels."""
LARGEST_SIDE = 4096
LARGEST_FILE = 64_000_000
LEAST_CONTRAST = 32
"""Between ink and ground, of 255; below that there is nothing to be seen."""
INK = 25
"""What counts as ink where a digit is cut out, of 255."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG's number of the kind of colour
# Of each pass of an interlaced file: first column, first row, and the steps of both.
_ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


class ImageError(SideBySideError):
    """A file that holds no picture of a digit."""


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
    grey, done = _read_grey(path)
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
    if _is_as_mnist(grey):
        return Digit(grey, (*done, "neither cut out nor resized: it lies as MNIST's digits do"))
    rows, columns = _extent(grey.max(axis=1) > INK), _extent(grey.max(axis=0) > INK)
    return Digit(_fit(path, grey[rows, columns], done), tuple(done))


def _read_grey(path: Path) -> tuple[NDArray[np.uint8], list[str]]:
    """The picture as grey values (height, width), and what that took."""
    from PIL import Image

    content = _content(path)
    done = []
    try:
        size = _check(path, content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's about palettes and the like are no concern of the user's
            file = Image.open(io.BytesIO(content), formats=["PNG"])
            if file.size != size:
                raise ValueError("another size")
            image: Any = file
            if getattr(file, "n_frames", 1) > 1:
                done.append(f"the first of {file.n_frames} frames taken")
            if image.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255
                done.append("16 bits made 8")
                return (np.asarray(image).astype(np.float32) / 257).round().astype(np.uint8), done
            if "A" in image.getbands() or "transparency" in image.info:
                image = image.convert("RGBA")
                opacity = np.array(image.getchannel("A"))
                inked = np.asarray(image)[opacity > 0]
                if opacity.min() < 255 and (inked[:, :3] == inked[:1, :3]).all():
                    done.append("its opacity taken as ink: it is of one colour, on nothing")
                    return opacity, done
                ground = Image.new("RGBA", image.size, "white")
                ground.alpha_composite(image)
                image = ground
                done.append("laid on white where it is transparent")
            if image.mode != "L":
                if image.mode != "1":
                    done.append("converted to grey")
                image = image.convert("L")
            grey: NDArray[np.uint8] = np.array(image)
    except ImageError:
        raise
    except Exception as error:  # on foreign bytes Pillow raises a dozen kinds
        raise ImageError(f"{path}: a damaged PNG file, which cannot be read") from error
    return grey, done


def _content(path: Path) -> bytes:
    """The bytes of a file that is small enough."""
    return read_regular(path, LARGEST_FILE, ImageError, "name PNG files of digits")


def _check(path: Path, content: bytes) -> tuple[int, int]:
    """Width and height, where the file has one header and as many bytes of pixels as that says.

    Pillow takes the last header for the true one, and pixels that are missing for black.
    """
    if len(content) < 24 or content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        raise ImageError(f"{path}: not a PNG file; name PNG files of digits")
    width, height = struct.unpack(">II", content[16:24])
    if not (1 <= width <= LARGEST_SIDE and 1 <= height <= LARGEST_SIDE):
        raise ImageError(f"{path}: too large with {width}x{height} pixels; {LARGEST_SIDE}x{LARGEST_SIDE} are the most")
    depth, colours, _, _, interlaced = content[24:29]
    headers, parts, at, kind = 0, [], 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        headers += kind == b"IHDR"
        if kind == b"IDAT":
            parts.append(content[at + 8 : at + 8 + length])
        at += length + 12
    passes = _ADAM7 if interlaced else [(0, 0, 1, 1)]
    sides = [((width - x + right - 1) // right, (height - y + down - 1) // down) for x, y, right, down in passes]
    bits = depth * _CHANNELS[colours]
    expected = sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in sides if columns)  # 1: the row's filter
    if headers != 1 or len(zlib.decompressobj().decompress(b"".join(parts), expected)) < expected:
        raise ValueError("two headers, or too few pixels")
    return width, height


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
