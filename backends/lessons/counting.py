"""Counting parameters.

784-16-16-10 has (784 + 1) * 16 + (16 + 1) * 16 + (16 + 1) * 10 parameters: count them by arithmetic, as each
framework counts them, and in the model of every task.
"""

from itertools import pairwise

from backends.lessons import Outputs
from tasks import available_tasks, load_task

SIZES = (784, 16, 16, 10)

NOTE = (
    "A dense layer has in * out weights and out biases; a convolution height * width * in * out and out; activations, "
    "pooling and flattening have none. PyTorch has no count of its own: sum p.numel() over parameters(), and printing "
    "a module shows its structure only. Keras has count_params() and summary(), which need to know the input shape (a "
    "model that is not built has no weights). flax has nnx.tabulate, which runs the model on an example to find the "
    "shapes; a count is a sum over the leaves of nnx.state(model, nnx.Param). Beware of counts that include what is "
    "not trained: Keras counts the moving statistics of BatchNormalization as non-trainable parameters, PyTorch keeps "
    "them apart as buffers, and flax as BatchStat variables."
)
DIFFERS = {"summary": "each framework's own description of the same network"}


def with_numpy() -> Outputs:
    """The arrays of each layer, and their sizes."""
    import numpy as np

    from backends import load_backend

    pairs = list(pairwise(SIZES))
    layers = [(np.zeros((i, o)), np.zeros(o)) for i, o in pairs]
    by_layer = [kernel.size + bias.size for kernel, bias in layers]

    backend = load_backend("numpy")
    by_task = {}
    for name in available_tasks():
        task = load_task(name)
        model = backend.build(task, task.parameters(seed=0))
        by_task[name] = model.parameter_count()
    lines = [f"dense {i:>3} -> {o:<2} {count:>6,}" for (i, o), count in zip(pairs, by_layer, strict=True)]
    return {
        "by_arithmetic": sum((i + 1) * o for i, o in pairs),
        "by_framework": sum(by_layer),
        "by_layer": by_layer,
        **by_task,
        "summary": "\n".join([*lines, f"total           {sum(by_layer):>6,}"]),
    }


def with_pytorch() -> Outputs:
    """numel() of every parameter."""
    from torch import nn

    from backends import load_backend

    network = nn.Sequential(
        nn.Linear(784, 16),
        nn.ReLU(),
        nn.Linear(16, 16),
        nn.ReLU(),
        nn.Linear(16, 10),
    )
    count = sum(p.numel() for p in network.parameters())
    by_layer = [sum(p.numel() for p in layer.parameters()) for layer in network if isinstance(layer, nn.Linear)]

    backend = load_backend("pytorch")
    by_task = {}
    for name in available_tasks():
        task = load_task(name)
        model = backend.build(task, task.parameters(seed=0))
        by_task[name] = model.parameter_count()
    return {
        "by_arithmetic": sum((i + 1) * o for i, o in pairwise(SIZES)),
        "by_framework": count,
        "by_layer": by_layer,
        **by_task,
        "summary": str(network),
    }


def with_keras() -> Outputs:
    """count_params() and summary()."""
    import keras

    from backends import load_backend

    network = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(16, "relu", name="dense_1"),
            keras.layers.Dense(16, "relu", name="dense_2"),
            keras.layers.Dense(10, name="dense_3"),
        ],
        name="network",
    )
    count = network.count_params()
    by_layer = [layer.count_params() for layer in network.layers]
    lines: list[str] = []
    network.summary(line_length=72, print_fn=lines.append)

    backend = load_backend("keras")
    by_task = {}
    for name in available_tasks():
        task = load_task(name)
        model = backend.build(task, task.parameters(seed=0))
        by_task[name] = model.parameter_count()
    return {
        "by_arithmetic": sum((i + 1) * o for i, o in pairwise(SIZES)),
        "by_framework": count,
        "by_layer": by_layer,
        **by_task,
        "summary": "\n".join(lines),
    }


def with_jax() -> Outputs:
    """The leaves of nnx.state; nnx.tabulate."""
    import jax
    import jax.numpy as jnp
    from flax import nnx

    from backends import load_backend

    rngs = nnx.Rngs(0)
    network = nnx.Sequential(
        nnx.Linear(784, 16, rngs=rngs),
        nnx.relu,
        nnx.Linear(16, 16, rngs=rngs),
        nnx.relu,
        nnx.Linear(16, 10, rngs=rngs),
    )
    leaves = jax.tree.leaves(nnx.state(network, nnx.Param))
    by_layer = [layer.kernel.size + layer.bias.size for layer in network.layers if isinstance(layer, nnx.Linear)]
    summary = nnx.tabulate(
        network,
        jnp.ones((1, 784)),
        console_kwargs={"width": 78, "no_color": True, "force_terminal": False},
    )

    backend = load_backend("jax")
    by_task = {}
    for name in available_tasks():
        task = load_task(name)
        model = backend.build(task, task.parameters(seed=0))
        by_task[name] = model.parameter_count()
    return {
        "by_arithmetic": sum((i + 1) * o for i, o in pairwise(SIZES)),
        "by_framework": sum(leaf.size for leaf in leaves),
        "by_layer": by_layer,
        **by_task,
        "summary": summary.strip(),
    }
