"""One neuron learns.

A neuron with one weight and a sigmoid should answer 1 to the input 2.1. The loss is the squared error; its derivative
says on which side the valley lies. Five steps of fixed size, each against the sign of the derivative, walk there.
"""

from typing import Any

import numpy as np

INPUT, TARGET = 2.1, 1.0
START, RATE, STEPS = -3.0, 1.0, 5
CURVE = np.linspace(-6, 6, 61).astype(np.float32)

NOTE = (
    "NumPy has no automatic differentiation: the chain rule is written out. PyTorch records operations on tensors "
    "with requires_grad=True, and backward() adds the derivative to w.grad, which must therefore be cleared before "
    "the next step. TensorFlow records inside a GradientTape, which is used up by one call of gradient(). JAX has no "
    "tape to manage: grad transforms the function of w into the function of w that is its derivative. Updating w "
    "happens in place in PyTorch (under no_grad, so that the update itself is not recorded) and through assign_sub in "
    "TensorFlow; in JAX the name w is bound to a new array."
)
DIFFERS: dict[str, str] = {}


def with_numpy() -> dict:
    """The derivative by the chain rule."""
    import numpy as np

    x, target = np.float32(INPUT), np.float32(TARGET)

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    def loss_of(w: Any) -> Any:
        return (sigmoid(w * x) - target) ** 2

    def derivative_of(w: Any) -> Any:
        p = sigmoid(w * x)
        return 2 * (p - target) * p * (1 - p) * x

    w = np.float32(START)
    weights, losses = [w], [loss_of(w)]
    derivatives = []
    for _ in range(STEPS):
        derivative = derivative_of(w)
        w = w - np.float32(RATE) * np.sign(derivative)
        derivatives.append(derivative)
        weights.append(w)
        losses.append(loss_of(w))
    return {
        "weights": np.array(weights),
        "losses": np.array(losses),
        "derivatives": np.array(derivatives),
        "curve": loss_of(CURVE),
    }


def with_pytorch() -> dict:
    """The derivative by autograd."""
    import torch

    def loss_of(w: torch.Tensor) -> torch.Tensor:
        return (torch.sigmoid(w * INPUT) - TARGET) ** 2

    w = torch.tensor(START, requires_grad=True)
    weights, losses = [START], [loss_of(w).item()]
    derivatives = []
    for _ in range(STEPS):
        w.grad = None
        loss_of(w).backward()
        with torch.no_grad():
            w -= RATE * w.grad.sign()
        derivatives.append(w.grad.item())
        weights.append(w.item())
        losses.append(loss_of(w).item())
    return {
        "weights": weights,
        "losses": losses,
        "derivatives": derivatives,
        "curve": loss_of(torch.tensor(CURVE)).numpy(),
    }


def with_keras() -> dict:
    """The derivative by a gradient tape."""
    import tensorflow as tf

    def loss_of(w: tf.Tensor) -> tf.Tensor:
        return (tf.sigmoid(w * INPUT) - TARGET) ** 2

    w = tf.Variable(START)
    weights, losses = [START], [float(loss_of(w))]
    derivatives = []
    for _ in range(STEPS):
        with tf.GradientTape() as tape:
            loss = loss_of(w)
        derivative = tape.gradient(loss, w)
        w.assign_sub(RATE * tf.sign(derivative))
        derivatives.append(float(derivative))
        weights.append(float(w))
        losses.append(float(loss_of(w)))
    return {
        "weights": weights,
        "losses": losses,
        "derivatives": derivatives,
        "curve": loss_of(tf.constant(CURVE)).numpy(),
    }


def with_jax() -> dict:
    """The derivative by transforming the function."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    def loss_of(w: jax.Array) -> jax.Array:
        return (jax.nn.sigmoid(w * INPUT) - TARGET) ** 2

    derivative_of = jax.jit(jax.grad(loss_of))
    w = jnp.array(START)
    weights, losses = [START], [float(loss_of(w))]
    derivatives = []
    for _ in range(STEPS):
        derivative = derivative_of(w)
        w = w - RATE * jnp.sign(derivative)
        derivatives.append(float(derivative))
        weights.append(float(w))
        losses.append(float(loss_of(w)))
    return {
        "weights": weights,
        "losses": losses,
        "derivatives": derivatives,
        "curve": np.asarray(loss_of(jnp.array(CURVE))),
    }


def pictures(outputs: dict) -> dict[str, Any]:
    """The loss curve, and the six points visited on it."""
    import altair as alt

    curve = [{"w": float(w), "loss": loss} for w, loss in zip(CURVE, outputs["curve"], strict=True)]
    visited = [
        {"w": w, "loss": loss, "step": str(step)}
        for step, (w, loss) in enumerate(zip(outputs["weights"], outputs["losses"], strict=True))
    ]
    x, y = alt.X("w:Q", title="weight"), alt.Y("loss:Q", title="loss")
    line = alt.Chart(alt.Data(values=curve)).mark_line().encode(x=x, y=y)
    points = alt.Chart(alt.Data(values=visited)).encode(x=x, y=y)
    marks = points.mark_point(filled=True, size=70, opacity=1).encode(color=alt.value("#e4572e"))
    steps = points.mark_text(dx=9, dy=-8).encode(text="step:N")
    return {
        "The loss for each weight, and the points visited: the start (0) and after each of five steps.": line
        + marks
        + steps
    }
