"""PNG files of every kind are read as a person sees them, and none takes long."""

import struct
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from compare.models.png import ImageError, read_grey

SIZE = 12
_ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def packed(row: Sequence[Sequence[int]], depth: int) -> bytes:
    bits = "".join(format(value, f"0{depth}b") for pixel in row for value in pixel)
    return bytes([0]) + bytes(int(bits[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(bits), 8))


def png(depth: int, colour: int, pixels: list[list[list[int]]], interlaced: bool, *chunks: bytes) -> bytes:
    """A PNG file, made by the format's own rules and by no library."""
    head = struct.pack(">IIBBBBB", SIZE, SIZE, depth, colour, 0, 0, interlaced)
    parts = []
    for x, y, right, down in _ADAM7 if interlaced else [(0, 0, 1, 1)]:
        parts += [packed(row[x::right], depth) for row in pixels[y::down] if row[x::right]]
    data = chunk(b"IDAT", zlib.compress(b"".join(parts)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunks) + data + chunk(b"IEND", b"")


def case(depth: int, colour: int, keyed: bool) -> tuple[list[list[list[int]]], list[bytes], np.ndarray]:  # type: ignore[type-arg]
    """Random pixels as the file holds them, chunks before them, and the grey values that a person sees on white."""
    random, top = np.random.default_rng(0), (1 << depth) - 1
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    pixels = random.integers(0, top + 1, (SIZE, SIZE, channels))
    chunks = []
    share = pixels / top
    opacity = share[..., -1] if colour in (4, 6) else np.ones((SIZE, SIZE))
    if colour == 3:
        palette = random.integers(0, 256, (top + 1, 3), np.uint8)
        chunks.append(chunk(b"PLTE", palette.tobytes()))
        share = palette[pixels[..., 0]] / 255
        if keyed:
            chunks.append(chunk(b"tRNS", bytes([0])))  # the first colour alone
            opacity = np.where(pixels[..., 0] == 0, 0, 1)
    elif keyed:
        key = pixels[0, 0]
        chunks.append(chunk(b"tRNS", b"".join(struct.pack(">H", int(value)) for value in key)))
        opacity = np.where((pixels == key).all(axis=-1), 0, 1)
    colours = share[..., :3] if colour in (2, 3, 6) else share[..., :1]
    seen = colours * opacity[..., None] + 1 - opacity[..., None]
    grey = seen @ [0.299, 0.587, 0.114] if seen.shape[-1] == 3 else seen[..., 0]
    return pixels.tolist(), chunks, 255 * grey


KINDS = (
    [(d, 0) for d in (1, 2, 4, 8, 16)] + [(d, 3) for d in (1, 2, 4, 8)] + [(d, c) for c in (2, 4, 6) for d in (8, 16)]
)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(
    ("kind", "keyed"), [(kind, keyed) for kind in KINDS for keyed in (False, True) if not (keyed and kind[1] in (4, 6))]
)
def test_every_kind_is_read_as_a_person_sees_it(
    kind: tuple[int, int], keyed: bool, interlaced: bool, tmp_path: Path
) -> None:
    depth, colour = kind
    pixels, chunks, expected = case(depth, colour, keyed)
    path = tmp_path / "picture.png"
    path.write_bytes(png(depth, colour, pixels, interlaced, *chunks))
    if kind == (16, 2) and keyed:
        with pytest.raises(ImageError, match="save it with 8 bits"):
            read_grey(path)
        return
    grey, done = read_grey(path)
    if "its opacity taken as ink: it is of one colour, on nothing" in done:
        assert kind in {(1, 0), (1, 3)}  # black and nothing: what is drawn is what is not transparent
        return
    assert np.abs(grey - expected).max() <= 2


def test_a_picture_is_turned_as_its_exif_data_say(tmp_path: Path) -> None:
    picture = Image.fromarray(np.arange(60, dtype=np.uint8).reshape(6, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.png", exif=exif)
    grey, done = read_grey(tmp_path / "turned.png")
    assert np.array_equal(grey, np.rot90(np.asarray(picture), -1))
    assert done == ["turned as its EXIF data say"]


def test_a_million_parts_are_refused_at_once(tmp_path: Path) -> None:
    pixels, _, _ = case(8, 0, keyed=False)
    whole = png(8, 0, pixels, False)
    (tmp_path / "parts.png").write_bytes(whole[:33] + 1_000_000 * chunk(b"teSt", b"") + whole[33:])
    start = time.process_time()
    with pytest.raises(ImageError, match="more than 20,000 parts"):
        read_grey(tmp_path / "parts.png")
    assert time.process_time() - start < 1
