"""MNIST: handwritten digits (LeCun, Cortes, Burges), as MLP and as CNN. ``data/README.md`` has source and licence."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.architecture import sequence
from tasks.archive import read_arrays
from tasks.dataset import Dataset, RawImages
from tasks.errors import DataError
from tasks.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Softmax
from tasks.task import Preset, Recipe, Task
from tasks.training import SGD, Adam

FILE = Path(__file__).parent / "data" / "mnist.npz"
SHA256 = "ee068f36682cba7f38bafdedc77b0f873ebbcf877036f7ebde566966146ac146"
IMAGE_SHAPE = (28, 28)
CLASSES = tuple("0123456789")
MLP_SCALE, CNN_SCALE = (0.1307, 0.3081), (0.5, 0.5)
"""Mean and standard deviation by which the pixels of each task are standardized."""
_BLOCK = 10_000  # images normalised at once, which bounds the memory that preparing the data takes

_MLP = Recipe(
    architecture=sequence((28, 28, 1), (Flatten(), Dense(512), ReLU(), Dense(512), ReLU(), Dense(10))),
    loss="cross_entropy",
    optimizer=SGD(0.01, momentum=0.5),
    batch_size=64,
    epochs=5,
    shuffle=True,
    initializer="pytorch",
)
MLP_RECIPES = {
    "standard": _MLP,
    "as-written": replace(
        _MLP,
        architecture=sequence((28, 28, 1), (*_MLP.architecture.layers, Softmax())),
        loss="negative_log_likelihood",
        flaw="the network ends in a softmax, whose probabilities go into a negative log-likelihood that expects"
        " log-probabilities: the loss is -p[label], negative, and its slope, p(1-p), hardly feels what is badly wrong",
    ),
}
DENSE_RECIPES = {
    "standard": Recipe(
        architecture=sequence((28, 28, 1), (Flatten(), Dense(128), ReLU(), Dense(128), ReLU(), Dense(10))),
        loss="cross_entropy",
        optimizer=Adam(0.001),
        batch_size=32,
        epochs=3,
        shuffle=True,
        initializer="keras",
    )
}
CNN_RECIPES = {
    "standard": Recipe(
        architecture=sequence(
            (28, 28, 1), (Conv2D(32, (3, 3)), ReLU(), MaxPool2D((2, 2)), Flatten(), Dense(128), ReLU(), Dense(10))
        ),
        loss="cross_entropy",
        optimizer=SGD(0.0008, momentum=0.9),
        batch_size=32,
        epochs=10,
        shuffle=True,
        initializer="pytorch",
    )
}


def standardized(mean: float, std: float) -> Callable[[Path | None], Dataset]:
    """A loader of the digits as ``(pixels / 255 - mean) / std``, in float32 as torchvision computes it."""
    return partial(_load_standardized, mean, std)


def _load_standardized(mean: float, std: float, file: Path | None) -> Dataset:
    arrays = read_digits(file)
    return _dataset(arrays, partial(standardize, mean, std), RawImages(arrays["x_train"], mean, std))


def standardize(mean: float, std: float, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (n, 28, 28) as ``(pixels / 255 - mean) / std``, (n, 28, 28, 1)."""
    inputs = images[..., None].astype(np.float32)
    inputs /= np.float32(255)
    inputs -= np.float32(mean)
    inputs /= np.float32(std)
    return inputs


def load_unit_columns(file: Path | None) -> Dataset:
    """The digits with :func:`unit_columns`."""
    return _dataset(read_digits(file), unit_columns, None)


def unit_columns(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (n, 28, 28) with columns at Euclidean length 1, as ``keras.utils.normalize(images, axis=1)``."""
    inputs = np.empty((*images.shape, 1), np.float32)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK].astype(np.float64)
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
        inputs[start : start + _BLOCK, ..., 0] = block / np.where(lengths == 0, 1, lengths)
    return inputs


def _dataset(
    arrays: dict[str, NDArray[np.uint8]],
    normalize: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    raw_images: RawImages | None,
) -> Dataset:
    return Dataset(
        normalize(arrays["x_train"]),
        arrays["y_train"].astype(np.int32),
        normalize(arrays["x_test"]),
        arrays["y_test"].astype(np.int32),
        CLASSES,
        raw_images,
        arrays["x_test"],
    )


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


MNIST_MLP = Task(
    name="mnist-mlp",
    summary="MNIST, two hidden layers of 512, SGD",
    recipes=MLP_RECIPES,
    target_accuracy=0.95,
    load=standardized(*MLP_SCALE),
    classes=CLASSES,
    quick=Preset(3, 12_000, learning_rate=0.05),
    prepare=partial(standardize, *MLP_SCALE),
    accepts_file=True,
)
MNIST_DENSE = Task(
    name="mnist-dense",
    summary="MNIST, two hidden layers of 128, Adam",
    recipes=DENSE_RECIPES,
    target_accuracy=0.95,
    load=load_unit_columns,
    classes=CLASSES,
    quick=Preset(3, 12_000),
    prepare=unit_columns,
    accepts_file=True,
)
MNIST_CNN = Task(
    name="mnist-cnn",
    summary="MNIST, one convolution of 32 filters, SGD",
    recipes=CNN_RECIPES,
    target_accuracy=0.97,
    load=standardized(*CNN_SCALE),
    classes=CLASSES,
    quick=Preset(3, 8_000, learning_rate=0.01),
    prepare=partial(standardize, *CNN_SCALE),
    accepts_file=True,
)
