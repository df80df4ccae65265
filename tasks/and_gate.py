"""The AND gate: the four rows of its truth table, one sigmoid neuron."""

from pathlib import Path

import numpy as np

from tasks.architecture import sequence
from tasks.dataset import Dataset
from tasks.errors import DataError
from tasks.layers import Dense, Sigmoid
from tasks.task import Preset, Recipe, Task
from tasks.training import SGD

CLASSES = ("false", "true")
RECIPES = {
    "standard": Recipe(
        architecture=sequence((2,), (Dense(1), Sigmoid())),
        loss="sum_of_squared_errors",
        optimizer=SGD(0.1),
        batch_size=4,
        epochs=5000,
        shuffle=False,
        initializer="normal",
    )
}


def load(file: Path | None) -> Dataset:
    """The truth table, as training and as test set."""
    if file is not None:
        raise DataError("--data is for the mnist tasks: and-gate has its four rows and takes no file")
    inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    labels = np.array([0, 0, 0, 1], np.int32)
    return Dataset(inputs, labels, inputs, labels, CLASSES)


AND_GATE = Task(
    name="and-gate",
    summary="the AND gate, one sigmoid neuron",
    recipes=RECIPES,
    target_accuracy=1.0,
    load=load,
    classes=CLASSES,
    quick=Preset(1000),
)
