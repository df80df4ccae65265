"""Loss traps: probabilities for logits, logits for probabilities.

Each framework's cross-entropy, the value it should have, and the values of two mistakes that run without an error.
Then what the mistakes cost, by training the as-written recipes beside the standard ones: iris-mlp takes the softmax
twice, mnist-mlp the negative log-likelihood of probabilities (nll_of_probabilities). Iris is trained for all of its 100
epochs; MNIST for one epoch on 6,400 of the 60,000 images, and it is tested on all 10,000.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tasks import load_task

LOGITS = np.array([[2.0, 1.0, 0.1], [0.5, 2.5, -1.0]], np.float32)
LABELS = np.array([0, 2], np.int32)
TRAINED = {  # epochs, examples in each (None: all), momentum, and the loss that the as-written recipe takes by mistake
    "iris-mlp": (100, None, 0.9, "softmax_twice"),
    "mnist-mlp": (1, 6_400, 0.5, "nll_of_probabilities"),
}
RATE = 0.01

NOTE = (
    "PyTorch's cross_entropy takes logits, and labels or probabilities as targets; nll_loss takes log-probabilities. "
    "Neither can tell that it was handed probabilities instead. Keras's SparseCategoricalCrossentropy takes "
    "probabilities unless from_logits=True; given logits by mistake, it clips them to [epsilon, 1 - epsilon], "
    "renormalises and returns a number. Given from_logits=True and the output of a softmax, it finds the logits that "
    "the softmax came from, warns, and is right in spite of it; tf.nn.sparse_softmax_cross_entropy_with_logits is not. "
    "optax.softmax_cross_entropy_with_integer_labels takes logits, as its name says. A second softmax squeezes the "
    "outputs into 0..1: for three classes the loss cannot fall below log(1 + 2/e) = 0.55, gradients shrink, and "
    "training may stop short; the negative log-likelihood of probabilities is -p[label], bounded by -1, with a "
    "gradient that vanishes where the network is confidently wrong."
)
DIFFERS = {
    "probabilities_for_logits": "Keras alone notices, and takes the logits that the softmax came from",
    "logits_for_probabilities": "what comes of logits where probabilities, or their logarithms, are meant; Keras clips",
}
# Training amplifies rounding, and an example at the boundary may fall on either side: 1 of 60, 20 of 10,000.
TOLERANCES = {
    "iris_accuracy_standard": 0.017,
    "iris_accuracy_as_written": 0.017,
    "mnist_accuracy_standard": 0.002,
    "mnist_accuracy_as_written": 0.002,
}


def accuracies(train: Callable[..., Any]) -> dict[str, float]:
    """Test accuracies by task and recipe: the same data, initial parameters and batches for every framework."""
    accuracy_of = {}
    for name, (epochs, examples, momentum, mistake) in TRAINED.items():
        task = load_task(name)
        data = task.source.load(None)
        x, x_test = (images.reshape(len(images), -1) for images in (data.train_inputs, data.test_inputs))
        batches = task.batches(len(x), seed=0, epochs=epochs, examples=examples)
        steps = [(x[i], data.train_labels[i]) for epoch in range(epochs) for i in batches.of_epoch(epoch)]
        for recipe, loss in (("standard", "right"), ("as_written", mistake)):
            start = list(task.parameters(seed=0).values())  # kernel, bias, kernel, bias, kernel, bias
            right = train(start, steps, momentum, loss, x_test).argmax(axis=1) == data.test_labels
            accuracy_of[f"{name.partition('-')[0]}_accuracy_{recipe}"] = float(right.mean())
    return accuracy_of


def with_numpy() -> dict:
    """The formulas: logsumexp(z) - z[y], and its mistakes."""
    import numpy as np

    def softmax(z: np.ndarray) -> np.ndarray:
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def cross_entropy(z: np.ndarray) -> np.ndarray:
        return -np.log(softmax(z)[np.arange(2), LABELS]).mean()

    def slope(z: np.ndarray, y: np.ndarray, loss: str) -> np.ndarray:
        """The derivative of a batch's loss for its logits."""
        p, truth = softmax(z), np.eye(z.shape[1], dtype=np.float32)[y]
        if loss == "right":
            return (p - truth) / np.float32(len(y))
        d_p = softmax(p) - truth if loss == "softmax_twice" else -truth
        return p * (d_p - (p * d_p).sum(axis=1, keepdims=True)) / np.float32(len(y))

    def train(start: list, steps: list, momentum: float, loss: str, x_test: np.ndarray) -> np.ndarray:
        parameters = [p.copy() for p in start]
        velocities = [np.zeros_like(p) for p in start]

        def forward(x: np.ndarray) -> list[np.ndarray]:
            k0, b0, k1, b1, k2, b2 = parameters
            first = np.maximum(x @ k0 + b0, 0)
            second = np.maximum(first @ k1 + b1, 0)
            return [x, first, second, second @ k2 + b2]

        for x, y in steps:
            *inputs, z = forward(x)
            d_z, gradients = slope(z, y, loss), list[np.ndarray]()
            for value, kernel in zip(inputs[::-1], parameters[-2::-2], strict=True):
                gradients = [value.T @ d_z, d_z.sum(axis=0), *gradients]
                d_z = (d_z @ kernel.T) * (value > 0)
            for p, v, g in zip(parameters, velocities, gradients, strict=True):
                v[...] = momentum * v + g
                p -= RATE * v
        return forward(x_test)[-1]

    p = softmax(LOGITS)
    with np.errstate(invalid="ignore"):
        wrong = -np.log(LOGITS[np.arange(2), LABELS]).mean()
    return {
        "right": cross_entropy(LOGITS),
        "probabilities_for_logits": cross_entropy(p),
        "softmax_twice": cross_entropy(p),
        "logits_for_probabilities": f"-log(z[y]) is {wrong}",
        "nll_of_probabilities": -p[np.arange(2), LABELS].mean(),
        **accuracies(train),
    }


