"""Pictures of digits: MNIST's own are left as they are, others are made alike, bad ones are refused in one line."""

import io
import os
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from compare import cli
from compare.models.digits import read_digit
from compare.models.png import ImageError, check
from tasks.mnist import read_digits
from tests.cli.common import Capture, refused


def png(tmp_path: Path, pixels: NDArray[Any], **options: Any) -> Path:
    path = tmp_path / "digit.png"
    Image.fromarray(pixels).save(path, **options)
    return path


def blown_up(digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A digit of MNIST's in the corner of a large dark picture."""
    canvas = np.zeros((300, 400), np.uint8)
    canvas[80:220, 240:380] = np.asarray(Image.fromarray(digit).resize((140, 140), Image.Resampling.BICUBIC))
    return canvas


def test_mnists_own_digits_are_left_as_they_are(tmp_path: Path) -> None:
    for digit in read_digits()["x_test"][:50]:
        for pixels in (digit, 255 - digit):
            assert np.array_equal(read_digit(png(tmp_path, pixels)).pixels, digit)


def test_large_pictures_come_back_as_mnist_would_have_them(tmp_path: Path) -> None:
    digits = read_digits()["x_test"][:100]
    found = [read_digit(png(tmp_path, 255 - blown_up(digit))) for digit in digits]
    alike = [np.corrcoef(digit.ravel(), one.pixels.ravel())[0, 1] for digit, one in zip(digits, found, strict=True)]
    assert np.median(alike) > 0.95
    assert min(alike) > 0.6  # where the centre is rounded the other way, all is one pixel off
    for one in found:
        assert one.pixels.shape == (28, 28)
        rows, columns = np.flatnonzero(one.pixels.max(axis=1)), np.flatnonzero(one.pixels.max(axis=0))
        assert 19 <= max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 <= 20
    assert [step.partition(" (")[0] for step in found[0].done] == [
        "inverted",
        "cut out",
        "resized to 16x20",
        "centred by its mass in 28x28",
    ]


def test_all_kinds_of_png_mean_the_same(tmp_path: Path) -> None:
    grey = blown_up(read_digits()["x_test"][0])
    plain = read_digit(png(tmp_path, grey)).pixels
    colour = np.stack([grey] * 3, axis=-1)
    opaque = np.full_like(grey, 255)
    black, white = (np.stack([np.full_like(grey, ink)] * 3 + [grey], axis=-1) for ink in (0, 255))
    glass = np.concatenate([255 - colour, np.where(grey > 0, 255, 254)[..., None].astype(np.uint8)], axis=-1)
    for pixels, said in (
        (colour, "converted to grey"),
        (np.concatenate([colour, opaque[..., None]], axis=-1), "laid on white where it is transparent"),
        (glass, "laid on white where it is transparent"),
        (black, "its opacity taken as ink: it is of one colour, on nothing"),
        (white, "its opacity taken as ink: it is of one colour, on nothing"),
        (grey.astype(np.uint16) * 257, "16 bits made 8"),
    ):
        digit = read_digit(png(tmp_path, pixels))
        assert said in digit.done
        assert np.abs(digit.pixels.astype(int) - plain).max() <= 1
    palette = Image.fromarray(colour).quantize(256)
    palette.save(tmp_path / "palette.png")
    assert np.abs(read_digit(tmp_path / "palette.png").pixels.astype(int) - plain).max() <= 32
    Image.fromarray(grey > 127).save(tmp_path / "bits.png")
    assert np.corrcoef(read_digit(tmp_path / "bits.png").pixels.ravel(), plain.ravel())[0, 1] > 0.8
    frames = [Image.fromarray(grey), Image.fromarray(255 - grey)]
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    assert np.array_equal(read_digit(tmp_path / "moving.png").pixels, plain)
    assert read_digit(tmp_path / "moving.png").done[0] == "the first of 2 frames taken"


def test_faint_pictures_are_stretched_and_that_is_said(tmp_path: Path) -> None:
    grey = blown_up(read_digits()["x_test"][0])
    digit = read_digit(png(tmp_path, (100 + grey * 0.3).astype(np.uint8)))
    assert "contrast stretched from 100-176 to 0-255" in digit.done
    assert digit.pixels.max() >= 250


def header_of(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG file of any claimed size, with correct checksums."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def cut_short() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (100, 100), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()[:5000]


def two_headers() -> bytes:
    """A picture that says 28x28 and then 4000x4000."""
    one, two = header_of(28, 28, b"\0" * 29 * 28), header_of(4000, 4000, b"\0" * 4001 * 4000)
    return one[:33] + two[8:]


def short_of_pixels() -> bytes:
    """Well formed, but the lower half is missing: the bytes end where they please."""
    rows = np.random.default_rng(0).integers(0, 256, (280, 281), np.uint8)
    rows[:, 0] = 0  # no filter
    return header_of(280, 280, rows[:140].tobytes())


BAD_PICTURES = {
    "two headers": (two_headers(), "a damaged PNG file"),
    "short of pixels": (short_of_pixels(), "a damaged PNG file"),
    "bomb": (header_of(60_000, 60_000), "too large with 60000x60000 pixels; 4096x4096 are the most"),
    "ribbon": (header_of(5000, 1), "too large with 5000x1 pixels"),
    "no size": (header_of(0, 28), "too large with 0x28 pixels"),
    "cut short": (cut_short(), "a damaged PNG file"),
    "bad checksum": (header_of(28, 28)[:-20] + bytes(20), "a damaged PNG file"),
    "blank": (header_of(28, 28, b"\0" * 29 * 28), "no digit to be seen: ink and ground differ by 0 of 255"),
    "jpeg": (jpeg(), "not a PNG file but a JPEG file; save it as PNG"),
    "empty": (b"", "not a PNG file"),
    "half a head": (header_of(28, 28)[:20], "not a PNG file"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_bad_pictures_are_refused_in_a_line(name: str, drawn: Path, tmp_path: Path, capsys: Capture) -> None:
    content, text = BAD_PICTURES[name]
    (tmp_path / "bad.png").write_bytes(content)
    assert text in refused(capsys, "predict", "--model", str(drawn), str(tmp_path / "bad.png"))


@pytest.mark.parametrize("kind", [(8, 0), (1, 0), (4, 3), (8, 2), (16, 4), (16, 6)])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 30), (30, 5), (33, 29)])
def test_pixels_are_counted_for_every_kind_of_png(
    kind: tuple[int, int], width: int, height: int, tmp_path: Path
) -> None:
    """By Adam7's definition: what lies where in a square of eight, one pass after another."""
    depth, colours = kind
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colours]
    square = ("16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777")
    for interlaced in (0, 1):
        size = 0
        for number in "1234567" if interlaced else "0":
            seen = [[not interlaced or square[y % 8][x % 8] == number for x in range(width)] for y in range(height)]
            size += sum(1 + (sum(row) * bits + 7) // 8 for row in seen if any(row))
        for missing in (0, 1):
            content = bytearray(header_of(width, height, bytes(size - missing)))
            content[24:29] = depth, colours, 0, 0, interlaced
            if missing:
                with pytest.raises(ValueError, match="too few pixels"):
                    check(tmp_path, bytes(content))
            else:
                assert check(tmp_path, bytes(content)) == (width, height)


def test_what_is_no_file_is_refused(drawn: Path, tmp_path: Path, capsys: Capture) -> None:
    for path in (tmp_path, tmp_path / "none.png", Path("a\0b")):
        assert "name PNG files of digits" in refused(capsys, "predict", "--model", str(drawn), str(path))


def test_a_name_that_is_no_text_is_printed(drawn: Path, tmp_path: Path) -> None:
    name = tmp_path / "\udcff.png"
    try:
        Image.fromarray(read_digits()["x_test"][0]).save(name)
    except OSError:
        pytest.skip("such a name is impossible here")
    words = [sys.executable, "-m", "compare", "predict", "--model", drawn, name, "--backend", "numpy"]
    done = subprocess.run(words, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"}, check=False)
    assert (done.returncode, done.stderr) == (cli.OK, b"")
    assert rb"\udcff.png: neither cut out" in done.stdout


def drawn_with(pen: int) -> NDArray[np.uint8]:
    """A seven of 1000x1000 pixels."""
    image = Image.new("L", (1000, 1000), 255)
    ImageDraw.Draw(image).line([(200, 100), (800, 100), (350, 900)], fill=0, width=pen)
    return np.asarray(image)


def test_thin_strokes_are_strengthened_or_refused(tmp_path: Path) -> None:
    thin, thick = (read_digit(png(tmp_path, drawn_with(pen))) for pen in (5, 80))
    assert any(re.fullmatch(r"thin strokes strengthened \(from \d\d to 255\)", step) for step in thin.done), thin.done
    assert not any(step.startswith("thin") for step in thick.done)
    assert thin.pixels.max() == thick.pixels.max() == 255
    two_dots = np.zeros((4096, 4096), np.uint8)
    two_dots[0, 0] = two_dots[-1, -1] = 255
    for pixels in (drawn_with(1), two_dots):
        with pytest.raises(ImageError, match="draw it with a thicker pen"):
            read_digit(png(tmp_path, pixels))


def test_blank_pictures_are_refused_whatever_their_grey(tmp_path: Path) -> None:
    for value in (0, 100, 255):
        with pytest.raises(ImageError, match="no digit to be seen"):
            read_digit(png(tmp_path, np.full((50, 60), value, np.uint8)))
