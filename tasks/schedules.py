"""Schedules of the learning rate, described as data: by which factor it is multiplied at each step of a run."""

from dataclasses import dataclass
from math import inf
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tasks.errors import FieldError


@dataclass(frozen=True)
class Constant:
    """The same learning rate throughout: the factor is 1."""

    def factors(self, steps: int, steps_an_epoch: int) -> NDArray[np.float64]:
        """``(steps,)``: the factor of each step of a run."""
        return np.ones(steps)


CONSTANT = Constant()


@dataclass(frozen=True)
class StepDecay:
    """After every so many epochs the rate is multiplied by gamma: ``gamma ** (step // (epochs * steps_an_epoch))``.

    Steps count from 0, as in torch's ``StepLR``.
    """

    gamma: float
    epochs: int = 1

    def __post_init__(self) -> None:
        _need(0, self, gamma=self.gamma)
        _need(1, self, epochs=self.epochs)

    def factors(self, steps: int, steps_an_epoch: int) -> NDArray[np.float64]:
        """``(steps,)``: the factor of each step of a run."""
        return np.power(float(self.gamma), np.arange(steps) // (self.epochs * steps_an_epoch))


@dataclass(frozen=True)
class Exponential:
    """The rate falls a little at each step, by gamma in an epoch: ``gamma ** (step / steps_an_epoch)``, step from 0."""

    gamma: float

    def __post_init__(self) -> None:
        _need(0, self, gamma=self.gamma)

    def factors(self, steps: int, steps_an_epoch: int) -> NDArray[np.float64]:
        """``(steps,)``: the factor of each step of a run."""
        return np.power(float(self.gamma), np.arange(steps) / steps_an_epoch)


@dataclass(frozen=True)
class Cosine:
    """The rate falls from 1 towards ``end`` along half a cosine over the whole run, step from 0:

    ``end + (1 - end) * (1 + cos(pi * step / steps)) / 2`` (Loshchilov and Hutter 2017, without restarts). After the
    last step it would be ``end``.
    """

    end: float = 0.0

    def __post_init__(self) -> None:
        _need(0, self, end=self.end)

    def factors(self, steps: int, steps_an_epoch: int) -> NDArray[np.float64]:
        """``(steps,)``: the factor of each step of a run."""
        return self.end + (1 - self.end) * (1 + np.cos(np.pi * np.arange(steps) / steps)) / 2


@dataclass(frozen=True)
class Warmup:
    """The rate rises evenly over the first epochs, then another schedule begins as if the run began there.

    Step ``i`` (from 0) of ``n`` rising ones has the factor ``(i + 1) / n``: the first is not 0, the last is 1.
    """

    epochs: float
    then: "Schedule" = CONSTANT

    def __post_init__(self) -> None:
        _need(0, self, epochs=self.epochs)

    def factors(self, steps: int, steps_an_epoch: int) -> NDArray[np.float64]:
        """``(steps,)``: the factor of each step of a run."""
        rising = min(round(self.epochs * steps_an_epoch), steps)
        after = self.then.factors(steps - rising, steps_an_epoch)
        return np.concatenate([np.arange(1, rising + 1) / max(rising, 1), after])


def _need(least: float, schedule: object, **values: float) -> None:
    for name, value in values.items():
        if not least <= value < inf:
            raise FieldError(type(schedule).__name__, name, f"must be at least {least}, not {value}")


Schedule: TypeAlias = Constant | StepDecay | Exponential | Cosine | Warmup
