"""The losses and optimizers of tasks/training.py in JAX and optax."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from tasks.task import Recipe
from tasks.training import SGD, Adam, AdamW, EpsilonInsideRMSprop, RMSprop


def loss_function(recipe: Recipe) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """The loss of a batch, from outputs (n, outputs) and labels (n,): optax's order of arguments.

    Optax's losses give a value for each example and leave the mean to the caller.
    """
    match recipe.loss:
        case "cross_entropy" if recipe.label_smoothing:
            return lambda outputs, labels: optax.softmax_cross_entropy(
                outputs, optax.smooth_labels(jax.nn.one_hot(labels, outputs.shape[1]), recipe.label_smoothing)
            ).mean()
        case "cross_entropy":
            return lambda outputs, labels: optax.softmax_cross_entropy_with_integer_labels(outputs, labels).mean()
        case "negative_log_likelihood":
            return lambda outputs, labels: -jnp.take_along_axis(outputs, labels[:, None], axis=1).mean()
        case "binary_cross_entropy":
            return lambda outputs, labels: optax.sigmoid_binary_cross_entropy(outputs[:, 0], labels).mean()
        case "mean_squared_error":
            return lambda outputs, labels: optax.squared_error(outputs[:, 0], labels.astype(outputs.dtype)).mean()
    return lambda outputs, labels: jnp.sum((outputs - labels[:, None]) ** 2)


def make_optimizer(recipe: Recipe) -> optax.GradientTransformation:
    """Optax's optimizer: two pure functions, one that makes the state and one that turns gradients into updates.

    As in the task's rules, SGD keeps the learning rate out of the momentum, and Adam adds epsilon last. Clipping and
    coupled weight decay are links of the chain before the rule.
    """
    rule, rate = recipe.optimizer, _learning_rate(recipe)
    mask = None if recipe.decays_all else _kernels
    chain = [] if recipe.clip_norm is None else [optax.clip_by_global_norm(recipe.clip_norm)]
    if rule.weight_decay and not rule.decoupled:
        chain.append(optax.add_decayed_weights(rule.weight_decay, mask))
    if isinstance(rule, SGD):
        chain.append(optax.sgd(rate, rule.momentum or None, rule.nesterov))
    elif isinstance(rule, AdamW):
        betas = rule.beta_1, rule.beta_2
        chain.append(optax.adamw(rate, *betas, rule.epsilon, weight_decay=rule.weight_decay, mask=mask))
    elif isinstance(rule, Adam):
        chain.append(optax.adam(rate, rule.beta_1, rule.beta_2, rule.epsilon))
    elif isinstance(rule, EpsilonInsideRMSprop):
        chain.append(optax.rmsprop(rate, rule.decay, rule.epsilon, momentum=rule.momentum or None))
    elif isinstance(rule, RMSprop):
        # optax.rmsprop has the learning rate inside the momentum: the same while the rate is constant.
        chain.append(optax.scale_by_rms(rule.decay, rule.epsilon, eps_in_sqrt=False))
        chain += [optax.trace(rule.momentum)] if rule.momentum else []
        chain.append(optax.scale_by_learning_rate(rate))
    else:
        chain.append(optax.adadelta(rate, rule.decay, rule.epsilon))
    return chain[0] if len(chain) == 1 else optax.chain(*chain)


def _learning_rate(recipe: Recipe) -> float | Callable[[Any], jax.Array]:
    """The learning rate; or, where it follows a schedule, a function from the steps so far to that of the next one."""
    if recipe.learning_rates is None:
        return recipe.optimizer.learning_rate
    rates = jnp.asarray(recipe.learning_rates)
    return lambda steps: rates[jnp.minimum(steps, len(rates) - 1)]


def _kernels(parameters: Any) -> Any:
    """Which of the parameters are kernels, in their own tree; optax decays all others too, if it is not told."""
    return jax.tree_util.tree_map_with_path(lambda path, _: _name(path) == "kernel", parameters)


def _name(path: tuple[Any, ...]) -> str:
    """The name of a parameter in its layer: of the keys on the way to it, the last that is a text."""
    keys = [getattr(key, "key", getattr(key, "name", None)) for key in path]
    return [key for key in keys if isinstance(key, str) and key != "value"][-1]
