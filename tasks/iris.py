"""Iris: three species from four measurements (Fisher 1936), as scikit-learn ships it."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tasks.architecture import sequence
from tasks.dataset import Dataset
from tasks.errors import DataError
from tasks.layers import Dense, ReLU, Softmax
from tasks.task import Preset, Recipe, Task
from tasks.training import SGD

TEST_EXAMPLES = 60
CLASSES = ("setosa", "versicolor", "virginica")

_STANDARD = Recipe(
    architecture=sequence((4,), (Dense(10), ReLU(), Dense(10), ReLU(), Dense(3))),
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
        architecture=sequence((4,), (*_STANDARD.architecture.layers, Softmax())),
        flaw="the network ends in a softmax, whose probabilities go into a cross-entropy that expects logits:"
        " the softmax is taken twice, gradients shrink and the loss cannot fall below 0.55",
    ),
}


def load(file: Path | None) -> Dataset:
    """90 examples to train on and 60 to test on: ``train_test_split(test_size=0.40, random_state=0)``."""
    if file is not None:
        raise DataError("--data is for the mnist tasks: iris comes from scikit-learn and takes no file")
    # What load_iris and train_test_split do, without their import, which takes 3 seconds of every worker's start.
    package = find_spec("sklearn")
    assert package is not None
    assert package.origin is not None
    text = (Path(package.origin).parent / "datasets" / "data" / "iris.csv").read_text(encoding="ascii")
    _, *rows = (line.split(",") for line in text.split())
    inputs = np.array([row[:4] for row in rows], np.float64).astype(np.float32)
    labels = np.array([row[4] for row in rows], np.int32)
    order = np.random.RandomState(0).permutation(len(labels))
    test, train = order[:TEST_EXAMPLES], order[TEST_EXAMPLES:]
    return Dataset(inputs[train], labels[train], inputs[test], labels[test], CLASSES)


IRIS_MLP = Task(
    name="iris-mlp",
    summary="iris, two hidden layers of 10",
    recipes=RECIPES,
    target_accuracy=0.95,
    load=load,
    classes=CLASSES,
    quick=Preset(100),
)
