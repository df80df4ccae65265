"""Pictures in files, PNG or JPEG: one of them, and a folder of them by class."""

import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.dataset import Dataset, scaled
from tasks.errors import DataError, FieldError
from tasks.file_source import FileSource, check_size, class_names
from tasks.files import read_regular
from tasks.split import Split

ENDINGS = (".png", ".jpg", ".jpeg")
LARGEST_PICTURE = 64_000_000
"""Bytes of a file with a picture."""
MOST_PIXELS = 50_000_000
MOST_PICTURES = 1_000_000
_ADVICE = "data.folder names a folder that has a folder for each class"


@dataclass(frozen=True)
class Pictures(Split, FileSource):
    """Pictures, PNG or JPEG, in a folder for each class; these in ``train`` and ``test`` where there are both.

    Each is turned as its EXIF data say, put on white where it is transparent, and brought to one size, bilinearly and
    without regard to its proportions. Without folders ``train`` and ``test``, a share is tested with.

    Attributes:
        folder: from the folder of the task's file on.
        height: of the network's inputs, in pixels.
        width: the same.
        color: whether inputs have the three channels red, green and blue; otherwise one, of grey values.
        mean: subtracted from ``pixels / 255``.
        std: divides the difference.
    """

    folder: str
    height: int
    width: int
    color: bool = False
    mean: float = 0.0
    std: float = 1.0
    kind: ClassVar[str] = "pictures"
    key: ClassVar[str] = "folder"
    takes: ClassVar[Literal["pictures"]] = "pictures"

    def __post_init__(self) -> None:
        Split.__post_init__(self)
        FileSource.__post_init__(self)
        for name in ("height", "width"):
            if not 1 <= getattr(self, name) <= 4096:
                raise FieldError(self.kind, name, f"must be from 1 to 4096, not {getattr(self, name)}")
        if not 0 < self.std < inf:
            raise FieldError(self.kind, "std", f"must be above 0, not {self.std}")

    def files(self, path: Path) -> Sequence[Path]:
        return [file for part in _parts(path) for _, files in _by_class(part) for file in files]

    def read(self, path: Path) -> Dataset:
        parts = [_by_class(part) for part in _parts(path)]
        found = [[name for name, _ in classes] for classes in parts]
        if found[0] != found[-1]:
            lacking = sorted(set(found[0]) ^ set(found[-1]))
            raise DataError(
                f"{path}: train and test must have the same classes; one of them lacks {', '.join(lacking)}"
            )
        count = sum(len(files) for part in parts for _, files in part)
        check_size(path, count * self.height * self.width * (3 if self.color else 1))
        names = class_names(path, found[0], self.classes)
        arrays = [self._read_part(part) for part in parts]
        if len(arrays) == 2:
            (pixels, labels), (tested, test_labels) = arrays
        else:
            train, test = self.split(count)
            (pixels, labels), (tested, test_labels) = ((arrays[0][0][at], arrays[0][1][at]) for at in (train, test))
        grey = None if self.color else tested[..., 0]
        return Dataset(self._inputs(pixels), labels, self._inputs(tested), test_labels, names, test_images=grey)

    def from_picture(self, path: Path) -> NDArray[np.float32]:
        return self._inputs(read_picture(path, self.height, self.width, color=self.color))

    def _read_part(self, classes: Sequence[tuple[str, Sequence[Path]]]) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """Pixels (n, height, width, channels), and labels (n,)."""
        labels = np.repeat(np.arange(len(classes), dtype=np.int32), [len(files) for _, files in classes])
        pixels = np.empty((len(labels), self.height, self.width, 3 if self.color else 1), np.uint8)
        for at, file in enumerate(file for _, files in classes for file in files):
            pixels[at] = read_picture(file, self.height, self.width, color=self.color)
        return pixels, labels

    def _inputs(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return scaled(pixels, 255, self.mean, self.std)


def _parts(path: Path) -> list[Path]:
    """The folders ``train`` and ``test`` of a folder, if it has both; else itself."""
    parts = [path / "train", path / "test"]
    return parts if all(part.is_dir() for part in parts) else [path]


def _by_class(path: Path) -> list[tuple[str, list[Path]]]:
    """The pictures of each class, in the order of their names."""
    names = sorted(_folders(path))
    if not names:
        raise DataError(f"{path}: has no folders; {_ADVICE}")
    if names in (["train"], ["test"]):
        rule = f"has a folder {names[0]} alone: name {path / names[0]} itself, or make both, train and test"
        raise DataError(f"{path}: {rule}")
    classes = [(name, sorted(_pictures(path / name))) for name in names]
    if sum(len(files) for _, files in classes) > MOST_PICTURES:
        raise DataError(f"{path}: more than {MOST_PICTURES:,} pictures; name a folder with fewer")
    for name, files in classes:
        if not files:
            raise DataError(f"{path / name}: has no pictures; each class has a folder with its own, .png or .jpg")
    return classes


def _folders(path: Path) -> Iterator[str]:
    try:
        for each in path.iterdir():
            if each.is_dir() and not each.name.startswith("."):
                each.name.encode()
                yield each.name
    except UnicodeEncodeError as error:
        raise DataError(f"{path}: the name of its folder {error.object!r} is not in UTF-8: rename it") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); {_ADVICE}") from error


def _pictures(path: Path) -> Iterator[Path]:
    try:
        for each in path.iterdir():
            if each.suffix.lower() in ENDINGS and not each.name.startswith("."):
                yield each
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give yourself the right to read it") from error


def read_picture(path: Path, height: int, width: int, *, color: bool) -> NDArray[np.uint8]:
    """The pixels of a picture, brought to a size: (height, width, 3), or (height, width, 1) of grey values.

    Raises:
        DataError: the file is no picture in PNG or JPEG, or is damaged.
    """
    from PIL import Image, ImageOps

    content = read_regular(path, LARGEST_PICTURE, DataError, "name a picture, .png or .jpg")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(content), formats=["PNG", "JPEG"])
            if image.size[0] * image.size[1] > MOST_PIXELS:
                raise DataError(f"{path}: a picture of {image.size[0]} x {image.size[1]} pixels, which is too large")
            turned = ImageOps.exif_transpose(image)
            if turned.has_transparency_data:
                white = Image.new("RGBA", turned.size, "white")
                turned = Image.alpha_composite(white, turned.convert("RGBA"))
            if turned.mode.startswith("I"):  # 16 bits, of which Pillow would keep the lower 8
                turned = Image.fromarray((np.asarray(turned) >> 8).astype(np.uint8))
            plain = turned.convert("RGB" if color else "L")
            if plain.size != (width, height):
                plain = plain.resize((width, height), Image.Resampling.BILINEAR)
    except DataError:
        raise
    except Exception as error:  # on foreign bytes Pillow raises a dozen kinds
        raise DataError(f"{path}: no picture in PNG or JPEG, or a damaged one") from error
    return np.asarray(plain, np.uint8).reshape(height, width, -1)
