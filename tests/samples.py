"""Small recipes and data that reach every layer, loss and optimizer."""

from dataclasses import dataclass, field

import numpy as np

from tasks.architecture import Architecture
from tasks.batches import Batches, draw_batches
from tasks.dataset import Dataset
from tasks.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Shape, Sigmoid, Softmax, Tanh
from tasks.task import Recipe
from tasks.training import SGD, Adam, Loss, Optimizer

EPOCHS = 2


@dataclass(frozen=True)
class Sample:
    """A recipe and data for it."""

    recipe: Recipe
    dataset: Dataset = field(repr=False)
    batches: Batches = field(repr=False)


def make_sample(
    shape: Shape,
    layers: tuple[Layer, ...],
    *,
    loss: Loss = "cross_entropy",
    optimizer: Optimizer | None = None,
    count: int = 22,
    batch_size: int = 4,
    seed: int = 0,
) -> Sample:
    """Random inputs and labels that fit the layers, and two epochs of batches; 22 examples in fours leave 2."""
    architecture = Architecture(shape, layers)
    random = np.random.RandomState(seed)
    classes = max(architecture.output_shape[0], 2)
    inputs = random.standard_normal((count, *shape)).astype(np.float32)
    labels = random.randint(0, classes, count).astype(np.int32)
    recipe = Recipe(architecture, loss, optimizer or SGD(0.1, momentum=0.9), batch_size, EPOCHS, True, "pytorch")
    dataset = Dataset(inputs, labels, inputs, labels, tuple(map(str, range(classes))))
    return Sample(recipe, dataset, draw_batches(count, batch_size, EPOCHS, seed, shuffle=True))


SAMPLES = {
    "dense": make_sample((5,), (Dense(7), ReLU(), Dense(3))),
    "dense-adam": make_sample((5,), (Dense(7), Tanh(), Dense(3)), optimizer=Adam(0.01)),
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
    "many-channels": make_sample((6, 6, 12), (Conv2D(4, (3, 3), (2, 2)), ReLU(), Flatten(), Dense(3))),
}
