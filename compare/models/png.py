"""Pictures in PNG files, as grey values and as a person sees them; bad files are refused with the reason."""

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.errors import SideBySideError
from tasks.files import read_regular

LARGEST_SIDE = 4096
LARGEST_FILE = 64_000_000
MOST_CHUNKS = 20_000
"""The most parts of a PNG file that are read; a file of 64 MB in parts of 8 kB has 8,000."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG's number of the kind of colour
# Of each pass of an interlaced file: first column, first row, and the steps of both.
_ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


class ImageError(SideBySideError):
    """A file that holds no picture of a digit."""


def read_grey(path: Path) -> tuple[NDArray[np.uint8], list[str]]:
    """The picture as grey values (height, width), and what that took."""
    from PIL import Image

    content = content_of(path)
    done = []
    try:
        size = check(path, content)
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


def content_of(path: Path) -> bytes:
    """The bytes of a file that is small enough."""
    return read_regular(path, LARGEST_FILE, ImageError, "name PNG files of digits")


def check(path: Path, content: bytes) -> tuple[int, int]:
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
