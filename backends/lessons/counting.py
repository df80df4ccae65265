"""Counting parameters.

784-16-16-10 has (784 + 1) * 16 + (16 + 1) * 16 + (16 + 1) * 10 parameters: count them by arithmetic, as each
framework counts them, and in the model of every task.
"""

from itertools import pairwise

SIZES = (784, 16, 16, 10)
TASKS = {  # the sizes of the dense networks; mnist-cnn has 32 filters of 3 x 3 before its dense layers
    "and-gate": (2, 1),
    "iris-mlp": (4, 10, 10, 3),
    "mnist-mlp": (784, 512, 512, 10),
    "mnist-dense": (784, 128, 128, 10),
}
CNN_DENSE = (14 * 14 * 32, 128, 10)

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


def with_numpy() -> dict:
    """The arrays of each layer, and their sizes."""
    import numpy as np

    def dense(*sizes: int) -> list:
        return [(np.zeros((i, o)), np.zeros(o)) for i, o in pairwise(sizes)]

    def count(layers: list) -> int:
        return sum(kernel.size + bias.size for kernel, bias in layers)

    by_layer = [count([layer]) for layer in dense(*SIZES)]
    cnn = [(np.zeros((3, 3, 1, 32)), np.zeros(32)), *dense(*CNN_DENSE)]
    lines = [f"dense {i:>3} -> {o:<2} {n:>6,}" for (i, o), n in zip(pairwise(SIZES), by_layer, strict=True)]
    return {
        "by_arithmetic": sum((i + 1) * o for i, o in pairwise(SIZES)),
        "by_framework": sum(by_layer),
        "by_layer": by_layer,
        **{name: count(dense(*sizes)) for name, sizes in TASKS.items()},
        "mnist-cnn": count(cnn),
        "summary": "\n".join([*lines, f"total           {sum(by_layer):>6,}"]),
    }


def with_pytorch() -> dict:
    """numel() of every parameter."""
    from torch import nn

    def dense(*sizes: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for i, o in pairwise(sizes):
            layers += [nn.Linear(i, o), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    def count(module: nn.Module) -> int:
        return sum(p.numel() for p in module.parameters())

    network = dense(*SIZES)
    cnn = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        dense(*CNN_DENSE),
    )
    return {
        "by_arithmetic": sum((i + 1) * o for i, o in pairwise(SIZES)),
        "by_framework": count(network),
        "by_layer": [count(layer) for layer in network if isinstance(layer, nn.Linear)],
        **{name: count(dense(*sizes)) for name, sizes in TASKS.items()},
        "mnist-cnn": count(cnn),
        "summary": str(network),
    }


def with_keras() -> dict:
    """count_params() and summary()."""
    import keras
    from keras import layers

    def dense(*sizes: int) -> keras.Sequential:
        hidden = [layers.Dense(o, "relu", name=f"dense_{n}") for n, o in enumerate(sizes[1:-1], 1)]
        last = layers.Dense(sizes[-1], name=f"dense_{len(sizes) - 1}")
        return keras.Sequential([keras.Input(sizes[:1]), *hidden, last], name="network")

    network = dense(*SIZES)
    lines: list[str] = []
    network.summary(line_length=72, print_fn=lines.append)
    cnn = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            dense(*CNN_DENSE),
        ]
    )
    return {
        "by_arithmetic": sum((i + 1) * o for i, o in pairwise(SIZES)),
        "by_framework": network.count_params(),
        "by_layer": [layer.count_params() for layer in network.layers],
        **{name: dense(*sizes).count_params() for name, sizes in TASKS.items()},
        "mnist-cnn": cnn.count_params(),
        "summary": "\n".join(lines),
    }


def with_jax() -> dict:
    """The leaves of nnx.state; nnx.tabulate."""
    import jax
    import jax.numpy as jnp
    from flax import nnx

    rngs = nnx.Rngs(0)

    def dense(*sizes: int) -> nnx.Sequential:
        layers: list = []
        for i, o in pairwise(sizes):
            layers += [nnx.Linear(i, o, rngs=rngs), nnx.relu]
        return nnx.Sequential(*layers[:-1])

    def count(module: nnx.Module) -> int:
        leaves = jax.tree.leaves(nnx.state(module, nnx.Param))
        return sum(leaf.size for leaf in leaves)

    network = dense(*SIZES)
    summary = nnx.tabulate(
        network,
        jnp.ones((1, 784)),
        console_kwargs={"width": 78, "no_color": True, "force_terminal": False},
    )
    cnn = nnx.Sequential(
        nnx.Conv(1, 32, (3, 3), rngs=rngs),
        nnx.relu,
        lambda x: nnx.max_pool(x, (2, 2), strides=(2, 2)),
        lambda x: x.reshape(len(x), -1),
        dense(*CNN_DENSE),
    )
    return {
        "by_arithmetic": sum((i + 1) * o for i, o in pairwise(SIZES)),
        "by_framework": count(network),
        "by_layer": [count(layer) for layer in network.layers if isinstance(layer, nnx.Linear)],
        **{name: count(dense(*sizes)) for name, sizes in TASKS.items()},
        "mnist-cnn": count(cnn),
        "summary": summary.strip(),
    }
