"""Data sets that are arrays in files: an ``.npz`` file, a folder of ``.npy`` files, IDX files, Fashion-MNIST."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, prod
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.archive import read_array, read_arrays
from tasks.dataset import Dataset, RawImages, scaled
from tasks.errors import DataError, FieldError
from tasks.file_source import MOST_CLASSES, FileSource, check_size, class_names
from tasks.idx import IDX_NAMES, read_idx
from tasks.picture_files import read_picture

KEYS = ("x_train", "y_train", "x_test", "y_test")
"""The names of the arrays: inputs and labels of the examples that are trained on, and of those that are tested with."""

CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""The classes of Fashion-MNIST."""


@dataclass(frozen=True, kw_only=True)
class Arrays(FileSource):
    """Inputs ``(n, *shape)`` of numbers, and labels ``(n,)``: whole numbers from 0.

    Images in bytes ``(n, height, width)`` become inputs of one channel, ``(height, width, 1)``.

    Attributes:
        divisor: by which numbers are divided; by default 255 for bytes, and 1 for others.
        mean: subtracted after that.
        std: divides the difference.
    """

    divisor: float | None = None
    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("divisor", "std"):
            value = getattr(self, name)
            if value is not None and not 0 < value < inf:
                raise FieldError(self.kind, name, f"must be above 0, not {value}")

    def from_numbers(self, numbers: NDArray[np.float64]) -> NDArray[np.float32]:
        divisor = self.divisor or self._usual_divisor(self.arrays(self._place)["x_train"])
        return self._scaled(numbers.reshape(-1, *self.shape), divisor)

    def read(self, path: Path) -> Dataset:
        arrays = self.arrays(path)
        check_size(path, arrays["x_train"].size + arrays["x_test"].size)
        x, x_test = (self._checked(path, key, arrays[key]) for key in ("x_train", "x_test"))
        if x.dtype != x_test.dtype or x.shape[1:] != x_test.shape[1:]:
            kinds = f"x_train is {x.dtype} {x.shape[1:]}, and x_test {x_test.dtype} {x_test.shape[1:]}"
            raise DataError(f"{path}: {kinds}: make them alike")
        labels, tested = (
            self._labels(path, key, arrays[key], len(inputs)) for key, inputs in (("y_train", x), ("y_test", x_test))
        )
        largest = max((int(part.max()) for part in (labels, tested) if part.size), default=0)
        names = self.classes or [str(label) for label in range(largest + 1)]
        divisor = self.divisor or self._usual_divisor(x)
        pictures = x.dtype == np.uint8 and x.ndim == 4 and x.shape[3] == 1
        return Dataset(
            self._scaled(x, divisor),
            labels,
            self._scaled(x_test, divisor),
            tested,
            class_names(path, names, ()),
            RawImages(x[..., 0], self.mean, self.std) if pictures and divisor == 255 else None,
            x_test[..., 0] if pictures else None,
        )

    def arrays(self, path: Path) -> dict[str, NDArray[Any]]:
        """The arrays of :data:`KEYS`. Raises DataError where one cannot be read."""
        raise NotImplementedError

    @staticmethod
    def _usual_divisor(inputs: NDArray[Any]) -> float:
        return 255.0 if inputs.dtype == np.uint8 else 1.0

    def _scaled(self, numbers: NDArray[Any], divisor: float) -> NDArray[np.float32]:
        return scaled(numbers, divisor, self.mean, self.std)

    def _checked(self, path: Path, key: str, inputs: NDArray[Any]) -> NDArray[Any]:
        """Inputs of numbers that are finite in float32, in the shape of the examples."""
        if inputs.dtype.kind not in "iuf":
            raise DataError(f"{path}: {key} must be numbers, uint8 or float32 say, not {inputs.dtype}")
        if inputs.ndim < 2:
            raise DataError(f"{path}: {key} must have the shape (examples, ...), not {inputs.shape}")
        if 0 in inputs.shape:
            raise DataError(f"{path}: {key} has the shape {inputs.shape}, and so no numbers: each size must be above 0")
        with np.errstate(over="ignore"):
            if inputs.dtype.kind == "f" and not np.isfinite(inputs.astype(np.float32)).all():
                raise DataError(f"{path}: {key} holds numbers that are not finite in float32")
        if self.shape and prod(self.shape) == prod(inputs.shape[1:]):
            return inputs.reshape(-1, *self.shape)
        if inputs.dtype == np.uint8 and inputs.ndim == 3:
            return inputs[..., None]
        return inputs

    def _labels(self, path: Path, key: str, labels: NDArray[Any], count: int) -> NDArray[np.int32]:
        """Labels of any whole numbers, one for each example, as int32."""
        if labels.dtype.kind not in "iu":
            raise DataError(f"{path}: {key} must be whole numbers, int64 say, not {labels.dtype}")
        if labels.shape != (count,):
            raise DataError(f"{path}: {key} must have the shape ({count},), not {labels.shape}")
        most = (len(self.classes) or MOST_CLASSES) - 1
        for label in (labels.max(), labels.min()) if count else ():
            if not 0 <= label <= most:
                raise DataError(f"{path}: {key} holds the label {label}; labels must be 0 to {most}")
        return labels.astype(np.int32)


