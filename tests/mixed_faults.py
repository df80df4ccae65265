"""Planted faults for the loops of any framework: each is put before the framework's own class, like a copy with a slip.

They begin late, or only in long calls: the certificate's first hundred steps are right.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.batches import Batches
from tasks.dataset import Dataset
from tests.late_faults import LATE

EPOCHS, STEPS = 30, 13
"""Of the runs in which they are planted: iris in batches of 7, the last of 6."""


class Undisturbed:
    """The framework's loop as it is; counts its steps."""

    done = 0

    def start(self: Any) -> None:
        super().start()  # type: ignore[misc]
        self.done = 0

    def train(self, batches: Batches) -> NDArray[np.float32]:
        losses: NDArray[np.float32] = super().train(batches)  # type: ignore[misc]
        self.done += batches.epochs * batches.steps
        return losses


class SkipsEverySecondStepOfLongCalls(Undisturbed):
    """And makes up the losses: twice as fast."""

    def train(self, batches: Batches) -> NDArray[np.float32]:
        if batches.epochs == 1:
            return super().train(batches)
        losses = super().train(Batches(np.ascontiguousarray(batches.indices[:, ::2]), batches.remainder))
        return losses if losses.shape[1] == 1 else np.repeat(losses, 2, axis=1)[:, : batches.steps]


class OtherOrder(Undisturbed):
    """Of the batches of each epoch that begins after the first hundred steps."""

    def train(self, batches: Batches) -> NDArray[np.float32]:
        late = [self.done + epoch * batches.steps >= LATE for epoch in range(batches.epochs)]
        indices = np.where(np.array(late)[:, None, None], batches.indices[:, ::-1], batches.indices)
        return super().train(Batches(indices, batches.remainder))


class TwoLabelsSwappedInTheLastEpoch(Undisturbed):
    def place(self: Any, dataset: Dataset) -> None:
        self.given = dataset
        super().place(dataset)  # type: ignore[misc]

    def train(self: Any, batches: Batches) -> NDArray[np.float32]:
        if self.done < (EPOCHS - 1) * STEPS:
            return super().train(batches)
        labels = self.given.train_labels.copy()
        first = int(np.argmax(labels != labels[0]))
        labels[[0, first]] = labels[[first, 0]]
        super().place(replace(self.given, train_labels=labels))  # type: ignore[misc]
        return super().train(batches)


class TestedOnWholeBatches(Undisturbed):
    """The examples that fill no batch of 32 are left out of the test, as of 10,000 images the last 16 would be."""

    def logits(self, inputs: Any) -> Any:
        whole = len(inputs) // 32 * 32
        return super().logits(inputs[:whole] if self.done > LATE and whole else inputs)  # type: ignore[misc]


FAULTS = (
    SkipsEverySecondStepOfLongCalls, OtherOrder, TwoLabelsSwappedInTheLastEpoch, TestedOnWholeBatches,
)  # fmt: skip
