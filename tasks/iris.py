"""Iris: three species from four measurements (Fisher 1936), as scikit-learn ships it."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tasks.architecture import Architecture, Dense, ReLU, Softmax
from tasks.errors import DataError
from tasks.task import SGD, Dataset, Recipe

_STANDARD = Recipe(
    architecture=Architecture((4,), (Dense(10), ReLU(), Dense(10), ReLU(), Dense(3))),
    loss="cross_entropy",
    optimizer=SGD(0.01, momentum=0.9),
    batch_size=10,
    epochs=100,
    shuffle=False,
    initializer="pytorch",
)
RECIPES = {
    "standard": _STANDARD,
    "as-written": replace(
        _STANDARD,
        architecture=Architecture((4,), (*_STANDARD.architecture.layers, Softmax())),
        flaw="the network ends in a softmax, whose probabilities go into a cross-entropy that expects logits:"
        " the softmax is taken twice, gradients shrink and the loss cannot fall below 0.55",
    ),
}


def load(file: Path | None) -> Dataset:
    """90 examples to train on and 60 to test on: ``train_test_split(test_size=0.40, random_state=0)``."""
    if file is not None:
        raise DataError("--data is for the mnist tasks: iris comes from scikit-learn and takes no file")
    from sklearn.datasets import load_iris  # slow to import, and needed for this task alone
    from sklearn.model_selection import train_test_split

    iris = load_iris()
    train_inputs, test_inputs, train_labels, test_labels = train_test_split(
        iris.data.astype(np.float32), iris.target.astype(np.int32), test_size=0.40, random_state=0
    )
    return Dataset(train_inputs, train_labels, test_inputs, test_labels, tuple(map(str, iris.target_names)))
