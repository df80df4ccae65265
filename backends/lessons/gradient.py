"""Gradients by automatic differentiation.

dy/dx of y = 2x^3 + x + 1 at 2 and over -5..5, and the gradient of a tanh neuron for weights, bias and inputs.
"""

from typing import Any

import numpy as np

AT = 2.0
XS = np.linspace(-5, 5, 11).astype(np.float32)
X, W, B = np.array([0.2, 0.3], np.float32), np.array([1.0, 0.4], np.float32), 1.0

NOTE = (
    "Reverse-mode differentiation gives the derivative of one number; for the derivative over -5..5 there are 11. "
    "PyTorch refuses a non-scalar ('grad can be implicitly created only for scalar outputs'): sum first, which is "
    "right here because each y depends on its own x alone. TensorFlow's tape.gradient sums the targets silently. "
    "jax.grad refuses a non-scalar output too, and the idiom is vmap(grad(f)): the derivative of f at one point, "
    "mapped over all. In PyTorch and TensorFlow one asks for the derivative for tensors that took part (leaves with "
    "requires_grad, watched tensors or Variables); in JAX for the function's arguments, by position (argnums)."
)
DIFFERS: dict[str, str] = {}


def with_numpy() -> dict:
    """The derivatives by hand: 6x^2 + 1, and tanh' = 1 - tanh^2."""
    import numpy as np

    def derivative(x: Any) -> Any:
        return 6 * x**2 + 1

    y = np.tanh(X @ W + np.float32(B))
    slope = 1 - y**2
    return {
        "dy_dx_at_2": derivative(AT),
        "dy_dx": derivative(XS),
        "neuron": y,
        "neuron_d_w": slope * X,
        "neuron_d_b": slope,
        "neuron_d_x": slope * W,
    }


def with_pytorch() -> dict:
    """backward() fills .grad; autograd.grad returns."""
    import torch

    def f(x: torch.Tensor) -> torch.Tensor:
        return 2 * x**3 + x + 1

    at = torch.tensor(AT, requires_grad=True)
    f(at).backward()

    xs = torch.tensor(XS, requires_grad=True)
    (dy_dx,) = torch.autograd.grad(f(xs).sum(), xs)

    x = torch.tensor(X, requires_grad=True)
    w = torch.tensor(W, requires_grad=True)
    b = torch.tensor(B, requires_grad=True)
    y = torch.tanh(x @ w + b)
    y.backward()
    return {
        "dy_dx_at_2": at.grad.item(),
        "dy_dx": dy_dx.numpy(),
        "neuron": y.item(),
        "neuron_d_w": w.grad.numpy(),
        "neuron_d_b": b.grad.item(),
        "neuron_d_x": x.grad.numpy(),
    }


def with_keras() -> dict:
    """A tape watches Variables by itself, and constants on request."""
    import tensorflow as tf

    def f(x: tf.Tensor) -> tf.Tensor:
        return 2 * x**3 + x + 1

    at = tf.Variable(AT)
    with tf.GradientTape() as tape:
        y = f(at)
    dy_dx_at_2 = tape.gradient(y, at)

    xs = tf.constant(XS)
    with tf.GradientTape() as tape:
        tape.watch(xs)
        ys = f(xs)
    dy_dx = tape.gradient(ys, xs)

    x, w, b = tf.Variable(X), tf.Variable(W), tf.Variable(B)
    with tf.GradientTape() as tape:
        y = tf.tanh(tf.tensordot(x, w, 1) + b)
    d_x, d_w, d_b = tape.gradient(y, [x, w, b])
    return {
        "dy_dx_at_2": float(dy_dx_at_2),
        "dy_dx": dy_dx.numpy(),
        "neuron": float(y),
        "neuron_d_w": d_w.numpy(),
        "neuron_d_b": float(d_b),
        "neuron_d_x": d_x.numpy(),
    }


def with_jax() -> dict:
    """A function of a function: grad; and vmap to map it."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    def f(x: jax.Array) -> jax.Array:
        return 2 * x**3 + x + 1

    def neuron(x: jax.Array, w: jax.Array, b: jax.Array) -> jax.Array:
        return jnp.tanh(x @ w + b)

    dy_dx = jax.vmap(jax.grad(f))(jnp.array(XS))
    arguments = jnp.array(X), jnp.array(W), jnp.array(B)
    gradient = jax.grad(neuron, argnums=(0, 1, 2))
    d_x, d_w, d_b = gradient(*arguments)
    return {
        "dy_dx_at_2": float(jax.grad(f)(AT)),
        "dy_dx": np.asarray(dy_dx),
        "neuron": float(neuron(*arguments)),
        "neuron_d_w": np.asarray(d_w),
        "neuron_d_b": float(d_b),
        "neuron_d_x": np.asarray(d_x),
    }


def pictures(outputs: dict) -> dict[str, Any]:
    """The function and its derivative."""
    import altair as alt

    rows = [
        {"x": float(x), "value": value, "of": of}
        for of, values in (("y = 2x³ + x + 1", 2 * XS**3 + XS + 1), ("dy/dx", outputs["dy_dx"]))
        for x, value in zip(XS, map(float, values), strict=True)
    ]
    chart = alt.Chart(alt.Data(values=rows)).mark_line(point=True)
    return {
        "The function, and its derivative at eleven points.": chart.encode(
            x=alt.X("x:Q", title="x"), y=alt.Y("value:Q", title=None), color=alt.Color("of:N", title=None)
        )
    }