def with_pytorch() -> dict:
    """cross_entropy takes logits, nll_loss log-probabilities."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    losses: dict[str, Callable] = {
        "right": F.cross_entropy,
        "softmax_twice": lambda z, y: F.cross_entropy(z.softmax(dim=1), y),
        "nll_of_probabilities": lambda z, y: F.nll_loss(z.softmax(dim=1), y),
    }

    def train(start: list, steps: list, momentum: float, loss: str, x_test: np.ndarray) -> np.ndarray:
        dense = [nn.Linear(*kernel.shape) for kernel in start[::2]]
        model = nn.Sequential(dense[0], nn.ReLU(), dense[1], nn.ReLU(), dense[2])
        with torch.no_grad():
            for p, value in zip(model.parameters(), start, strict=True):
                p.copy_(torch.tensor(value.T))
        optimizer = torch.optim.SGD(model.parameters(), RATE, momentum)
        for x, y in steps:
            optimizer.zero_grad()
            losses[loss](model(torch.tensor(x)), torch.tensor(y).long()).backward()
            optimizer.step()
        with torch.no_grad():
            return model(torch.tensor(x_test)).numpy()

    z, y = torch.tensor(LOGITS), torch.tensor(LABELS).long()
    return {
        **{name: loss(z, y).item() for name, loss in losses.items()},
        "probabilities_for_logits": F.cross_entropy(z.softmax(dim=1), y).item(),
        "logits_for_probabilities": f"F.nll_loss gives -z[y]: {F.nll_loss(z, y):.6f}",
        **accuracies(train),
    }


def with_keras() -> dict:
    """from_logits is False by default."""
    import warnings

    import keras
    import tensorflow as tf
    from keras import layers

    cross_entropy = keras.losses.SparseCategoricalCrossentropy
    twice = tf.nn.sparse_softmax_cross_entropy_with_logits
    losses: dict[str, Callable] = {
        "right": cross_entropy(from_logits=True),
        "softmax_twice": lambda y, z: tf.reduce_mean(twice(tf.cast(y, tf.int32), tf.nn.softmax(z))),
        "nll_of_probabilities": lambda y, z: -tf.gather(tf.nn.softmax(z), tf.cast(y, tf.int32), batch_dims=1),
    }

    def train(start: list, steps: list, momentum: float, loss: str, x_test: np.ndarray) -> np.ndarray:
        dense = [layers.Dense(len(bias), "relu") for bias in start[1:-2:2]]
        model = keras.Sequential([keras.Input((len(start[0]),)), *dense, layers.Dense(len(start[-1]))])
        model.set_weights(start)
        model.compile(keras.optimizers.SGD(RATE, momentum), losses[loss])
        for x, y in steps:
            model.train_on_batch(x, y)
        return model(x_test).numpy()

    z = tf.constant(LOGITS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "does not represent logits"
        noticed = cross_entropy(from_logits=True)(LABELS, keras.ops.softmax(z))
    wrong = float(cross_entropy(from_logits=False)(LABELS, z))
    return {
        **{name: float(tf.reduce_mean(loss(LABELS, z))) for name, loss in losses.items()},
        "probabilities_for_logits": float(noticed),
        "logits_for_probabilities": f"from_logits=False gives {wrong:.6f}",
        **accuracies(train),
    }


def with_jax() -> dict:
    """The name of the function says what it takes."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax

    cross_entropy = optax.softmax_cross_entropy_with_integer_labels
    losses: dict[str, Callable] = {
        "right": lambda z, y: cross_entropy(z, y).mean(),
        "softmax_twice": lambda z, y: cross_entropy(jax.nn.softmax(z), y).mean(),
        "nll_of_probabilities": lambda z, y: -jax.nn.softmax(z)[jnp.arange(len(y)), y].mean(),
    }

    def forward(parameters: list, x: jax.Array) -> jax.Array:
        k0, b0, k1, b1, k2, b2 = parameters
        return jax.nn.relu(jax.nn.relu(x @ k0 + b0) @ k1 + b1) @ k2 + b2

    def train(start: list, steps: list, momentum: float, loss: str, x_test: np.ndarray) -> np.ndarray:
        optimizer = optax.sgd(RATE, momentum)

        @jax.jit
        def step(parameters: list, state: Any, x: jax.Array, y: jax.Array) -> tuple[list, Any]:
            gradients = jax.grad(lambda p: losses[loss](forward(p, x), y))(parameters)
            updates, state = optimizer.update(gradients, state)
            return optax.apply_updates(parameters, updates), state

        parameters, state = start, optimizer.init(start)
        for x, y in steps:
            parameters, state = step(parameters, state, x, y)
        return np.asarray(forward(parameters, x_test))

    z, y = jnp.array(LOGITS), jnp.array(LABELS)
    return {
        **{name: float(loss(z, y)) for name, loss in losses.items()},
        "probabilities_for_logits": float(cross_entropy(jax.nn.softmax(z), y).mean()),
        "logits_for_probabilities": f"-log(z[y]) is {-jnp.log(z[jnp.arange(2), y]).mean()}",
        **accuracies(train),
    }


def pictures(outputs: dict) -> dict[str, Any]:
    """Test accuracy by task and recipe."""
    import altair as alt

    rows = [
        {"task": task, "recipe": recipe, "accuracy": outputs[f"{task}_accuracy_{recipe.replace('-', '_')}"]}
        for task in ("iris", "mnist")
        for recipe in ("standard", "as-written")
    ]
    chart = alt.Chart(alt.Data(values=rows), height=alt.Step(26)).encode(
        x=alt.X("accuracy:Q", title="test accuracy", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
        y=alt.Y("recipe:N", title=None, sort=["standard", "as-written"]),
    )
    bars = chart.mark_bar().encode(color=alt.Color("recipe:N", legend=None))
    values = chart.mark_text(align="left", dx=5).encode(text=alt.Text("accuracy:Q", format=".1%"))
    faceted = alt.layer(bars, values).facet(row=alt.Row("task:N", title=None))
    return {
        "What the softmax taken twice costs on iris, and the likelihood of probabilities on MNIST"
        " (trained as said above).": faceted
    }
