"""The MNIST examples that the three frameworks publish, each with its network, inputs and training; a residual network.

Sources: ``mnist/main.py`` of PyTorch's examples, "Simple MNIST convnet" of Keras's, ``examples/mnist`` of flax's. Each
draws its initial weights as its framework does. Where an example ends in a softmax and a loss of probabilities, the
network here ends before it, and the loss is the cross-entropy of logits: the same function, computed safely. The
recipes ``as-published`` also choose the examples as each of them does on a CPU.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from tasks.architecture import INPUT, Architecture, Node, sequence
from tasks.layers import (
    Add,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    MaxPool2D,
    ReLU,
)
from tasks.mnist import CLASSES, MLP_SCALE, standardize, standardized
from tasks.schedules import Cosine, StepDecay, Warmup
from tasks.task import Preset, Recipe, Task
from tasks.training import SGD, Adadelta, Adam

PLAIN_SCALE = (0.0, 1.0)
"""Mean and standard deviation of pixels that are divided by 255 alone."""
_IMAGE = (28, 28, 1)

PYTORCH_EXAMPLE = Recipe(
    architecture=sequence(
        _IMAGE,
        (
            Conv2D(32, (3, 3), padding="valid"),
            ReLU(),
            Conv2D(64, (3, 3), padding="valid"),
            ReLU(),
            MaxPool2D((2, 2)),
            Dropout(0.25),
            Flatten(),
            Dense(128),
            ReLU(),
            Dropout(0.5),
            Dense(10),
        ),
    ),
    loss="cross_entropy",
    optimizer=Adadelta(1.0, 0.9, 1e-6),
    batch_size=64,
    epochs=14,
    shuffle=True,
    initializer="pytorch",
    schedule=StepDecay(0.7),
)
KERAS_EXAMPLE = Recipe(
    architecture=sequence(
        _IMAGE,
        (
            Conv2D(32, (3, 3), padding="valid"),
            ReLU(),
            MaxPool2D((2, 2)),
            Conv2D(64, (3, 3), padding="valid"),
            ReLU(),
            MaxPool2D((2, 2)),
            Flatten(),
            Dropout(0.5),
            Dense(10),
        ),
    ),
    loss="cross_entropy",
    optimizer=Adam(0.001, epsilon=1e-7),
    batch_size=128,
    epochs=15,
    shuffle=True,
    initializer="keras",
)
FLAX_EXAMPLE = Recipe(
    architecture=sequence(
        _IMAGE,
        (
            Conv2D(32, (3, 3)),
            Dropout(0.025),
            BatchNorm(0.99),
            ReLU(),
            AveragePool2D((2, 2)),
            Conv2D(64, (3, 3)),
            BatchNorm(0.99),
            ReLU(),
            AveragePool2D((2, 2)),
            Flatten(),
            Dense(256),
            Dropout(0.025),
            ReLU(),
            Dense(10),
        ),
    ),
    loss="cross_entropy",
    optimizer=SGD(0.1, momentum=0.9),
    batch_size=1024,
    epochs=10,
    shuffle=True,
    initializer="flax",
)
PYTORCH_RECIPES = {
    "standard": PYTORCH_EXAMPLE,
    "as-published": replace(
        PYTORCH_EXAMPLE,
        shuffle=False,
        flaw="the examples come in the same order in every epoch: it shuffles them only where there is an accelerator",
    ),
}
KERAS_RECIPES = {
    "standard": KERAS_EXAMPLE,
    "as-published": replace(
        KERAS_EXAMPLE,
        held_out=0.1,
        flaw="the last tenth of the training examples is held out for validation: it trains on 54,000 of 60,000",
    ),
}
FLAX_RECIPES = {
    "standard": FLAX_EXAMPLE,
    "as-published": replace(
        FLAX_EXAMPLE,
        shuffle_buffer=1024,
        drop_remainder=True,
        test_batch_size=128,
        flaw="it draws from a buffer of 1,024 examples in their order, leaves out those that fill no batch (608 of"
        " 60,000 in every epoch), and tests on 9,984 of 10,000, as they fill batches of 128",
    ),
}


def _block(name: str, before: str, width: int, *, smaller: bool) -> list[Node]:
    """A residual block: two convolutions beside a shortcut. A smaller image is pooled first, on both ways."""
    nodes = [Node(f"{name}_pool", AveragePool2D((2, 2)), (before,))] if smaller else []
    start = f"{name}_pool" if smaller else before
    nodes += [
        Node(f"{name}_conv1", Conv2D(width, (3, 3), bias=False), (start,)),
        Node(f"{name}_norm1", BatchNorm(0.9), (f"{name}_conv1",)),
        Node(f"{name}_relu1", ReLU(), (f"{name}_norm1",)),
        Node(f"{name}_conv2", Conv2D(width, (3, 3), bias=False), (f"{name}_relu1",)),
        Node(f"{name}_norm2", BatchNorm(0.9), (f"{name}_conv2",)),
    ]
    shortcut = start
    if smaller:
        nodes += [
            Node(f"{name}_conv3", Conv2D(width, (1, 1), bias=False), (start,)),
            Node(f"{name}_norm3", BatchNorm(0.9), (f"{name}_conv3",)),
        ]
        shortcut = f"{name}_norm3"
    nodes += [
        Node(f"{name}_sum", Add(), (f"{name}_norm2", shortcut)),
        Node(f"{name}_relu2", ReLU(), (f"{name}_sum",)),
    ]
    return nodes


RESNET = Recipe(
    architecture=Architecture(
        _IMAGE,
        (
            Node("stem_conv", Conv2D(16, (3, 3), bias=False), (INPUT,)),
            Node("stem_norm", BatchNorm(0.9), ("stem_conv",)),
            Node("stem_relu", ReLU(), ("stem_norm",)),
            *_block("block1", "stem_relu", 32, smaller=True),
            *_block("block2", "block1_relu2", 32, smaller=False),
            *_block("block3", "block2_relu2", 64, smaller=True),
            Node("mean", GlobalAveragePool2D(), ("block3_relu2",)),
            Node("head", Dense(10), ("mean",)),
        ),
    ),
    loss="cross_entropy",
    optimizer=SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.0005),
    batch_size=128,
    epochs=10,
    shuffle=True,
    initializer="he",
    schedule=Warmup(1, Cosine()),
)


def _task(name: str, summary: str, recipes: Mapping[str, Recipe], scale: tuple[float, float], quick: Preset) -> Task:
    return Task(
        name=name,
        summary=summary,
        recipes=recipes,
        target_accuracy=0.98,
        load=standardized(*scale),
        classes=CLASSES,
        quick=quick,
        prepare=partial(standardize, *scale),
        accepts_file=True,
    )


MNIST_PYTORCH_EXAMPLE = _task(
    "mnist-pytorch-example",
    "MNIST as in PyTorch's example: two convolutions, dropout, Adadelta",
    PYTORCH_RECIPES,
    MLP_SCALE,
    Preset(3, 2_000),
)
MNIST_KERAS_EXAMPLE = _task(
    "mnist-keras-example",
    "MNIST as in Keras's example: two convolutions, dropout, Adam",
    KERAS_RECIPES,
    PLAIN_SCALE,
    Preset(3, 6_000),
)
MNIST_FLAX_EXAMPLE = _task(
    "mnist-flax-example",
    "MNIST as in flax's example: two convolutions, batch normalization, SGD",
    FLAX_RECIPES,
    PLAIN_SCALE,
    Preset(3, 4_000, batch_size=128),
)
MNIST_RESNET = _task(
    "mnist-resnet",
    "MNIST, a residual network with batch normalization and a cosine schedule",
    {"standard": RESNET},
    MLP_SCALE,
    Preset(3, 3_000),
)
