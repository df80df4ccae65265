"""A user's own flax nnx module in training, by the user's own optimizer and loss."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from backends.jax.own import KINDS, OwnModel, _is_flipped
from backends.own import Array, OwnModelError, one_array
from backends.own_training import ByLayer, OwnStep, as_number, check_trainable


def train(own: OwnModel, optimizer: Any, loss: Any, inputs: Array, targets: Array, count: int) -> list[OwnStep]:
    """So many steps on one batch (n, ...) with targets (n, ...), without dropout; ``loss(outputs, targets)``.

    Raises:
        OwnModelError: the optimizer is neither nnx's nor optax's, or the loss is no number.
    """
    check_trainable(optimizer, loss)
    rule = optimizer.tx if isinstance(optimizer, nnx.Optimizer) else optimizer
    if not isinstance(rule, optax.GradientTransformation):
        raise OwnModelError(f"its optimizer is a {type(rule).__name__}, neither nnx's nor optax's")
    own.model.train()
    for _, module in nnx.iter_modules(own.model):
        if isinstance(module, nnx.Dropout):
            module.rate = 0.0
    x, y = own._given(inputs), own._given(targets)
    shapes = []

    def loss_of(model: nnx.Module) -> jax.Array:
        value = loss(one_array(model(x), "the model"), y)
        shapes.append(value.shape)
        return value if value.shape == () else jnp.sum(value)

    state = rule.init(nnx.state(own.model, nnx.Param))
    steps = []
    for _ in range(count):
        value, gradients = nnx.value_and_grad(loss_of)(own.model)
        number = as_number(value, tuple(shapes[-1]))
        taken = _by_layer(own, gradients)
        updates, state = rule.update(gradients, state, nnx.state(own.model, nnx.Param))
        nnx.update(own.model, optax.apply_updates(nnx.state(own.model, nnx.Param), updates))
        steps.append(OwnStep(number, taken, _by_layer(own, nnx.state(own.model))))
    return steps


def optimizer_settings(optimizer: Any) -> dict[str, Any]:
    """Nothing: an optimizer of optax's is made of functions, which do not tell what they were made with."""
    return {}


def _by_layer(own: OwnModel, tree: Any) -> ByLayer:
    """The arrays of a tree in the form of the model, for the layers that are known."""
    leaves = {".".join(map(str, path)): value for path, value in nnx.to_flat_state(tree)}
    found: dict[str, dict[str, Array]] = {}
    for name, layer in own.layers.items():
        for key, (own_name, _) in KINDS.get(type(layer), ("", {}))[1].items():
            value = leaves.get(f"{name}.{own_name}")
            if value is not None:
                array = np.array(value[...])
                flipped = key == "kernel" and _is_flipped(layer)
                found.setdefault(name, {})[key] = array[::-1, ::-1] if flipped else array
    return found
