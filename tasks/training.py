"""Losses and optimizers, described as data."""

from dataclasses import dataclass
from typing import Literal

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


Optimizer = SGD | Adam
