"""Planted faults of training: each differs in one part of a step from what the recipe says, as ports of models do."""

from dataclasses import replace
from typing import Any

import numpy as np

from backends.base import Dtype
from backends.numpy.model import NumpyModel
from backends.numpy.rules import AdadeltaUpdate, RMSpropUpdate, SGDUpdate, clipped
from tasks.architecture import Parameters
from tasks.schedules import CONSTANT
from tasks.task import Recipe
from tasks.training import Adam


def other(*, optimizer: dict[str, Any] | None = None, **recipe: Any) -> type[NumpyModel]:
    """A model of a recipe that differs in these fields, and its optimizer in those."""

    class Other(NumpyModel):
        def __init__(self, right: Recipe, parameters: Parameters, device: str, dtype: Dtype) -> None:
            rule = replace(right.optimizer, **(optimizer or {}))
            super().__init__(replace(right, optimizer=rule, **recipe), parameters, device, dtype)

    return Other


class CoupledForDecoupled(NumpyModel):
    """As Adam(weight_decay) in torch for AdamW."""

    def __init__(self, recipe: Recipe, parameters: Parameters, device: str, dtype: Dtype) -> None:
        rule = recipe.optimizer
        assert isinstance(rule, Adam)
        coupled = Adam(rule.learning_rate, rule.beta_1, rule.beta_2, rule.epsilon, rule.weight_decay)
        super().__init__(replace(recipe, optimizer=coupled), parameters, device, dtype)


class DecayOnBiases(NumpyModel):
    def start(self) -> None:
        super().start()
        self.optimizer.decay = lambda key: self.optimizer.rule.weight_decay  # type: ignore[method-assign]


class ScheduleOneStepAhead(NumpyModel):
    def start(self) -> None:
        super().start()
        self.optimizer.steps = 1


class ScheduleOneStepLate(NumpyModel):
    def start(self) -> None:
        super().start()
        rates = self.recipe.learning_rates
        assert rates is not None
        late = [rates[0], *rates]
        self.optimizer.learning_rate = (  # type: ignore[method-assign]
            lambda: float(late[min(self.optimizer.steps, len(late) - 1)])
        )


class ClippedOneByOne(NumpyModel):
    """As Keras's clipnorm."""

    def train_step(self, inputs: Any, labels: Any) -> float:
        loss, gradients = self.loss_and_gradients(inputs, labels)
        norm = self.recipe.clip_norm
        assert norm is not None
        each = {key: clipped({key: g}, norm)[key] for key, g in gradients.items()}
        self.optimizer.update(self.network.parameters, each)
        return loss


class ClippedAfterDecay(NumpyModel):
    """As a loop that adds the decay to the loss."""

    def train_step(self, inputs: Any, labels: Any) -> float:
        loss, gradients = self.loss_and_gradients(inputs, labels)
        parameters, decay = self.network.parameters, self.optimizer.decay
        with_decay = {key: g + decay(key) * parameters[key] for key, g in gradients.items()}
        assert self.recipe.clip_norm is not None
        right = clipped(with_decay, self.recipe.clip_norm)
        self.optimizer.decay = lambda key: 0.0  # type: ignore[method-assign]
        self.optimizer.update(parameters, right)
        self.optimizer.decay = decay  # type: ignore[method-assign]
        return loss


class _RateInside(SGDUpdate):
    """As Keras's SGD: the velocity keeps the learning rates of the steps that it was made of."""

    def direction(self, key: str, g: Any) -> Any:
        rates = self.recipe.learning_rates
        assert rates is not None
        now = np.float32(rates[min(self.steps - 1, len(rates) - 1)])
        velocity, momentum = self.moments["velocity"][key], np.float32(self.rule.momentum)
        velocity *= momentum
        velocity += now * g
        return (now * g + momentum * velocity) / now if self.rule.nesterov else velocity / now


class RateInsideMomentum(NumpyModel):
    def start(self) -> None:
        self.optimizer = _RateInside(self.recipe, self.network.parameters)


class _EpsilonInside(RMSpropUpdate):
    def direction(self, key: str, g: Any) -> Any:
        square = self.moments["square_average"][key]
        square[:] = self.rule.decay * square + (1 - self.rule.decay) * g * g
        velocity = self.moments["velocity"][key]
        velocity[:] = self.rule.momentum * velocity + g / np.sqrt(square + self.rule.epsilon)
        return velocity


class RMSpropEpsilonInside(NumpyModel):
    """As Keras's and optax's RMSprop."""

    def start(self) -> None:
        self.optimizer = _EpsilonInside(self.recipe, self.network.parameters)


class _UpdatesFirst(AdadeltaUpdate):
    def direction(self, key: str, g: Any) -> Any:
        d = super().direction(key, g)
        self.moments["update_average"][key] *= 0
        return d


class AdadeltaWithoutUpdates(NumpyModel):
    """The running mean of the updates' squares stays 0."""

    def start(self) -> None:
        self.optimizer = _UpdatesFirst(self.recipe, self.network.parameters)


FIRST = "0_dense/kernel after 1 steps"
TEN = "mean losses up to step 10"
FAULTS: dict[str, tuple[str, type[NumpyModel], str]] = {
    # what is wrong: the sample it is planted in, the model, the first quantity that must be named
    "momentum inverted": ("sgd", other(optimizer={"momentum": 0.1}), FIRST),
    "plain momentum for Nesterov's": ("sgd", other(optimizer={"nesterov": False}), FIRST),
    "rate inside the momentum": ("sgd", RateInsideMomentum, TEN),
    "schedule a step ahead": ("sgd", ScheduleOneStepAhead, FIRST),
    "schedule a step late": ("sgd", ScheduleOneStepLate, TEN),
    "no schedule": ("sgd", other(schedule=CONSTANT), FIRST),
    "decay on biases": ("sgd", DecayOnBiases, "0_dense/bias after 1 steps"),
    "no decay": ("sgd", other(optimizer={"weight_decay": 0.0}), FIRST),
    "clipped one by one": ("sgd", ClippedOneByOne, FIRST),
    "clipped after the decay": ("sgd", ClippedAfterDecay, FIRST),
    "not clipped": ("sgd", other(clip_norm=None), FIRST),
    "no label smoothing": ("sgd", other(label_smoothing=0.0), "loss"),
    "decay coupled": ("adamw", CoupledForDecoupled, FIRST),
    "AdamW's decay on biases": ("adamw", DecayOnBiases, "0_dense/bias after 1 steps"),
    "AdamW's epsilon 1e-7": ("adamw", other(optimizer={"epsilon": 1e-7}), FIRST),
    "RMSprop's epsilon inside the root": ("rmsprop", RMSpropEpsilonInside, FIRST),
    "RMSprop's decay inverted": ("rmsprop", other(optimizer={"decay": 0.1}), FIRST),
    "a sum for the mean": ("adadelta", other(loss="sum_of_squared_errors"), "loss"),
    "Adadelta's epsilon 1e-7": ("adadelta", other(optimizer={"epsilon": 1e-7}), FIRST),
    "Adadelta's decay 0.95": ("adadelta", other(optimizer={"decay": 0.95}), FIRST),
    "Adadelta without the mean of its updates": ("adadelta", AdadeltaWithoutUpdates, TEN),
}
