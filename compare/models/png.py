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
_DEPTH = 24  # where a PNG file says how many bits a channel has
_ORIENTATION = 0x0112  # EXIF's tag for how the camera was held
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG's number of the kind of colour
# Of each pass of an interlaced file: first column, first row, and the steps of both.
_ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


class ImageError(SideBySideError):
    """A file that holds no picture of a digit."""


def read_grey(path: Path) -> tuple[NDArray[np.uint8], list[str]]:
    """The picture as grey values (height, width), and what that took."""
    from PIL import Image, ImageOps

    content = content_of(path)
    done: list[str] = []
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
            if image.getexif().get(_ORIENTATION, 1) != 1:
                image = ImageOps.exif_transpose(image)
                done.append("turned as its EXIF data say")
            image = _of_8_bits(path, image, content[_DEPTH], done)
            grey = _on_ground(image, done)
    except ImageError:
        raise
    except Exception as error:  # on foreign bytes Pillow raises a dozen kinds
        raise ImageError(f"{path}: a damaged PNG file, which cannot be read") from error
    return grey, done


def _of_8_bits(path: Path, image: Any, depth: int, done: list[str]) -> Any:
    """The picture with 8 bits a channel; what one colour makes transparent is then its opacity, or known as such."""
    from PIL import Image

    key = image.info.get("transparency")
    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off at 255
        done.append("16 bits made 8")
        values = np.asarray(image).astype(np.float32)
        grey = Image.fromarray((values / 257).round().astype(np.uint8))
        if key is None:
            return grey
        opacity = Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8))
        return Image.merge("LA", (grey, opacity))
    if depth == 16 and key is not None:  # Pillow keeps 8 of its 16 bits, and would take other colours for it
        raise ImageError(f"{path}: has 16 bits a channel and a colour for what is transparent; save it with 8 bits")
    if depth in (2, 4) and image.mode == "L" and key is not None:  # Pillow scales the pixels and not the key
        image.info["transparency"] = key * (255 // ((1 << depth) - 1))
    return image


def _on_ground(image: Any, done: list[str]) -> NDArray[np.uint8]:
    """The grey values, on white where the picture is transparent."""
    from PIL import Image

    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        opacity = np.array(image.getchannel("A"))
        inked = np.asarray(image)[opacity > 0]
        if opacity.min() < 255 and (inked[:, :3] == inked[:1, :3]).all():
            done.append("its opacity taken as ink: it is of one colour, on nothing")
            return opacity
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        image = ground
        done.append("laid on white where it is transparent")
    if image.mode != "L":
        if image.mode != "1":
            done.append("converted to grey")
        image = image.convert("L")
    grey: NDArray[np.uint8] = np.array(image)
    return grey


def content_of(path: Path) -> bytes:
    """The bytes of a file that is small enough."""
    return read_regular(path, LARGEST_FILE, ImageError, "name PNG files of digits")


def check(path: Path, content: bytes) -> tuple[int, int]:
    """Width and height, where the file has one header and as many bytes of pixels as that says.

    Pillow takes the last header for the true one, and pixels that are missing for black.
    """
    if len(content) < 24 or content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        kind = " but a JPEG file; save it as PNG" if content[:3] == b"\xff\xd8\xff" else "; name PNG files of digits"
        raise ImageError(f"{path}: not a PNG file{kind}")
    width, height = struct.unpack(">II", content[16:24])
    if not (1 <= width <= LARGEST_SIDE and 1 <= height <= LARGEST_SIDE):
        raise ImageError(f"{path}: too large with {width}x{height} pixels; {LARGEST_SIDE}x{LARGEST_SIDE} are the most")
    depth, colours, _, _, interlaced = content[_DEPTH : _DEPTH + 5]
    headers, parts, at = 0, [], 8
    for _ in range(MOST_CHUNKS):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        headers += kind == b"IHDR"
        if kind == b"IDAT":
            parts.append(content[at + 8 : at + 8 + length])
        at += length + 12
        if kind == b"IEND":
            break
    else:
        raise ImageError(f"{path}: refused: a PNG file of more than {MOST_CHUNKS:,} parts; save it anew")
    passes = _ADAM7 if interlaced else [(0, 0, 1, 1)]
    sides = [((width - x + right - 1) // right, (height - y + down - 1) // down) for x, y, right, down in passes]
    bits = depth * _CHANNELS[colours]
    expected = sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in sides if columns)  # 1: the row's filter
    if headers != 1 or len(zlib.decompressobj().decompress(b"".join(parts), expected)) < expected:
        raise ValueError("two headers, or too few pixels")
    return width, height
