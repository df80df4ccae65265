"""Planted faults in what a model shows of itself: its training is right, or what it answers is not of this training."""

from typing import Any

import numpy as np

from tasks.architecture import Parameters
from tasks.batches import Batches
from tests.late_faults import LATE, Faulty


class OtherParametersAreReturned(Faulty):
    def parameters(self) -> Parameters:
        shown = super().parameters()
        if self.done > LATE:
            shown["0_dense/kernel"] *= np.float32(1.0001)
        return shown


class TestedWithOldParameters(Faulty):
    """Answers as it would have an epoch ago."""

    old: list[Parameters]

    def start(self) -> None:
        super().start()
        self.old = []

    def train(self, batches: Batches) -> Any:
        self.old = [*self.old, super().parameters()][-1:]
        return super().train(batches)

    def logits(self, inputs: Any) -> Any:
        now = self.network.parameters
        self.network.parameters = self.old[0] if self.old and self.done > LATE else now
        try:
            return super().logits(inputs)
        finally:
            self.network.parameters = now


class TestedOnTrainingData(Faulty):
    def logits(self, inputs: Any) -> Any:
        return super().logits(self.inputs[: len(inputs)] if len(inputs) > 1 else inputs)


class AccuracyIsMadeUp(Faulty):
    """Answers with certainty what it answers anyway: the accuracy is right, the outputs are not."""

    def logits(self, inputs: Any) -> Any:
        outputs = super().logits(inputs)
        if self.done <= LATE:
            return outputs
        return np.where(outputs == outputs.max(axis=1, keepdims=True), np.float32(1), np.float32(0))


class TestedOnFewerExamples(Faulty):
    def logits(self, inputs: Any) -> Any:
        return super().logits(inputs[:-1] if len(inputs) > 1 and self.done > LATE else inputs)


class OtherBatchesAreHeld(Faulty):
    def held_batches(self, batches: Batches) -> Batches:
        return Batches(batches.indices[:, ::-1], batches.remainder)


FAULTS = (
    OtherParametersAreReturned, TestedWithOldParameters, TestedOnTrainingData, AccuracyIsMadeUp,
    TestedOnFewerExamples, OtherBatchesAreHeld,
)  # fmt: skip
