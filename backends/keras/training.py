"""The losses and optimizers of tasks/training.py in Keras."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from backends.keras.network import Network, to_canonical
from tasks.task import Recipe
from tasks.training import (
    OF_CLASSES,
    SGD,
    Adam,
    EpsilonHatAdam,
    EpsilonInsideRMSprop,
    OptimizerState,
    RateInsideSGD,
    RMSprop,
)


def loss_function(recipe: Recipe) -> Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]:
    """The loss of a batch, from outputs (n, outputs) and labels (n,). Keras's own order is labels, outputs."""
    match recipe.loss:
        case "cross_entropy" if recipe.label_smoothing:
            share = recipe.label_smoothing

            def smoothed(outputs: keras.KerasTensor, labels: keras.KerasTensor) -> keras.KerasTensor:
                classes = outputs.shape[1]
                targets = ops.one_hot(labels, classes, dtype=outputs.dtype) * (1 - share) + share / classes
                return ops.mean(ops.categorical_crossentropy(targets, _as_logits(outputs), from_logits=True))

            return smoothed
        case "cross_entropy":
            return lambda outputs, labels: ops.mean(
                ops.sparse_categorical_crossentropy(labels, _as_logits(outputs), from_logits=True)
            )
        case "negative_log_likelihood":
            return lambda outputs, labels: -ops.mean(ops.take_along_axis(outputs, labels[:, None], axis=1))
        case "binary_cross_entropy":
            return lambda outputs, labels: ops.mean(
                ops.binary_crossentropy(_column(labels, outputs), _as_logits(outputs), from_logits=True)
            )
    reduce = ops.mean if recipe.loss == "mean_squared_error" else ops.sum
    return lambda outputs, labels: reduce(ops.square(outputs - _column(labels, outputs)))


def _loss_for_fit(recipe: Recipe) -> Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]:
    """The loss in Keras's order; ``fit`` makes the labels floats, (n,) or (n, 1)."""
    loss = loss_function(recipe)

    def loss_in_fit(labels: keras.KerasTensor, outputs: keras.KerasTensor) -> keras.KerasTensor:
        labels = ops.reshape(labels, [-1])
        return loss(outputs, ops.cast(labels, "int32") if recipe.loss in OF_CLASSES else labels)

    return loss_in_fit


def _as_logits(outputs: keras.KerasTensor) -> keras.KerasTensor:
    """The outputs, without what Keras notes on those of a softmax.

    Its cross-entropy would go back to the logits before that softmax: the ``as-written`` recipe would come out right.
    """
    return outputs + 0


def _column(labels: keras.KerasTensor, outputs: keras.KerasTensor) -> keras.KerasTensor:
    """Labels (n,) as numbers (n, 1) of the outputs' type."""
    return ops.cast(labels[:, None], outputs.dtype)


def make_optimizer(recipe: Recipe, variables: Mapping[str, Any]) -> keras.optimizers.Optimizer:
    """Keras's optimizer for the variables, by canonical key; for what the task's rule does otherwise, a subclass.

    Keras's SGD has the learning rate inside the momentum: the same while the rate is constant. Its ``weight_decay`` is
    decoupled, and for all variables that are not excluded. Its ``clipnorm`` is for each variable by itself.
    """
    rule, rate = recipe.optimizer, _learning_rate(recipe)
    options: dict[str, Any] = {"learning_rate": rate, "global_clipnorm": recipe.clip_norm}
    optimizer: Any
    if isinstance(rule, SGD):
        own = recipe.learning_rates is None and not rule.weight_decay
        kind = _KerasSGD if isinstance(rule, RateInsideSGD) else keras.optimizers.SGD if own else _SGD
        decay = rule.weight_decay if rule.decoupled else None
        optimizer = kind(momentum=rule.momentum, nesterov=rule.nesterov, weight_decay=decay, name="sgd", **options)
    elif isinstance(rule, Adam):
        options |= {"beta_1": rule.beta_1, "beta_2": rule.beta_2, "epsilon": rule.epsilon}
        decay = rule.weight_decay if rule.decoupled else None
        kind = _KerasAdam if isinstance(rule, EpsilonHatAdam) else _PaperAdam
        optimizer = kind(weight_decay=decay, name="paper_adam", **options)
    elif isinstance(rule, RMSprop):
        options |= {"rho": rule.decay, "epsilon": rule.epsilon, "momentum": rule.momentum}
        kind = _KerasRMSprop if isinstance(rule, EpsilonInsideRMSprop) else _RMSprop
        optimizer = kind(name="rmsprop", **options)
    else:
        kind = _Adadelta if rule.weight_decay else keras.optimizers.Adadelta
        optimizer = kind(rho=rule.decay, epsilon=rule.epsilon, name="adadelta", **options)
    if rule.weight_decay and rule.decoupled:
        optimizer.exclude_from_weight_decay([variables[key] for key in variables if key not in recipe.decayed])
    elif rule.weight_decay:
        optimizer.decay_kernels(recipe, variables)
    return optimizer


def _learning_rate(recipe: Recipe) -> "float | _Table":
    return recipe.optimizer.learning_rate if recipe.learning_rates is None else _Table(recipe.learning_rates)


