"""Losses and optimizers, described as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tasks.architecture import Parameters

Loss = Literal["cross_entropy", "negative_log_likelihood", "sum_of_squared_errors"]
"""The loss of a batch, from the network's outputs ``z`` (n, outputs) and the labels ``y`` (n,).

``cross_entropy``: the mean of ``logsumexp(z) - z[y]``: z are logits.
``negative_log_likelihood``: the mean of ``-z[y]``: z should be log-probabilities.
``sum_of_squared_errors``: the sum of ``(z - y)**2``, for one output.
"""


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum: ``v = momentum * v + g; p -= learning_rate * v``."""

    learning_rate: float
    momentum: float = 0.0

    @property
    def moments(self) -> tuple[str, ...]:
        """What it carries from step to step for each parameter: ``v``, if there is momentum."""
        return ("velocity",) if self.momentum else ()


@dataclass(frozen=True)
class Adam:
    """Adam as in Kingma and Ba (2015), algorithm 1: epsilon is added to the bias-corrected root.

    ``m = beta_1 m + (1 - beta_1) g; v = beta_2 v + (1 - beta_2) g**2;``
    ``p -= learning_rate * (m / (1 - beta_1**t)) / (sqrt(v / (1 - beta_2**t)) + epsilon)``
    """

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    @property
    def moments(self) -> tuple[str, ...]:
        """What it carries from step to step for each parameter: ``m`` and ``v``."""
        return ("first_moment", "second_moment")


Optimizer = SGD | Adam

OptimizerState: TypeAlias = dict[str, NDArray[Any]]
"""What an optimizer carries from step to step, as in the formulas above: ``velocity/0_dense/kernel`` and so on, in the
parameters' canonical layout; and for Adam ``steps``, the number ``t`` of steps so far."""


def make_state(optimizer: Optimizer, moments: Sequence[Parameters], steps: int) -> OptimizerState:
    """The state in its canonical form, from the moments in the optimizer's order, and the number of steps."""
    pairs = zip(optimizer.moments, moments, strict=True)
    state = {f"{name}/{key}": array for name, parameters in pairs for key, array in parameters.items()}
    return state | {"steps": np.array(steps, np.int64)} if isinstance(optimizer, Adam) else state
