"""The training step.

Forward, loss, backward, update, in each framework's idiom: a linear classifier on iris, from zeros, in batches of 10,
SGD with momentum, five epochs. And which of them changes which values in place.
"""

from typing import Any

from numpy.typing import NDArray

from tasks import load_task

RATE, MOMENTUM, EPOCHS = 0.01, 0.9, 5
BATCHES = [slice(start, start + 10) for start in range(0, 90, 10)]

NOTE = (
    "PyTorch mutates: backward() adds to each parameter's .grad, step() changes parameters and the optimizer's "
    "buffers in place, and zero_grad() must be called because gradients accumulate. Keras mutates Variables, the "
    "weights and the optimizer's momenta, while gradients are plain values that the tape returns; fit() runs this "
    "same step. JAX's functions mutate nothing: gradients, updates and states are values. flax.nnx puts a mutable "
    "surface on top: optimizer.update(model, gradients) replaces the arrays inside the model's Params, so an array "
    "taken out before the step keeps its old numbers, whereas a PyTorch tensor taken out before shows the new ones. "
    "nnx.jit carries these replacements in and out of the compiled step."
)
DIFFERS = {
    "old_reference_shows": "what a reference to the parameters, taken before training, shows afterwards",
    "optimizer_state": "what the optimizer calls its state; by hand there is no optimizer",
}


def iris() -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Iris as the iris-mlp task splits it: 90 flowers to train on and 60 to test on."""
    data = load_task("iris-mlp").source.load(None)
    return data.train_inputs, data.train_labels, data.test_inputs, data.test_labels


def with_numpy() -> dict:
    """The gradient of the cross-entropy by hand."""
    import numpy as np

    x_train, y_train, x_test, y_test = iris()
    w, b = np.zeros((4, 3), np.float32), np.zeros(3, np.float32)
    v_w, v_b = np.zeros_like(w), np.zeros_like(b)
    before = w
    losses = []
    for _ in range(EPOCHS):
        for batch in BATCHES:
            x, y = x_train[batch], y_train[batch]
            z = x @ w + b  # forward
            p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
            right = np.arange(len(y)), y
            losses.append(-np.log(p[right]).mean())  # loss
            d_z = p.copy()  # backward
            d_z[right] -= 1
            d_z /= np.float32(len(y))
            v_w = MOMENTUM * v_w + x.T @ d_z  # update
            v_b = MOMENTUM * v_b + d_z.sum(axis=0)
            w -= RATE * v_w
            b -= RATE * v_b
    answers = (x_test @ w + b).argmax(axis=1)
    return {
        "losses": np.array(losses),
        "kernel": w,
        "accuracy": float((answers == y_test).mean()),
        "old_reference_shows": "new numbers" if before.any() else "old numbers",
    }


def with_pytorch() -> dict:
    """zero_grad, forward, loss, backward, step."""
    import torch
    from torch import nn

    x_train, y_train, x_test, y_test = iris()
    model = nn.Linear(4, 3)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    before = model.weight.detach()

    x, y = torch.tensor(x_train), torch.tensor(y_train).long()
    losses = []
    model.train()
    for _ in range(EPOCHS):
        for batch in BATCHES:
            optimizer.zero_grad()
            loss = loss_fn(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        answers = model(torch.tensor(x_test)).argmax(dim=1).numpy()
    state = optimizer.state[model.weight]
    return {
        "losses": losses,
        "kernel": model.weight.detach().T.numpy(),
        "accuracy": float((answers == y_test).mean()),
        "old_reference_shows": "new numbers" if before.any() else "old numbers",
        "optimizer_state": f"optimizer.state: {', '.join(state)}",
    }


def with_keras() -> dict:
    """A custom step: tape, gradient, apply."""
    import keras
    import tensorflow as tf

    x_train, y_train, x_test, y_test = iris()
    dense = keras.layers.Dense(3, kernel_initializer="zeros", name="dense")
    model = keras.Sequential([keras.Input((4,)), dense], name="model")
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(RATE, momentum=MOMENTUM)
    before = dense.kernel

    @tf.function
    def train_step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        variables = model.trainable_variables
        gradients = tape.gradient(loss, variables)
        optimizer.apply(gradients, variables)
        return loss

    losses = []
    for _ in range(EPOCHS):
        for batch in BATCHES:
            loss = train_step(tf.constant(x_train[batch]), tf.constant(y_train[batch]))
            losses.append(float(loss))
    answers = model(x_test, training=False).numpy().argmax(axis=1)
    state = [v.name for v in optimizer.variables]
    return {
        "losses": losses,
        "kernel": dense.kernel.numpy(),
        "accuracy": float((answers == y_test).mean()),
        "old_reference_shows": "new numbers" if before.numpy().any() else "old numbers",
        "optimizer_state": f"optimizer.variables: {', '.join(state)}",
    }


def with_jax() -> dict:
    """nnx.value_and_grad, optimizer.update, in nnx.jit."""
    import jax
    import numpy as np
    import optax
    from flax import nnx

    x_train, y_train, x_test, y_test = iris()
    zeros = nnx.initializers.zeros
    model = nnx.Linear(4, 3, kernel_init=zeros, rngs=nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.sgd(RATE, momentum=MOMENTUM), wrt=nnx.Param)
    before = model.kernel[...]

    def loss_fn(model: nnx.Linear, x: jax.Array, y: jax.Array) -> jax.Array:
        losses = optax.softmax_cross_entropy_with_integer_labels(model(x), y)
        return losses.mean()

    @nnx.jit
    def train_step(model: nnx.Linear, optimizer: nnx.Optimizer, x: jax.Array, y: jax.Array) -> jax.Array:
        loss, gradients = nnx.value_and_grad(loss_fn)(model, x, y)
        optimizer.update(model, gradients)
        return loss

    losses = []
    for _ in range(EPOCHS):
        for batch in BATCHES:
            losses.append(float(train_step(model, optimizer, x_train[batch], y_train[batch])))
    answers = np.asarray(model(x_test)).argmax(axis=1)
    state = optimizer.opt_state[0]
    return {
        "losses": losses,
        "kernel": np.asarray(model.kernel[...]),
        "accuracy": float((answers == y_test).mean()),
        "old_reference_shows": "new numbers" if before.any() else "old numbers",
        "optimizer_state": f"optimizer.opt_state: {', '.join(state._fields)}",
    }


def pictures(outputs: dict) -> dict[str, Any]:
    """The loss of every step."""
    import altair as alt

    values = [{"step": step, "loss": loss} for step, loss in enumerate(outputs["losses"], 1)]
    x, y = alt.X("step:Q", title="step"), alt.Y("loss:Q", title="loss of the batch")
    chart = alt.Chart(alt.Data(values=values)).mark_line(point=True).encode(x=x, y=y)
    return {"The loss of each of the 45 steps: it falls, and jumps from batch to batch.": chart}
