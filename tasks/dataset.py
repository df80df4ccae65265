"""Data sets: examples ready for training, and what they were made from."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tasks.reproducible import sha256_of
from tasks.training import Loss

Measure = Literal["accuracy", "r_squared"]
"""What is measured on the test set: the share of the labels that is right, or R² of numbers that are predicted."""
Labels: TypeAlias = NDArray[np.int32 | np.float32]
"""``(n,)``: of each example the index of its class, int32; or the number to be predicted, float32."""


@dataclass(frozen=True)
class RawImages:
    """The training images before normalisation, for input pipelines that normalise as they go.

    Attributes:
        images: uint8, ``(n, height, width)``.
        mean: subtracted from ``images / 255``.
        std: divides the difference.
    """

    images: NDArray[np.uint8]
    mean: float
    std: float


@dataclass(frozen=True)
class Dataset:
    """Examples ready for training.

    Attributes:
        train_inputs: float32, ``(n, *input_shape)``; images NHWC.
        train_labels: ``(n,)``, see :data:`Labels`.
        test_inputs: float32, ``(m, *input_shape)``.
        test_labels: ``(m,)``.
        classes: a name for each label; none where numbers are predicted.
        raw_images: the images that ``train_inputs`` were normalised from; None where the inputs are plain numbers.
        test_images: uint8, ``(m, height, width)``, that ``test_inputs`` were normalised from; None as before.
    """

    train_inputs: NDArray[np.float32]
    train_labels: Labels
    test_inputs: NDArray[np.float32]
    test_labels: Labels
    classes: tuple[str, ...]
    raw_images: RawImages | None = None
    test_images: NDArray[np.uint8] | None = None

    def first(self, trained: int, tested: int) -> "Dataset":
        """The first so many of the training and of the test examples."""
        raw = self.raw_images
        return replace(
            self,
            train_inputs=self.train_inputs[:trained],
            train_labels=self.train_labels[:trained],
            test_inputs=self.test_inputs[:tested],
            test_labels=self.test_labels[:tested],
            raw_images=None if raw is None else replace(raw, images=raw.images[:trained]),
            test_images=None if self.test_images is None else self.test_images[:tested],
        )

    @property
    def measure(self) -> Measure:
        """What is measured on the test set."""
        return "r_squared" if self.test_labels.dtype.kind == "f" else "accuracy"

    @cached_property
    def train_sha256(self) -> str:
        """The hash of the training inputs and labels."""
        return sha256_of({"inputs": self.train_inputs, "labels": self.train_labels})


def scaled(numbers: NDArray[Any], divisor: float, mean: float, std: float) -> NDArray[np.float32]:
    """``(numbers / divisor - mean) / std`` in float32, in this order, as torchvision computes it."""
    inputs = numbers.astype(np.float32)
    inputs /= np.float32(divisor)
    inputs -= np.float32(mean)
    inputs /= np.float32(std)
    return inputs


def predicted_labels(outputs: NDArray[np.floating], loss: Loss, measure: Measure) -> NDArray[Any]:
    """The labels (n,) that outputs (n, outputs) of a network trained with this loss stand for.

    Args:
        outputs: of the network.
        loss: with which it was trained.
        measure: of the data. Numbers that are predicted are the outputs. Classes are int64: the largest output tells
            which; a single one, by whether it exceeds 1/2, or 0, if it is the logit of a binary cross-entropy.
    """
    if measure == "r_squared":
        return outputs[:, 0]
    threshold = 0.0 if loss == "binary_cross_entropy" else 0.5
    return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > threshold).astype(np.int64)


def score(predicted: NDArray[Any], labels: Labels) -> float:
    """How good predictions (n,) are: the share of the labels that is right; of numbers, R² by :func:`r_squared`."""
    return r_squared(predicted, labels) if labels.dtype.kind == "f" else float((predicted == labels).mean())


def r_squared(predicted: NDArray[Any], labels: Labels) -> float:
    """The coefficient of determination: 1 - sum((y - predicted)²) / sum((y - mean(y))²).

    1 where all predictions are right, 0 where they are as good as the mean of the labels, below it where they are
    worse; minus infinity where one is not finite, and, as scikit-learn has it, 1 or 0 where all labels are equal.
    """
    wanted = labels.astype(np.float64)
    with np.errstate(all="ignore"):
        missed = float(np.square(wanted - predicted).sum())
    spread = float(np.square(wanted - wanted.mean()).sum())
    if not np.isfinite(missed):
        return -np.inf
    return 1 - missed / spread if spread else float(missed == 0)
