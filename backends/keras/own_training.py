"""A user's own Keras model in training, by the user's own optimizer and loss."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from backends.keras.own import KINDS, OwnModel, _read
from backends.own import Array, OwnModelError, one_array
from backends.own_training import ByLayer, OwnStep, as_number, check_trainable


def train(own: OwnModel, optimizer: Any, loss: Any, inputs: Array, targets: Array, count: int) -> list[OwnStep]:
    """So many steps on one batch (n, ...) with targets (n, ...), without dropout; ``loss(targets, outputs)``.

    Raises:
        OwnModelError: the optimizer or the loss is none of Keras's, or the loss is no number.
    """
    check_trainable(optimizer, loss)
    try:
        optimizer, loss = keras.optimizers.get(optimizer), keras.losses.get(loss)
    except (ValueError, TypeError) as error:
        raise OwnModelError(f"Keras does not know its optimizer or loss ({error})") from error
    for layer in own.model._flatten_layers():
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    x = own._given(inputs)
    y = tf.convert_to_tensor(targets.astype(own.number) if targets.dtype.kind == "f" else targets)
    steps = []
    for _ in range(count):
        with tf.GradientTape() as tape:
            value = loss(y, one_array(own.model(x, training=True), "the model"))
        number = as_number(value, tuple(value.shape))
        variables = own.model.trainable_variables
        gradients = tape.gradient(value, [variable.value for variable in variables])
        by_variable = {id(variable): gradient for variable, gradient in zip(variables, gradients, strict=True)}
        taken = _by_layer(own, partial(_gradient_of, by_variable))
        optimizer.apply(gradients, variables)
        steps.append(OwnStep(number, taken, _by_layer(own, lambda variable: variable)))
    return steps


def _gradient_of(gradients: Mapping[int, Any], variable: Any) -> Any:
    return gradients.get(id(variable))


def optimizer_settings(optimizer: Any) -> dict[str, Any]:
    """What the optimizer was made with, by the names that all frameworks share."""
    optimizer = keras.optimizers.get(optimizer)
    names = {"momentum": "momentum", "nesterov": "nesterov", "weight_decay": "weight decay", "epsilon": "epsilon"}
    names |= {"beta_1": "beta 1", "beta_2": "beta 2", "rho": "decay"}
    found = {common: getattr(optimizer, own) for own, common in names.items() if hasattr(optimizer, own)}
    rate = float(np.asarray(keras.ops.convert_to_numpy(optimizer.learning_rate)))
    return {
        "rule": type(optimizer).__name__,
        "learning rate": rate,
        **found,
        "weight decay": found["weight decay"] or 0.0,
    }


def _by_layer(own: OwnModel, read: Callable[[Any], Any]) -> ByLayer:
    """What is read from each variable of the layers that are known, where there is something."""
    found: dict[str, dict[str, Array]] = {}
    for name, layer in own.layers.items():
        for key, (own_name, axes) in KINDS.get(type(layer), ("", {}))[1].items():
            variable = getattr(layer, own_name, None)
            value = None if variable is None else read(variable)
            if value is not None:
                array = np.array(_read(value))
                found.setdefault(name, {})[key] = array if axes is None else array.transpose(axes)
    return found
