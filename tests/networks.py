"""Small networks that branch, or have every layer in a row."""

from tasks.architecture import INPUT, Architecture, Node
from tasks.layers import (
    GELU,
    Add,
    AveragePool2D,
    BatchNorm,
    Concatenate,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Tanh,
)

BRANCHES = Architecture(
    (6, 5, 2),
    (
        Node("stem", Conv2D(4), (INPUT,)),
        Node("bend", Tanh(), ("stem",)),
        Node("left", Conv2D(4, (1, 1)), ("bend",)),
        Node("right", Conv2D(3, (3, 2)), ("bend",)),
        Node("slope", ReLU(), ("right",)),
        Node("halved", MaxPool2D(), ("slope",)),
        Node("again", Add(), ("left", "bend", "stem")),
        Node("smaller", MaxPool2D(), ("again",)),
        Node("both", Concatenate(), ("smaller", "halved")),
        Node("flat", Flatten(), ("both",)),
        Node("beside", Flatten(), (INPUT,)),
        Node("narrow", Dense(42), ("beside",)),
        Node("sum", Add(), ("flat", "narrow")),
        Node("out", Dense(3), ("sum",)),
    ),
)
"""A network that branches, with an output that is taken three times and a pool that can be fused."""

STATE_IN_BRANCHES = Architecture(
    (6, 5, 2),
    (
        Node("stem", Conv2D(4, bias=False), (INPUT,)),
        Node("norm", BatchNorm(0.7), ("stem",)),
        Node("slope", Tanh(), ("norm",)),
        Node("dropped", Dropout(0.2), ("slope",)),
        Node("sum", Add(), ("dropped", "stem")),
        Node("flat", Flatten(), ("sum",)),
        Node("again", BatchNorm(0.9, unbiased=True), ("flat",)),
        Node("out", Dense(3), ("again",)),
    ),
)
"""A network with batch normalization and dropout in a branch."""
MORE_LAYERS = (
    Conv2D(8, (3, 2), (1, 1), ((2, 1), (0, 1)), bias=False),
    ReLU(),
    MaxPool2D(),
    Conv2D(6, (2, 2), (1, 1), ((1, 0), (0, 1)), groups=2),
    LayerNorm(1e-3),
    ConvTranspose2D(4, (3, 2), (2, 3)),  # an odd row is cropped, and a column is added
    LeakyReLU(0.2),
    MaxPool2D((3, 3), (2, 2), ((1, 1), (1, 0))),
    Conv2D(8, groups=4),
    GELU(),
    AveragePool2D((3, 3), (2, 2), ((1, 0), (0, 1))),
    Flatten(),
    LayerNorm(),
    Dense(3),
)
"""Every layer whose convention differs from framework to framework, in a row."""
MORE_BRANCHES = Architecture(
    (6, 7, 3),
    (
        Node("stem", Conv2D(6, (3, 3), (2, 2), ((1, 0), (1, 1)), bias=False), (INPUT,)),
        Node("beside", AveragePool2D((2, 2), padding="same", count_padding=True), (INPUT,)),
        Node("both", Concatenate(), ("stem", "beside")),
        Node("normal", LayerNorm(), ("both",)),
        Node("bend", GELU(approximate=True), ("normal",)),
        Node("larger", ConvTranspose2D(5, (2, 2), (3, 2), "valid", bias=False), ("bend",)),
        Node("maximum", MaxPool2D((3, 3), (2, 2), "same"), ("larger",)),
        Node("slope", LeakyReLU(), ("maximum",)),
        Node("padded", AveragePool2D((2, 2), (1, 1), ((1, 1), (1, 1)), count_padding=True), ("slope",)),
        Node("mean", GlobalAveragePool2D(), ("padded",)),
        Node("other", GlobalAveragePool2D(), ("normal",)),
        Node("vector", Concatenate(), ("mean", "other")),
        Node("again", LayerNorm(0.01), ("vector",)),
        Node("out", Dense(3), ("again",)),
    ),
)
"""The same in a graph."""
