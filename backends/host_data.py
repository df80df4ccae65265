"""The training data of loops that take each batch from NumPy arrays."""

import numpy as np
from numpy.typing import NDArray

from tasks.dataset import Dataset, Labels


class HostData:
    """The training data of a loop that keeps them as NumPy arrays; comes before ``Model`` among the base classes."""

    inputs: NDArray[np.float32]
    labels: Labels

    def place(self, dataset: Dataset) -> None:
        """Keeps the training inputs (n, *input_shape) and labels (n,) as they are."""
        self.inputs, self.labels = dataset.train_inputs, dataset.train_labels

    def held_data(self) -> tuple[NDArray[np.float32], Labels]:
        """Returns the arrays that were placed, which proves nothing of what a training step gets.

        The evidence for that are the losses and the trained parameters of the certificate.
        """
        return self.inputs, self.labels