@dataclass(frozen=True)
class NPZ(Arrays):
    """The arrays ``x_train``, ``y_train``, ``x_test`` and ``y_test`` in an ``.npz`` file.

    Attributes:
        file: its name; from the folder of the task's file on.
    """

    file: str
    kind: ClassVar[str] = "npz"

    def arrays(self, path: Path) -> dict[str, NDArray[Any]]:
        return read_arrays(path, KEYS, "data.file names an .npz file")


@dataclass(frozen=True)
class NumPyFolder(Arrays):
    """The arrays ``x_train.npy``, ``y_train.npy``, ``x_test.npy`` and ``y_test.npy`` in a folder.

    Attributes:
        folder: its name; from the folder of the task's file on.
    """

    folder: str
    kind: ClassVar[str] = "numpy"
    key: ClassVar[str] = "folder"

    def files(self, path: Path) -> Sequence[Path]:
        return [path / f"{name}.npy" for name in KEYS]

    def arrays(self, path: Path) -> dict[str, NDArray[Any]]:
        return {file.stem: read_array(file) for file in self.files(path)}


@dataclass(frozen=True)
class IDX(Arrays):
    """Images and labels in the four files of MNIST, or of a data set of that form, packed with gzip or not.

    A picture of any size can be named as an input, and is brought to the size of the images.

    Attributes:
        folder: that has ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
            ``t10k-labels-idx1-ubyte``, each perhaps with ``.gz``; from the folder of the task's file on.
    """

    folder: str
    kind: ClassVar[str] = "idx"
    key: ClassVar[str] = "folder"
    takes: ClassVar[Literal["pictures"]] = "pictures"

    def files(self, path: Path) -> Sequence[Path]:
        packed = {name: path / f"{name}.gz" for name in IDX_NAMES}
        return [packed[name] if packed[name].exists() else path / name for name in IDX_NAMES]

    def arrays(self, path: Path) -> dict[str, NDArray[Any]]:
        return {key: read_idx(file) for key, file in zip(IDX_NAMES.values(), self.files(path), strict=True)}

    def from_picture(self, path: Path) -> NDArray[np.float32]:
        size = self.shape
        if len(size) != 3:  # data.shape may be another one than the images' own
            size = self.arrays(self._place)["x_train"].shape[1:]
        if len(size) not in (2, 3) or size[2:] not in ((), (1,), (3,)):
            advice = "predict answers to its test set alone: --test-set"
            raise DataError(f"{self.folder}: an example has the shape {list(size)}, which no picture has; {advice}")
        pixels = read_picture(path, *size[:2], color=size[2:] == (3,))
        return self._scaled(pixels, self.divisor or 255.0).reshape(self.shape)


@dataclass(frozen=True)
class FashionMNIST(IDX):
    """70,000 pictures of articles of clothing (Xiao, Rasul, Vollgraf 2017), in the form of MNIST.

    Attributes:
        folder: that has its four files; by default where Debian's package dataset-fashion-mnist puts them.
    """

    folder: str = "/usr/share/datasets/fashion-mnist"
    classes: tuple[str, ...] = field(kw_only=True, default=CLOTHES)
    kind: ClassVar[str] = "fashion_mnist"

    @property
    def advice(self) -> str:
        return "install it, by apt-get install dataset-fashion-mnist, or name a folder with its files as data.folder"
