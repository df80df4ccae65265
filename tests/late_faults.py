"""Planted faults that begin late, or hide in the run that is timed: the certificate's first 100 steps are right."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.numpy.model import NumpyModel
from tasks.architecture import Parameters
from tasks.batches import Batches
from tasks.training import SGD

LATE = 100
"""The faults begin after so many steps, unless they say otherwise."""
EPOCHS, STEPS = 100, 13
"""Of the runs in which they are planted: iris in batches of 7, the last of 6."""


class Faulty(NumpyModel):
    """Right, step by step; each fault replaces a part."""

    def start(self) -> None:
        super().start()
        self.done = self.call = 0

    def train(self, batches: Batches) -> NDArray[np.float32]:
        self.call += 1
        self.long = batches.epochs * batches.examples > 1000
        losses = np.empty((batches.epochs, batches.steps), np.float32)
        for epoch in range(batches.epochs):
            for step, batch in enumerate(batches.of_epoch(epoch)):
                self.done += 1
                self.last_of_call = (epoch, step) == (batches.epochs - 1, batches.steps - 1)
                losses[epoch, step] = self.one(batch) if self.done > LATE else self.plain(batch)
        return losses

    def plain(self, batch: NDArray[np.int32]) -> float:
        return self.train_step(self.inputs[batch], self.labels[batch])

    def one(self, batch: NDArray[np.int32]) -> float:
        """A step after the first hundred."""
        return self.plain(batch)

    def without_update(self, batch: NDArray[np.int32]) -> float:
        return self.loss_and_gradients(self.inputs[batch], self.labels[batch])[0]

    @property
    def last_epoch(self) -> bool:
        return (EPOCHS - 1) * STEPS < self.done <= EPOCHS * STEPS


class SkipsEverySecondStep(Faulty):
    def one(self, batch: Any) -> float:
        return self.plain(batch) if self.done % 2 else self.without_update(batch)


class SkipsAndMakesUpLosses(Faulty):
    kept = 0.0

    def one(self, batch: Any) -> float:
        if self.done % 2:
            self.kept = self.plain(batch)
        return self.kept * 0.999


class EveryTenthGradientIsStale(Faulty):
    stale: Parameters | None = None

    def one(self, batch: Any) -> float:
        loss, gradients = self.loss_and_gradients(self.inputs[batch], self.labels[batch])
        used = self.stale if self.done % 10 == 0 and self.stale else gradients
        self.optimizer.update(self.network.parameters, used)
        self.stale = gradients
        return loss


class OneParameterIsNotTrained(Faulty):
    key = "2_dense/kernel"

    def one(self, batch: Any) -> float:
        before = self.network.parameters[self.key].copy()
        loss = self.plain(batch)
        self.network.parameters[self.key][:] = before
        return loss


class BiasIsNotTrained(OneParameterIsNotTrained):
    key = "4_dense/bias"


class WrongOnlyAboveAThousandExamples(Faulty):
    def one(self, batch: Any) -> float:
        return self.without_update(batch) if self.long and self.done % 2 else self.plain(batch)


class LearningRateDecays(Faulty):
    """By a ten-thousandth, once."""

    factor = 1 - 1e-4

    def one(self, batch: Any) -> float:
        rule = self.optimizer.rule
        before = {key: value.copy() for key, value in self.network.parameters.items()}
        loss = self.plain(batch)
        for key, value in self.network.parameters.items():
            value[:] = before[key] + np.float32(self.factor) * (value - before[key])
        assert rule is self.recipe.optimizer
        return loss


class LearningRateHalvesInTheLastEpoch(LearningRateDecays):
    @property
    def factor(self) -> float:  # type: ignore[override]
        return 0.5 if self.last_epoch else 1.0


class StateIsResetBetweenCalls(Faulty):
    def train(self, batches: Batches) -> Any:
        if self.done >= LATE:
            done, call = self.done, self.call
            self.start()
            self.done, self.call = done, call
        return super().train(batches)


class WeightDecay(Faulty):
    def one(self, batch: Any) -> float:
        for value in self.network.parameters.values():
            value *= np.float32(1 - 1e-5)
        return self.plain(batch)


class ClipsGradients(Faulty):
    def one(self, batch: Any) -> float:
        loss, gradients = self.loss_and_gradients(self.inputs[batch], self.labels[batch])
        norm = float(np.sqrt(sum((g**2).sum() for g in gradients.values())))
        factor = np.float32(min(1.0, 0.05 / norm))
        self.optimizer.update(self.network.parameters, {key: factor * g for key, g in gradients.items()})
        return loss


class ParametersAreHalved(Faulty):
    """To half precision, after each step."""

    def one(self, batch: Any) -> float:
        loss = self.plain(batch)
        for value in self.network.parameters.values():
            value[:] = value.astype(np.float16)
        return loss


class StopsEarly(Faulty):
    def one(self, batch: Any) -> float:
        return self.plain(batch) if self.done < 80 * STEPS else self.without_update(batch)


class StopsEarlyAndRepeatsItsLosses(Faulty):
    kept = 0.0

    def one(self, batch: Any) -> float:
        if self.done < 80 * STEPS:
            self.kept = self.plain(batch)
        return self.kept


class LeavesOutTheLastEpoch(Faulty):
    def one(self, batch: Any) -> float:
        return self.without_update(batch) if self.last_epoch else self.plain(batch)


class LeavesOutTheLastStepOfEachCall(Faulty):
    def one(self, batch: Any) -> float:
        return self.without_update(batch) if self.last_of_call else self.plain(batch)


class LossesAreScaled(Faulty):
    def one(self, batch: Any) -> float:
        return self.plain(batch) * 1.001


class NoisyUpdates(Faulty):
    def one(self, batch: Any) -> float:
        loss = self.plain(batch)
        random = np.random.RandomState(self.done)
        for value in self.network.parameters.values():
            value += np.float32(1e-5) * random.standard_normal(value.shape).astype(np.float32)
        return loss


class MomentumIsOff(Faulty):
    """By a thousandth of what it carries."""

    def one(self, batch: Any) -> float:
        if isinstance(self.recipe.optimizer, SGD):
            for velocity in self.optimizer.moments["velocity"].values():
                velocity *= np.float32(0.999)
        return self.plain(batch)


class KeepsMeans(NumpyModel):
    """Returns the mean loss of each epoch alone."""

    def train(self, batches: Batches) -> NDArray[np.float32]:
        return batches.epoch_means(super().train(batches)).astype(np.float32)[:, None]


def keeping_means(kind: type[NumpyModel]) -> type[NumpyModel]:
    """The same model, or fault, in a loop that keeps only the means of its epochs, as Keras's ``fit`` does."""
    return type(kind.__name__, (KeepsMeans, kind), {})


FAULTS = (
    SkipsEverySecondStep, SkipsAndMakesUpLosses, EveryTenthGradientIsStale, OneParameterIsNotTrained,
    BiasIsNotTrained, WrongOnlyAboveAThousandExamples, LearningRateDecays, LearningRateHalvesInTheLastEpoch,
    StateIsResetBetweenCalls, WeightDecay, ClipsGradients, ParametersAreHalved, StopsEarly,
    StopsEarlyAndRepeatsItsLosses, LeavesOutTheLastEpoch, LeavesOutTheLastStepOfEachCall, LossesAreScaled,
    NoisyUpdates, MomentumIsOff,
)  # fmt: skip
