"""The losses and optimizers of tasks/training.py in NumPy."""

from collections.abc import Callable
from functools import partial

import numpy as np

from backends.numpy.arrays import Array
from backends.numpy.rules import (
    AdadeltaUpdate,
    AdamUpdate,
    EpsilonInsideRMSpropUpdate,
    RateInsideSGDUpdate,
    RMSpropUpdate,
    SGDUpdate,
    Update,
)
from tasks.architecture import Parameters
from tasks.dataset import Labels
from tasks.task import Recipe
from tasks.training import (
    SGD,
    Adadelta,
    Adam,
    EpsilonInsideRMSprop,
    Optimizer,
    RateInsideSGD,
    RMSprop,
)

LossFunction = Callable[[Array, Labels], tuple[Array, Array]]


def loss_function(recipe: Recipe) -> LossFunction:
    """The function from outputs (n, outputs) and labels (n,) to the loss and its gradient for the outputs."""
    match recipe.loss:
        case "cross_entropy":
            return partial(cross_entropy, smoothing=recipe.label_smoothing)
        case "negative_log_likelihood":
            return negative_log_likelihood
        case "mean_squared_error":
            return mean_squared_error
        case "binary_cross_entropy":
            return binary_cross_entropy
    return sum_of_squared_errors


def cross_entropy(outputs: Array, labels: Labels, smoothing: float = 0.0) -> tuple[Array, Array]:
    """The mean of ``logsumexp(z) - z @ t``; its gradient is ``(softmax(z) - t) / n``.

    The targets t are ``one_hot(y)``, of which a share, ``smoothing``, is spread evenly over all classes.
    """
    n = len(outputs)
    rows = np.arange(n)
    shifted = outputs - outputs.max(axis=1, keepdims=True)  # exp never overflows
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    gradient = exponentials / sums
    gradient[rows, labels] -= 1 - smoothing
    expected = shifted[rows, labels]
    if smoothing:
        gradient -= smoothing / outputs.shape[1]
        expected = (1 - smoothing) * expected + smoothing * shifted.mean(axis=1)
    return (np.log(sums[:, 0]) - expected).mean(), gradient / n


def negative_log_likelihood(outputs: Array, labels: Labels) -> tuple[Array, Array]:
    """The mean of ``-z[y]``; its gradient is ``-one_hot(y) / n``."""
    n = len(outputs)
    rows = np.arange(n)
    gradient = np.zeros_like(outputs)
    gradient[rows, labels] = -1 / n
    return -outputs[rows, labels].mean(), gradient


def sum_of_squared_errors(outputs: Array, labels: Labels) -> tuple[Array, Array]:
    """The sum of ``(z - y)**2`` over outputs (n, 1); its gradient is ``2 (z - y)``."""
    difference = outputs - labels[:, None].astype(outputs.dtype)
    return (difference**2).sum(), 2 * difference


def mean_squared_error(outputs: Array, labels: Labels) -> tuple[Array, Array]:
    """The mean of ``(z - y)**2`` over outputs (n, 1); its gradient is ``2 (z - y) / n``."""
    difference = outputs - labels[:, None].astype(outputs.dtype)
    return (difference**2).mean(), 2 * difference / len(outputs)


def binary_cross_entropy(outputs: Array, labels: Labels) -> tuple[Array, Array]:
    """The mean of ``log(1 + exp(z)) - y z`` over logits (n, 1); its gradient is ``(sigmoid(z) - y) / n``."""
    targets = labels[:, None].astype(outputs.dtype)
    small = np.exp(-np.abs(outputs))  # exp never overflows: log(1 + exp(z)) is max(z, 0) + log(1 + exp(-|z|))
    sigmoid = np.where(outputs < 0, small, 1) / (1 + small)
    loss = np.maximum(outputs, 0) + np.log1p(small) - targets * outputs
    return loss.mean(), (sigmoid - targets) / len(outputs)


def make_optimizer(recipe: Recipe, parameters: Parameters) -> Update:
    """The optimizer with fresh state for these parameters."""
    rule = recipe.optimizer
    kinds: dict[type[Optimizer], type[Update]] = {
        RateInsideSGD: RateInsideSGDUpdate,
        SGD: SGDUpdate,
        Adam: AdamUpdate,
        EpsilonInsideRMSprop: EpsilonInsideRMSpropUpdate,
        RMSprop: RMSpropUpdate,
        Adadelta: AdadeltaUpdate,
    }
    return next(update for kind, update in kinds.items() if isinstance(rule, kind))(recipe, parameters)
