"""Gradient descent: down a parabola.

Minimise x^2 from 20 with rate 0.1 in 150 steps. Each step multiplies x by 1 - 2 * 0.1 = 0.8.
"""

from typing import Any

START, RATE, STEPS = 20.0, 0.1, 150

NOTE = (
    "The optimizer applies the rule x <- x - rate * gradient; what it changes differs. torch.optim.SGD is given "
    "the tensors once, reads their .grad, and step() changes them in place; zero_grad() comes first because "
    "backward() accumulates. keras.optimizers.SGD is handed gradients and Variables at each apply and assigns to the "
    "Variables. optax has no step: update() turns gradients and optimizer state into updates and a new state, and "
    "apply_updates returns new parameters. lax.scan compiles the loop into one program; in the others the loop is "
    "Python's."
)
DIFFERS: dict[str, str] = {}


def with_numpy() -> dict:
    """The derivative of x^2 is 2x."""
    import numpy as np

    x = np.float32(START)
    path = [x]
    for _ in range(STEPS):
        x = x - np.float32(RATE) * (2 * x)
        path.append(x)
    return {"path": np.array(path), "minimum": x}


def with_pytorch() -> dict:
    """torch.optim.SGD on a tensor."""
    import torch

    x = torch.tensor(START, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=RATE)
    path = [x.item()]
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = x**2
        loss.backward()
        optimizer.step()
        path.append(x.item())
    return {"path": path, "minimum": x.item()}


def with_keras() -> dict:
    """keras.optimizers.SGD on a Variable."""
    import keras
    import tensorflow as tf

    x = tf.Variable(START)
    optimizer = keras.optimizers.SGD(RATE)
    path = [float(x)]
    for _ in range(STEPS):
        with tf.GradientTape() as tape:
            loss = x**2
        gradients = tape.gradient(loss, [x])
        optimizer.apply(gradients, [x])
        path.append(float(x))
    return {"path": path, "minimum": float(x)}


def with_jax() -> dict:
    """optax.sgd inside a scan."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax

    optimizer = optax.sgd(RATE)

    def step(carry: Any, _: None) -> Any:
        x, state = carry
        gradient = jax.grad(lambda x: x**2)(x)
        updates, state = optimizer.update(gradient, state)
        x = optax.apply_updates(x, updates)
        return (x, state), x

    x = jnp.array(START)
    start = (x, optimizer.init(x))
    (x, _), path = jax.lax.scan(step, start, length=STEPS)
    return {
        "path": np.append(np.float32(START), path),
        "minimum": float(x),
    }


def pictures(outputs: dict) -> dict[str, Any]:
    """The path on the parabola."""
    import altair as alt

    curve = [{"x": x / 2, "y": (x / 2) ** 2} for x in range(-44, 45)]
    path = [{"x": x, "y": x * x, "step": step} for step, x in enumerate(outputs["path"])]
    x, y = alt.X("x:Q", title="x"), alt.Y("y:Q", title="x²")
    parabola = alt.Chart(alt.Data(values=curve)).mark_line().encode(x=x, y=y)
    points = alt.Chart(alt.Data(values=path)).mark_line(point=alt.OverlayMarkDef(size=45, color="#e4572e"))
    walked = points.encode(x=x, y=y, order="step:Q", color=alt.value("#e4572e"))
    return {"The path: 150 steps from 20 towards 0, each shorter than the one before.": parabola + walked}
