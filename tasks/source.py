"""Where a task's examples come from."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tasks.dataset import Dataset
from tasks.layers import Shape


class Source(ABC):
    """Describes a data set and reads it; each kind is a frozen dataclass, whose fields are keys of a task's file."""

    kind: ClassVar[str]
    takes_file: ClassVar[bool] = False
    """Whether :meth:`load` can read another data set of the same form from a file."""
    takes_images: ClassVar[bool] = False
    """Whether its inputs are made from 8-bit images, by :meth:`prepare`."""
    classes: tuple[str, ...]
    """A name for each label."""

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

    def prepare(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network's inputs for 8-bit images (n, height, width), where :attr:`takes_images`."""
        raise NotImplementedError(f"the inputs of {self.kind} are not made from images")
