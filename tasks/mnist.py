"""MNIST: handwritten digits (LeCun, Cortes, Burges). ``data/README.md`` has source and licence."""

import hashlib
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.archive import read_arrays
from tasks.dataset import Dataset, RawImages, scaled
from tasks.errors import DataError, FieldError
from tasks.layers import Shape
from tasks.source import Source

FILE = Path(__file__).parent / "data" / "mnist.npz"
SHA256 = "ee068f36682cba7f38bafdedc77b0f873ebbcf877036f7ebde566966146ac146"
IMAGE_SHAPE = (28, 28)
CLASSES = tuple("0123456789")
_BLOCK = 10_000  # images normalised at once, which bounds the memory that preparing the data takes


@dataclass(frozen=True)
class MNIST(Source):
    """The 60,000 digits to train on and the 10,000 to test with, or those of a file of the same form.

    Attributes:
        mean: subtracted from ``pixels / 255``.
        std: divides the difference.
        unit_columns: whether, in place of that, the columns of each image are brought to the length 1
            (:func:`unit_columns`).
    """

    mean: float = 0.0
    std: float = 1.0
    unit_columns: bool = False
    kind: ClassVar[str] = "mnist"
    takes_file: ClassVar[bool] = True
    takes: ClassVar[Literal["digits"]] = "digits"
    classes = CLASSES

    def __post_init__(self) -> None:
        if not 0 < self.std < inf:
            raise FieldError(self.kind, "std", f"must be above 0, not {self.std}")
        if self.unit_columns and (self.mean, self.std) != (0.0, 1.0):
            raise FieldError(self.kind, "unit_columns", "goes without mean and std")

    @property
    def input_shape(self) -> Shape:
        return (*IMAGE_SHAPE, 1)

    def load(self, file: Path | None) -> Dataset:
        arrays = read_digits(file)
        return Dataset(
            self.prepare(arrays["x_train"]),
            arrays["y_train"].astype(np.int32),
            self.prepare(arrays["x_test"]),
            arrays["y_test"].astype(np.int32),
            self.classes,
            None if self.unit_columns else RawImages(arrays["x_train"], self.mean, self.std),
            arrays["x_test"],
        )

    def prepare(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network's inputs (n, 28, 28, 1) for images (n, 28, 28)."""
        return unit_columns(images) if self.unit_columns else standardize(self.mean, self.std, images)


def standardize(mean: float, std: float, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (n, 28, 28) as ``(pixels / 255 - mean) / std``, (n, 28, 28, 1), in float32 as torchvision computes it."""
    return scaled(images[..., None], 255, mean, std)


def unit_columns(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (n, 28, 28) with columns at Euclidean length 1, as ``keras.utils.normalize(images, axis=1)``."""
    inputs = np.empty((*images.shape, 1), np.float32)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK].astype(np.float64)
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
        inputs[start : start + _BLOCK, ..., 0] = block / np.where(lengths == 0, 1, lengths)
    return inputs


def read_digits(file: Path | None = None) -> dict[str, NDArray[np.uint8]]:
    """Reads and checks the images and labels.

    Args:
        file: an ``.npz`` with the keys and shapes of MNIST's (Fashion-MNIST, say); None for MNIST itself. Labels may be
            whole numbers of any type, and images may have an axis for their one channel.

    Returns:
        uint8 arrays ``x_train`` (n, 28, 28), ``y_train`` (n,), ``x_test`` (m, 28, 28), ``y_test`` (m,).

    Raises:
        DataError: the file is missing, damaged, or holds something else.
    """
    if file is None:
        with FILE.open("rb") as own:
            if hashlib.file_digest(own, "sha256").hexdigest() != SHA256:
                raise DataError(f"{FILE}: the checksum is wrong; reinstall sidebyside")
    elif not str(file).isprintable():
        raise DataError(f"{str(file)!r}: the name holds bytes that are not UTF-8; rename the file")
    path = FILE if file is None else file
    arrays = read_arrays(path, ("x_train", "y_train", "x_test", "y_test"))
    for part in ("train", "test"):
        images, labels = f"x_{part}", f"y_{part}"
        arrays[images] = _checked_images(path, images, arrays[images])
        arrays[labels] = _checked_labels(path, labels, arrays[labels], len(arrays[images]))
    return arrays


def _checked_images(path: Path, key: str, images: NDArray[Any]) -> NDArray[np.uint8]:
    """The images without an axis for their one channel."""
    if images.dtype != np.uint8:
        raise DataError(f"{path}: {key} must be uint8, not {images.dtype}")
    if images.shape[1:] in ((*IMAGE_SHAPE, 1), (1, *IMAGE_SHAPE)):
        images = images.reshape(-1, *IMAGE_SHAPE)
    if images.shape[1:] != IMAGE_SHAPE or len(images) == 0:
        raise DataError(f"{path}: {key} must have shape (n, 28, 28), not {images.shape}")
    return images


def _checked_labels(path: Path, key: str, labels: NDArray[Any], count: int) -> NDArray[np.uint8]:
    """The labels, whole numbers of any type, as bytes."""
    if labels.dtype.kind not in "iu":
        raise DataError(f"{path}: {key} must be whole numbers, uint8 or int64 say, not {labels.dtype}")
    if labels.shape != (count,):
        raise DataError(f"{path}: {key} must have shape ({count},), not {labels.shape}")
    for label in (labels.max(), labels.min()):
        if not 0 <= label <= 9:
            raise DataError(f"{path}: {key} holds the label {label}; labels must be 0 to 9")
    return labels.astype(np.uint8)
