"""Loss traps: probabilities for logits, logits for probabilities.

Each framework's cross-entropy, the value it should have, and the values of two mistakes that run without an error.
Then what the mistakes cost, by training the as-written recipes beside the standard ones: iris-mlp takes the softmax
twice, mnist-mlp the negative log-likelihood of probabilities (nll_of_probabilities). Iris is trained for all of its 100
epochs; MNIST for one epoch on 6,400 of the 60,000 images, and it is tested on all 10,000.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from backends.about import Mode
from backends.lessons import Outputs
from tasks import load_task
from tasks.dataset import predicted_labels

LOGITS = np.array([[2.0, 1.0, 0.1], [0.5, 2.5, -1.0]], np.float32)
LABELS = np.array([0, 2], np.int32)
TRAINED = {"iris-mlp": (100, None), "mnist-mlp": (1, 6_400)}  # epochs, and examples per epoch (None: all)

NOTE = (
    "PyTorch's cross_entropy takes logits and nll_loss log-probabilities; neither can tell that it was handed "
    "probabilities. Keras's SparseCategoricalCrossentropy takes probabilities unless from_logits=True; given logits "
    "by mistake, it clips them to [epsilon, 1 - epsilon], renormalises and returns a number. Given from_logits=True "
    "and the output of a softmax, it finds the logits that the softmax came from, warns, and is right in spite of the "
    "mistake; tf.nn.sparse_softmax_cross_entropy_with_logits does not do this. "
    "optax.softmax_cross_entropy_with_integer_labels takes logits, as its name says. A second softmax squeezes the "
    "outputs into 0..1: for three classes the loss cannot fall below log(1 + 2/e) = 0.55, and gradients shrink, so "
    "that training is slower and may stop short. The negative log-likelihood of probabilities is -p[label], bounded "
    "by -1, with a gradient that vanishes where the network is confidently wrong."
)
DIFFERS = {
    "api": "each framework's function for logits and labels",
    "probabilities_for_logits": "Keras alone notices, and takes the logits that the softmax came from",
    "logits_for_probabilities": "PyTorch and optax have no loss that takes probabilities of classes; Keras clips",
}
# Training amplifies rounding, and an example at the boundary may fall on either side: 1 of 60, 20 of 10,000.
TOLERANCES = {
    "iris_accuracy_standard": 0.017,
    "iris_accuracy_as_written": 0.017,
    "mnist_accuracy_standard": 0.002,
    "mnist_accuracy_as_written": 0.002,
}


def accuracies(backend: str) -> dict[str, float]:
    """Test accuracies, by task and recipe, of this project's models in one framework: same weights, same batches."""
    from backends import load_backend

    accuracy_of = {}
    for name, (epochs, examples) in TRAINED.items():
        data = replace(load_task(name).load(None), raw_images=None)
        for recipe in ("standard", "as-written"):
            task = load_task(name, recipe)
            mode: Mode = "tuned" if backend == "numpy" else "stock"
            model = load_backend(backend).build(task, task.parameters(seed=0), mode=mode)
            model.place(data)
            model.train(task.batches(len(data.train_labels), seed=0, epochs=epochs, examples=examples))
            right = predicted_labels(model.logits(data.test_inputs)) == data.test_labels
            key = f"{name.partition('-')[0]}_accuracy_{recipe.replace('-', '_')}"
            accuracy_of[key] = float(right.mean())
    return accuracy_of


def with_numpy() -> Outputs:
    """The formulas: logsumexp(z) - z[y], and its mistakes."""
    import numpy as np

    rows = np.arange(2)
    exponentials = np.exp(LOGITS)
    p = exponentials / exponentials.sum(axis=1, keepdims=True)

    def cross_entropy(z: np.ndarray) -> float:
        logsumexp = np.log(np.exp(z).sum(axis=1))
        return float((logsumexp - z[rows, LABELS]).mean())

    with np.errstate(invalid="ignore"):
        wrong = -np.log(LOGITS[rows, LABELS]).mean()
    return {
        "api": "logsumexp(z) - z[y]",
        "right": cross_entropy(LOGITS),
        "probabilities_for_logits": cross_entropy(p),
        "softmax_twice": cross_entropy(p),
        "logits_for_probabilities": f"-log(z[y]) is {wrong}",
        "nll_of_probabilities": -p[rows, LABELS].mean(),
        **accuracies("numpy"),
    }


def with_pytorch() -> Outputs:
    """cross_entropy takes logits, nll_loss log-probabilities."""
    import torch
    import torch.nn.functional as F

    z = torch.tensor(LOGITS)
    y = torch.tensor(LABELS).long()
    p = F.softmax(z, dim=1)
    return {
        "api": "F.cross_entropy(logits, labels)",
        "right": F.cross_entropy(z, y).item(),
        "probabilities_for_logits": F.cross_entropy(p, y).item(),
        "softmax_twice": F.nll_loss(F.log_softmax(p, dim=1), y).item(),
        "logits_for_probabilities": f"F.nll_loss gives -z[y]: {F.nll_loss(z, y):.6f}",
        "nll_of_probabilities": F.nll_loss(p, y).item(),
        **accuracies("pytorch"),
    }


def with_keras() -> Outputs:
    """from_logits is False by default."""
    import warnings

    import keras
    import tensorflow as tf

    loss = keras.losses.SparseCategoricalCrossentropy
    z = tf.constant(LOGITS)
    p = tf.nn.softmax(z)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "does not represent logits"
        noticed = loss(from_logits=True)(LABELS, keras.ops.softmax(z))
    twice = tf.nn.sparse_softmax_cross_entropy_with_logits(LABELS, p)
    wrong = float(loss(from_logits=False)(LABELS, z))
    nll = -tf.gather(p, LABELS, batch_dims=1)
    return {
        "api": "SparseCategoricalCrossentropy(from_logits=True)(labels, logits)",
        "right": float(loss(from_logits=True)(LABELS, z)),
        "probabilities_for_logits": float(noticed),
        "softmax_twice": float(tf.reduce_mean(twice)),
        "logits_for_probabilities": f"from_logits=False gives {wrong:.6f}",
        "nll_of_probabilities": float(tf.reduce_mean(nll)),
        **accuracies("keras"),
    }


def with_jax() -> Outputs:
    """The name of the function says what it takes."""
    import jax
    import jax.numpy as jnp
    import optax

    cross_entropy = optax.softmax_cross_entropy_with_integer_labels
    z, y = jnp.array(LOGITS), jnp.array(LABELS)
    p = jax.nn.softmax(z)
    log_p = jax.nn.log_softmax(p)
    nll = -jnp.take_along_axis(p, y[:, None], axis=1)
    wrong = -jnp.take_along_axis(jnp.log(z), y[:, None], axis=1).mean()
    return {
        "api": "optax.softmax_cross_entropy_with_integer_labels(logits, labels)",
        "right": float(cross_entropy(z, y).mean()),
        "probabilities_for_logits": float(cross_entropy(p, y).mean()),
        "softmax_twice": float(-jnp.take_along_axis(log_p, y[:, None], axis=1).mean()),
        "logits_for_probabilities": f"-log(z[y]) is {wrong}",
        "nll_of_probabilities": float(nll.mean()),
        **accuracies("jax"),
    }


def pictures(outputs: Outputs) -> dict[str, Any]:
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