class _Table(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate of each step, from a table; steps beyond it keep the last."""

    def __init__(self, rates: NDArray[np.float32]) -> None:
        self.rates = rates

    def __call__(self, step: keras.KerasTensor) -> keras.KerasTensor:
        return ops.take(self.rates, ops.minimum(ops.cast(step, "int32"), len(self.rates) - 1))


class _CoupledDecay(keras.optimizers.Optimizer):
    """Adds weight decay to the gradients of kernels, after they are clipped; Keras's own is decoupled."""

    _coupled_decay = 0.0
    _decayed: frozenset[Any] = frozenset()

    def decay_kernels(self, recipe: Recipe, variables: Mapping[str, Any]) -> None:
        """Sets the decay, and the variables to which it applies."""
        self._coupled_decay = recipe.optimizer.weight_decay
        self._decayed = frozenset(self._var_key(variables[key]) for key in recipe.decayed)

    def decayed(self, gradient: keras.KerasTensor, variable: Any) -> keras.KerasTensor:
        """The gradient with the decay of its variable."""
        return gradient + self._coupled_decay * variable if self._var_key(variable) in self._decayed else gradient


class _SGD(_CoupledDecay, keras.optimizers.SGD):
    """SGD with the learning rate out of the momentum; Keras's own momentum keeps the rates of earlier steps."""

    def update_step(self, gradient: keras.KerasTensor, variable: Any, learning_rate: keras.KerasTensor) -> None:
        gradient = direction = self.decayed(gradient, variable)
        if self.momentum:
            velocity = self.momentums[self._get_variable_index(variable)]
            velocity.assign(self.momentum * velocity + gradient)
            direction = gradient + self.momentum * velocity if self.nesterov else velocity
        variable.assign_sub(learning_rate * direction)


class _PaperAdam(_CoupledDecay, keras.optimizers.Adam):
    """Adam with epsilon added to the bias-corrected root; Keras's own adds it before the correction."""

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        """As Keras's own on TensorFlow and JAX; on PyTorch it multiplies by 1 - rate * decay, which float32 rounds."""
        if self.weight_decay is not None:
            for variable in variables:
                if self._use_weight_decay(variable):
                    rate = ops.cast(self.learning_rate, variable.dtype)
                    variable.assign(variable - variable * self.weight_decay * rate)

    def update_step(self, gradient: keras.KerasTensor, variable: Any, learning_rate: keras.KerasTensor) -> None:
        gradient = self.decayed(gradient, variable)
        step = ops.cast(self.iterations + 1, variable.dtype)
        m, v = (moments[self._get_variable_index(variable)] for moments in (self._momentums, self._velocities))
        m.assign(self.beta_1 * m + (1 - self.beta_1) * gradient)
        v.assign(self.beta_2 * v + (1 - self.beta_2) * ops.square(gradient))
        m_hat = m / (1 - ops.power(ops.cast(self.beta_1, variable.dtype), step))
        v_hat = v / (1 - ops.power(ops.cast(self.beta_2, variable.dtype), step))
        variable.assign_sub(learning_rate * m_hat / (ops.sqrt(v_hat) + self.epsilon))


class _RMSprop(_CoupledDecay, keras.optimizers.RMSprop):
    """RMSprop with epsilon added to the root and the rate out of the momentum; Keras's own has both inside."""

    def update_step(self, gradient: keras.KerasTensor, variable: Any, learning_rate: keras.KerasTensor) -> None:
        gradient = self.decayed(gradient, variable)
        index = self._get_variable_index(variable)
        square = self._velocities[index]
        square.assign(self.rho * square + (1 - self.rho) * ops.square(gradient))
        direction = gradient / (ops.sqrt(square) + self.epsilon)
        if self.momentum:
            velocity = self._momentums[index]
            velocity.assign(self.momentum * velocity + direction)
            direction = velocity
        variable.assign_sub(learning_rate * direction)


class _Adadelta(_CoupledDecay, keras.optimizers.Adadelta):
    """Keras's Adadelta with coupled weight decay."""

    def update_step(self, gradient: keras.KerasTensor, variable: Any, learning_rate: keras.KerasTensor) -> None:
        super().update_step(self.decayed(gradient, variable), variable, learning_rate)


class _OwnRule(_CoupledDecay):
    """One of Keras's own optimizers, with coupled weight decay."""

    def update_step(self, gradient: keras.KerasTensor, variable: Any, learning_rate: keras.KerasTensor) -> None:
        super().update_step(self.decayed(gradient, variable), variable, learning_rate)


class _KerasSGD(_OwnRule, keras.optimizers.SGD): ...


class _KerasAdam(_OwnRule, keras.optimizers.Adam): ...


class _KerasRMSprop(_OwnRule, keras.optimizers.RMSprop): ...


def _canonical_state(optimizer: keras.optimizers.Optimizer, network: Network, recipe: Recipe) -> OptimizerState:
    """The state of Keras's optimizer in the canonical form."""
    rule, architecture = recipe.optimizer, recipe.architecture
    optimizer.build(network.trainable_variables)  # fit does so at its first step, and then this does nothing
    names = {
        "velocity": "momentums" if isinstance(rule, SGD) else "_momentums",
        "first_moment": "_momentums",
        "second_moment": "_velocities",
        "square_average": "_velocities" if isinstance(rule, RMSprop) else "_accumulated_grads",
        "update_average": "_accumulated_delta_vars",
    }
    moments = [
        to_canonical(network, architecture, dict(zip(architecture.parameter_shapes, variables, strict=True)))
        for variables in (getattr(optimizer, names[moment]) for moment in rule.moments)
    ]
    if isinstance(rule, SGD) and not isinstance(optimizer, _SGD):
        # Keras's own momentum is minus the learning rate times the velocity.
        rate = np.float64(rule.learning_rate)
        moments = [{key: -array / rate for key, array in of_one.items()} for of_one in moments]
    return recipe.make_state(moments, int(ops.convert_to_numpy(optimizer.iterations)))
