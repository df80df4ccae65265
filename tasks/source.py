"""Where a task's examples come from."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.dataset import Dataset, Measure
from tasks.layers import Shape


class Source(ABC):
    """Describes a data set and reads it; each kind is a frozen dataclass, whose fields are keys of a task's file."""

    kind: ClassVar[str]
    takes_file: ClassVar[bool] = False
    """Whether :meth:`load` can read another data set of the same form from a file."""
    takes: ClassVar[Literal["numbers", "digits", "pictures"]] = "numbers"
    """What a user can name as an input: the numbers of an example, by :meth:`from_numbers`; pictures of any size that
    show a digit, which become 28 x 28 pixels for :meth:`prepare`; or other pictures, by :meth:`from_picture`."""
    classes: tuple[str, ...]
    """A name for each label; none where numbers are predicted."""

    @property
    def predicts_numbers(self) -> bool:
        """Whether the labels are numbers to be predicted: a regression."""
        return False

    @property
    def measure(self) -> Measure:
        """What is measured on the test set."""
        return "r_squared" if self.predicts_numbers else "accuracy"

    @property
    @abstractmethod
    def input_shape(self) -> Shape:
        """The shape of one example; images are (height, width, channels)."""

    @abstractmethod
    def load(self, file: Path | None) -> Dataset:
        """The whole data set: its own, or that of a file.

        Raises:
            DataError: it cannot be read, or it takes no file.
        """

    def from_numbers(self, numbers: NDArray[np.float64]) -> NDArray[np.float32]:
        """The network's inputs for the numbers (n, numbers) of examples as the data have them: ``(n, *input_shape)``.

        Raises:
            DataError: the data by which they are scaled cannot be read.
        """
        return numbers.astype(np.float32).reshape(-1, *self.input_shape)

    def prepare(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network's inputs for 8-bit images (n, height, width); ``takes`` is ``digits``."""
        raise NotImplementedError(f"the inputs of {self.kind} are not made from images")

    def from_picture(self, path: Path) -> NDArray[np.float32]:
        """The network's input ``input_shape`` for a picture in a file; ``takes`` is ``pictures``.

        Raises:
            DataError: the file is no picture.
        """
        raise NotImplementedError(f"the inputs of {self.kind} are not pictures")
