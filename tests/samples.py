"""Small recipes and data that reach every layer, loss and optimizer."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tasks.architecture import Architecture, sequence
from tasks.batches import Batches, draw_batches
from tasks.dataset import Dataset, Labels
from tasks.initial import Initializer
from tasks.layers import (
    LSTM,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPool2D,
    ReLU,
    Reshape,
    Shape,
    Sigmoid,
    Softmax,
    Tanh,
)
from tasks.schedules import Cosine, Exponential, StepDecay, Warmup
from tasks.task import Recipe
from tasks.training import SGD, Adadelta, Adam, AdamW, Loss, Optimizer, RMSprop
from tests.networks import BRANCHES, MORE_BRANCHES, MORE_LAYERS, STATE_IN_BRANCHES

EPOCHS = 2


@dataclass(frozen=True)
class Sample:
    """A recipe and data for it."""

    recipe: Recipe
    dataset: Dataset = field(repr=False)
    batches: Batches = field(repr=False)


def make_sample(shape: Shape, layers: Sequence[Layer], **options: Any) -> Sample:
    """A sample of layers that follow one another."""
    return sample_of(sequence(shape, layers), **options)


def sample_of(
    architecture: Architecture,
    *,
    loss: Loss = "cross_entropy",
    optimizer: Optimizer | None = None,
    count: int = 22,
    batch_size: int = 4,
    seed: int = 0,
    initializer: Initializer = "pytorch",
    **training: Any,
) -> Sample:
    """Random inputs and labels that fit the network and the loss, and two epochs of batches: 5 of 4 examples, one of 2.

    ``training``: further fields of the recipe: schedule, clip_norm, label_smoothing.
    """
    random = np.random.RandomState(seed)
    classes = max(architecture.output_shape[0], 2)
    inputs = random.standard_normal((count, *architecture.input_shape)).astype(np.float32)
    labels: Labels = random.randint(0, classes, count).astype(np.int32)
    if numbers := loss == "mean_squared_error":
        labels = random.normal(3, 2, count).astype(np.float32)
    batches = draw_batches(count, batch_size, EPOCHS, seed, shuffle=True)
    recipe = Recipe(architecture, loss, optimizer or SGD(0.1, momentum=0.9), batch_size, EPOCHS, True, initializer)
    recipe = replace(recipe, steps_an_epoch=batches.steps, **training)
    dataset = Dataset(inputs, labels, inputs, labels, () if numbers else tuple(map(str, range(classes))))
    return Sample(recipe, dataset, batches)


SAMPLES = {
    "dense": make_sample((5,), (Dense(7), ReLU(), Dense(3))),
    "dense-adam": make_sample((5,), (Dense(7, bias=False), Tanh(), Dense(3)), optimizer=Adam(0.01)),
    "sigmoid-squares": make_sample((2,), (Dense(4), Sigmoid(), Dense(1), Sigmoid()), loss="sum_of_squared_errors"),
    "softmax-in-logits": make_sample((5,), (Dense(6), ReLU(), Dense(3), Softmax())),
    "softmax-in-likelihood": make_sample((5,), (Dense(6), ReLU(), Dense(3), Softmax()), loss="negative_log_likelihood"),
    "convolution": make_sample(
        (8, 6, 1), (Conv2D(5), ReLU(), MaxPool2D(), Flatten(), Dense(6), ReLU(), Dense(3)), optimizer=SGD(0.05)
    ),
    "convolutions-adam": make_sample(
        (9, 7, 3),
        (
            Conv2D(6, (3, 2), (2, 1), "same"),
            Tanh(),
            Conv2D(4, (2, 3), (1, 1), "valid"),
            MaxPool2D((2, 1)),
            Flatten(),
            Dense(3),
        ),
        optimizer=Adam(0.003),
    ),
    "uneven-padding": make_sample(
        (7, 6, 2),
        (Conv2D(4, (2, 3), (2, 1), "same"), ReLU(), MaxPool2D(), Flatten(), Dense(3)),
        optimizer=SGD(0.05, 0.9),
        count=250,
        batch_size=120,  # and a last one of 10: JAX has two forms of the gradient
    ),
    "nesterov-warm-up": make_sample(
        (5,),
        (Dense(7), ReLU(), Dense(3)),
        optimizer=SGD(0.1, 0.9, nesterov=True, weight_decay=0.1),
        schedule=Warmup(0.5, Cosine(0.1)),
        clip_norm=0.5,
        label_smoothing=0.1,
    ),
    "binary-rmsprop-steps": make_sample(
        (5,),
        (Dense(7), Tanh(), Dense(1)),
        loss="binary_cross_entropy",
        optimizer=RMSprop(0.003, momentum=0.5, weight_decay=0.1),
        schedule=StepDecay(0.5),
    ),
    "squares-adadelta-exponential": make_sample(
        (5,),
        (Dense(7), Tanh(), Dense(1)),
        loss="mean_squared_error",
        optimizer=Adadelta(1.0, weight_decay=0.1),
        schedule=Exponential(0.5),
    ),
    "convolution-adamw": make_sample(
        (6, 5, 2), (Conv2D(4), ReLU(), Flatten(), Dense(3)), optimizer=AdamW(0.003, weight_decay=0.5), clip_norm=1.0
    ),
    "branches": sample_of(BRANCHES, optimizer=SGD(0.05, 0.9)),
    "branches-adam": sample_of(BRANCHES, optimizer=Adam(0.003)),
    "normalized": make_sample(
        (6, 5, 2),
        (
            Conv2D(4, bias=False),
            BatchNorm(unbiased=True),
            Tanh(),  # behind a ReLU the next one would normalize this one's scale away
            MaxPool2D(),
            Flatten(),
            BatchNorm(0.8, 1e-3),
            Dense(7),
            ReLU(),
            Dense(3),
        ),
        optimizer=SGD(0.05, 0.9),
        count=27,
        batch_size=6,  # of few examples, the variance is chance
    ),
    "dropped": make_sample(
        (6, 5, 2),
        (Conv2D(4), Dropout(0.3), ReLU(), Flatten(), Dropout(0.25), Dense(7), Tanh(), Dropout(0.5), Dense(3)),
        optimizer=SGD(0.01, 0.9),
    ),
    "state-in-branches": sample_of(STATE_IN_BRANCHES, optimizer=SGD(0.05), count=27, batch_size=6),
    "more-layers": make_sample((9, 8, 4), MORE_LAYERS, optimizer=SGD(0.002, 0.9), seed=1),
    "more-branches-adam": sample_of(MORE_BRANCHES, optimizer=Adam(0.003)),
    "sequences": make_sample(
        (6, 5, 1),
        (Reshape((6, 5)), LSTM(4, return_sequences=True), Tanh(), LSTM(3), Dense(3)),
        optimizer=SGD(0.05, 0.9),
        initializer="normal",
    ),
    "reshaped": make_sample((4, 3, 2), (Conv2D(2), Flatten(), Reshape((3, 2, 4)), Conv2D(3), Flatten(), Dense(3))),
    "many-channels": make_sample((6, 6, 12), (Conv2D(4, (3, 3), (2, 2)), ReLU(), Flatten(), Dense(3))),
}
COVERED = (
    "dense-adam",
    "softmax-in-logits",
    "convolutions-adam",
    "convolution-adamw",
    "branches",
    "normalized",
    "more-branches-adam",
    "many-channels",
    "reshaped",
)
"""Samples whose layers and rules others have too: the slow suite holds backends to the contract with them."""
