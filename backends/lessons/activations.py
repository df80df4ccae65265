"""Activation functions, and what weight and bias do to a neuron.

Tanh, sigmoid, ReLU and softmax on -5..5. Then the neuron f(wx + b): the weight makes f steeper, the bias shifts it.
"""

from typing import Any

import numpy as np

X = np.linspace(-5, 5, 41).astype(np.float32)
WEIGHTS = np.linspace(0, 1, 6).astype(np.float32)  # 0, 0.2 ... 1, with bias 0
BIASES = np.linspace(-1, 1, 6).astype(np.float32)  # -1, -0.6 ... 1, with weight 1

NOTE = (
    "Tanh, sigmoid and ReLU work element by element; softmax works along an axis, and its 41 outputs here sum to 1. "
    "The axis is given by name in PyTorch (dim, which must be passed: without it F.softmax warns and guesses) and "
    "defaults to the last one in TensorFlow (axis=-1) and JAX (axis=-1). All three subtract the maximum before "
    "exponentiating, as the NumPy column does by hand, so that large inputs do not overflow. PyTorch has each "
    "function as a tensor method, as torch.tanh or in torch.nn.functional, and as an nn.Module; Keras in "
    'keras.activations, and by name as activation="tanh"; JAX in jax.nn, and flax.nnx repeats them.'
)
DIFFERS: dict[str, str] = {}


def with_numpy() -> dict:
    """Each formula written out."""
    import numpy as np

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    def relu(z: Any) -> Any:
        return np.maximum(z, 0)

    def softmax(z: Any) -> Any:
        e = np.exp(z - z.max())
        return e / e.sum()

    steep = WEIGHTS[:, None] * X
    shifted = X + BIASES[:, None]
    return {
        "tanh": np.tanh(X),
        "sigmoid": sigmoid(X),
        "relu": relu(X),
        "softmax": softmax(X),
        "tanh_by_weight": np.tanh(steep),
        "tanh_by_bias": np.tanh(shifted),
        "sigmoid_by_weight": sigmoid(steep),
        "sigmoid_by_bias": sigmoid(shifted),
        "relu_by_weight": relu(steep),
        "relu_by_bias": relu(shifted),
    }


def with_pytorch() -> dict:
    """Functions of torch and torch.nn.functional."""
    import torch
    import torch.nn.functional as F

    x = torch.tensor(X)
    steep = torch.tensor(WEIGHTS)[:, None] * x
    shifted = x + torch.tensor(BIASES)[:, None]
    return {
        "tanh": torch.tanh(x).numpy(),
        "sigmoid": torch.sigmoid(x).numpy(),
        "relu": F.relu(x).numpy(),
        "softmax": F.softmax(x, dim=0).numpy(),
        "tanh_by_weight": torch.tanh(steep).numpy(),
        "tanh_by_bias": torch.tanh(shifted).numpy(),
        "sigmoid_by_weight": torch.sigmoid(steep).numpy(),
        "sigmoid_by_bias": torch.sigmoid(shifted).numpy(),
        "relu_by_weight": F.relu(steep).numpy(),
        "relu_by_bias": F.relu(shifted).numpy(),
    }


def with_keras() -> dict:
    """keras.ops, which runs on any Keras backend."""
    from keras import ops

    x = ops.convert_to_tensor(X)
    steep = ops.convert_to_tensor(WEIGHTS)[:, None] * x
    shifted = x + ops.convert_to_tensor(BIASES)[:, None]
    return {
        "tanh": ops.tanh(x).numpy(),
        "sigmoid": ops.sigmoid(x).numpy(),
        "relu": ops.relu(x).numpy(),
        "softmax": ops.softmax(x).numpy(),
        "tanh_by_weight": ops.tanh(steep).numpy(),
        "tanh_by_bias": ops.tanh(shifted).numpy(),
        "sigmoid_by_weight": ops.sigmoid(steep).numpy(),
        "sigmoid_by_bias": ops.sigmoid(shifted).numpy(),
        "relu_by_weight": ops.relu(steep).numpy(),
        "relu_by_bias": ops.relu(shifted).numpy(),
    }


def with_jax() -> dict:
    """jax.nn and jax.numpy."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    x = jnp.array(X)
    steep = jnp.array(WEIGHTS)[:, None] * x
    shifted = x + jnp.array(BIASES)[:, None]
    results = {
        "tanh": jnp.tanh(x),
        "sigmoid": jax.nn.sigmoid(x),
        "relu": jax.nn.relu(x),
        "softmax": jax.nn.softmax(x),
        "tanh_by_weight": jnp.tanh(steep),
        "tanh_by_bias": jnp.tanh(shifted),
        "sigmoid_by_weight": jax.nn.sigmoid(steep),
        "sigmoid_by_bias": jax.nn.sigmoid(shifted),
        "relu_by_weight": jax.nn.relu(steep),
        "relu_by_bias": jax.nn.relu(shifted),
    }
    return {name: np.asarray(value) for name, value in results.items()}


def pictures(outputs: dict) -> dict[str, Any]:
    """The four functions; the neuron's families by weight and by bias."""
    import altair as alt

    def lines(rows: list[dict[str, Any]], color: Any, title: str, y_title: str) -> Any:
        chart = alt.Chart(alt.Data(values=rows), width=190, height=150, title=title)
        return chart.mark_line().encode(
            x=alt.X("x:Q", title="x"), y=alt.Y("y:Q", title=y_title, scale=alt.Scale(zero=False)), color=color
        )

    def family(name: str, parameter: str, values: Any) -> Any:
        rows = [
            {"x": float(x), "y": y, parameter: f"{value:.1f}"}
            for value, ys in zip(values, outputs[f"{name}_by_{parameter}"], strict=True)
            for x, y in zip(X, ys, strict=True)
        ]
        order = [f"{value:.1f}" for value in values]
        ramp = alt.Scale(scheme="viridis")
        color = alt.Color(f"{parameter}:O", sort=order, scale=ramp, title=parameter)
        return lines(rows, color, name, "f(wx)" if parameter == "weight" else "f(x + b)")

    names = ("tanh", "sigmoid", "relu", "softmax")
    curves = [
        lines([{"x": float(x), "y": y} for x, y in zip(X, outputs[name], strict=True)], alt.Undefined, name, "f(x)")
        for name in names
    ]
    return {
        "The four functions; softmax over the 41 inputs together.": alt.concat(*curves, columns=2),
        "The neuron f(wx + b) for weights 0 to 1, with bias 0.": alt.concat(
            *(family(name, "weight", WEIGHTS) for name in names[:3]), columns=2
        ),
        "The neuron f(wx + b) for biases -1 to 1, with weight 1.": alt.concat(
            *(family(name, "bias", BIASES) for name in names[:3]), columns=2
        ),
    }
