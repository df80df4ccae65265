"""The losses and optimizers of tasks/training.py in JAX and optax."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from tasks.training import SGD, Loss, Optimizer


def loss_function(loss: Loss) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """The loss of a batch, from outputs (n, outputs) and labels (n,): optax's order of arguments.

    Optax's losses give a value for each example and leave the mean to the caller.
    """
    if loss == "cross_entropy":
        return lambda outputs, labels: optax.softmax_cross_entropy_with_integer_labels(outputs, labels).mean()
    if loss == "negative_log_likelihood":
        return lambda outputs, labels: -jnp.take_along_axis(outputs, labels[:, None], axis=1).mean()
    return lambda outputs, labels: jnp.sum((outputs - labels[:, None]) ** 2)


def make_optimizer(optimizer: Optimizer) -> optax.GradientTransformation:
    """Optax's optimizer: two pure functions, one that makes the state and one that turns gradients into updates.

    As in the task's rules, SGD keeps the learning rate out of the momentum, and Adam adds epsilon last.
    """
    if isinstance(optimizer, SGD):
        return optax.sgd(optimizer.learning_rate, momentum=optimizer.momentum or None)
    return optax.adam(optimizer.learning_rate, optimizer.beta_1, optimizer.beta_2, optimizer.epsilon)
