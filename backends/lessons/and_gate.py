"""The AND gate, trained by hand.

One sigmoid neuron on the four rows of the truth table, the sum of squared errors, 5,000 steps of gradient descent: the
and-gate task with its training loop written out.
"""

from typing import Any

from tasks import load_task

TASK = load_task("and-gate")
DATA = TASK.source.load(None)
X, Y = DATA.train_inputs, DATA.train_labels[:, None].astype("float32")
START = TASK.parameters(seed=0)
KERNEL, BIAS = START["0_dense/kernel"], START["0_dense/bias"]
RATE, STEPS = 0.1, 5000

NOTE = (
    "The loop is the same five lines; what differs is who may change a tensor and what is compiled. PyTorch runs "
    "eagerly, clears w.grad and b.grad by hand and updates under no_grad. TensorFlow's tf.function traces the step "
    "once into a graph: w and b must be Variables, made outside it, and assign_sub is part of the graph. JAX compiles "
    "a pure function of parameters to parameters; nothing outside is touched, and lax.fori_loop puts the 5,000 "
    "steps into the same program. After 5,000 steps the parameters still agree to about six digits: the surface is "
    "smooth, and rounding is not amplified."
)
DIFFERS: dict[str, str] = {}
TOLERANCES = {"kernel": 1e-4, "bias": 1e-4, "outputs": 1e-5}


def with_numpy() -> dict:
    """The backward pass written out."""
    import numpy as np

    w, b = KERNEL.copy(), BIAS.copy()

    def forward() -> Any:
        return 1 / (1 + np.exp(-(X @ w + b)))

    first_loss = np.sum((forward() - Y) ** 2)
    for _ in range(STEPS):
        p = forward()
        d_z = 2 * (p - Y) * p * (1 - p)
        w -= np.float32(RATE) * (X.T @ d_z)
        b -= np.float32(RATE) * d_z.sum(axis=0)
    p = forward()
    return {
        "first_loss": first_loss,
        "kernel": w,
        "bias": b,
        "outputs": p[:, 0],
        "answers": (p[:, 0] > 0.5).tolist(),
    }


def with_pytorch() -> dict:
    """Eager steps; .grad is cleared each time."""
    import torch

    x, y = torch.tensor(X), torch.tensor(Y)
    w = torch.tensor(KERNEL, requires_grad=True)
    b = torch.tensor(BIAS, requires_grad=True)

    def loss() -> torch.Tensor:
        p = torch.sigmoid(x @ w + b)
        return torch.sum((p - y) ** 2)

    first_loss = loss().item()
    for _ in range(STEPS):
        w.grad = b.grad = None
        loss().backward()
        with torch.no_grad():
            w -= RATE * w.grad
            b -= RATE * b.grad
    with torch.no_grad():
        p = torch.sigmoid(x @ w + b)
    return {
        "first_loss": first_loss,
        "kernel": w.detach().numpy(),
        "bias": b.detach().numpy(),
        "outputs": p[:, 0].numpy(),
        "answers": (p[:, 0] > 0.5).tolist(),
    }


def with_keras() -> dict:
    """A step traced once by tf.function."""
    import tensorflow as tf

    w, b = tf.Variable(KERNEL), tf.Variable(BIAS)

    @tf.function
    def loss() -> tf.Tensor:
        p = tf.sigmoid(tf.matmul(X, w) + b)
        return tf.reduce_sum((p - Y) ** 2)

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            value = loss()
        d_w, d_b = tape.gradient(value, [w, b])
        w.assign_sub(RATE * d_w)
        b.assign_sub(RATE * d_b)

    first_loss = float(loss())
    for _ in range(STEPS):
        step()
    p = tf.sigmoid(tf.matmul(X, w) + b)
    return {
        "first_loss": first_loss,
        "kernel": w.numpy(),
        "bias": b.numpy(),
        "outputs": p[:, 0].numpy(),
        "answers": (p[:, 0] > 0.5).numpy().tolist(),
    }


def with_jax() -> dict:
    """Parameters in, parameters out."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    def forward(parameters: Any) -> jax.Array:
        w, b = parameters
        return jax.nn.sigmoid(X @ w + b)

    def loss(parameters: Any) -> jax.Array:
        return jnp.sum((forward(parameters) - Y) ** 2)

    def step(_: int, parameters: Any) -> Any:
        gradients = jax.grad(loss)(parameters)
        return jax.tree.map(lambda p, g: p - RATE * g, parameters, gradients)

    start = jnp.array(KERNEL), jnp.array(BIAS)
    w, b = jax.lax.fori_loop(0, STEPS, step, start)
    p = forward((w, b))
    return {
        "first_loss": float(loss(start)),
        "kernel": np.asarray(w),
        "bias": np.asarray(b),
        "outputs": np.asarray(p[:, 0]),
        "answers": (p[:, 0] > 0.5).tolist(),
    }


def pictures(outputs: dict) -> dict[str, Any]:
    """The four rows of the truth table, and the line at which the neuron changes its answer."""
    import altair as alt

    (first,), (second,) = outputs["kernel"]
    (bias,) = outputs["bias"]
    rows = [{"x": float(x[0]), "y": float(x[1]), "label": str(int(label[0]))} for x, label in zip(X, Y, strict=True)]
    line = [{"x": x, "y": -(first * x + bias) / second} for x in (-0.2, 1.6)]
    scale = alt.Scale(domain=[-0.2, 1.6])
    x, y = (alt.X("x:Q", title="first input", scale=scale), alt.Y("y:Q", title="second input", scale=scale))
    points = alt.Chart(alt.Data(values=rows), width=300, height=300).mark_point(filled=True, size=160, opacity=1)
    points = points.encode(
        x=x, y=y, color=alt.Color("label:N", title="label"), shape=alt.Shape("label:N", title="label")
    )
    border = alt.Chart(alt.Data(values=line)).mark_line(clip=True).encode(x=x, y=y)
    return {
        "The truth table, and the line at which the neuron's output is one half: beyond it, it answers 1.": border
        + points
    }
