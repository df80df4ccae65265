"""Planted faults that begin late: from some step on, training takes other examples than it should."""

from typing import Any

import numpy as np

from tasks.batches import Batches
from tests.late_faults import EPOCHS, LATE, STEPS, Faulty


class OtherOrder(Faulty):
    def train(self, batches: Batches) -> Any:
        late = self.done >= LATE
        return super().train(Batches(batches.indices[:, ::-1], batches.remainder) if late else batches)


class ReversedInLongCalls(Faulty):
    def train(self, batches: Batches) -> Any:
        long = batches.epochs > 1
        return super().train(Batches(batches.indices[:, ::-1], batches.remainder) if long else batches)


class OtherExamplesInTheLastEpoch(Faulty):
    def one(self, batch: Any) -> float:
        return self.plain((batch + 1) % len(self.labels) if self.last_epoch else batch)


class TwoLabelsSwapped(Faulty):
    def swapped(self) -> bool:
        return True

    def one(self, batch: Any) -> float:
        labels = self.labels[batch]
        if self.swapped():
            labels[[0, 1]] = labels[[1, 0]]
        return self.train_step(self.inputs[batch], labels)


class TwoLabelsSwappedInTheLastEpoch(TwoLabelsSwapped):
    def swapped(self) -> bool:
        return self.last_epoch


class OneLabelWrongInTheLastStep(TwoLabelsSwapped):
    def one(self, batch: Any) -> float:
        labels = self.labels[batch].copy()
        if self.done == EPOCHS * STEPS:
            labels[0] = (labels[0] + 1) % 3
        return self.train_step(self.inputs[batch], labels)


class RemainderIsDropped(Faulty):
    def one(self, batch: Any) -> float:
        return self.without_update(batch) if len(batch) == 6 else self.plain(batch)


class RemainderIsTrainedTwice(Faulty):
    def one(self, batch: Any) -> float:
        if len(batch) == 6:
            self.plain(batch)
        return self.plain(batch)


class RemainderIsFilledUp(Faulty):
    def one(self, batch: Any) -> float:
        return self.plain(np.append(batch, batch[:1]) if len(batch) == 6 else batch)


class OneFeatureIsLost(Faulty):
    def one(self, batch: Any) -> float:
        inputs = self.inputs[batch].copy()
        inputs[:, 1] = 0
        return self.train_step(inputs, self.labels[batch])


FAULTS = (
    OtherOrder, ReversedInLongCalls, OtherExamplesInTheLastEpoch, TwoLabelsSwapped, TwoLabelsSwappedInTheLastEpoch,
    OneLabelWrongInTheLastStep, RemainderIsDropped, RemainderIsTrainedTwice, RemainderIsFilledUp, OneFeatureIsLost,
)  # fmt: skip
