"""The same as users of Keras write them, right and with one cause each."""

from typing import Any

import keras
from keras import layers, losses, optimizers

Made = tuple[keras.Model, Any, Any]


def _net() -> keras.Model:
    return keras.Sequential([keras.Input((7,)), layers.Dense(12, activation="relu"), layers.Dense(4)])


def sgd() -> Made:
    return _net(), optimizers.SGD(0.1, momentum=0.9), losses.SparseCategoricalCrossentropy(from_logits=True)


def probabilities() -> Made:
    return _net(), optimizers.SGD(0.1, momentum=0.9), losses.SparseCategoricalCrossentropy()


def adam() -> Made:
    return _net(), optimizers.Adam(epsilon=1e-8), losses.SparseCategoricalCrossentropy(from_logits=True)


def adam_decay() -> Made:
    optimizer = optimizers.Adam(epsilon=1e-8, weight_decay=0.01)
    return _net(), optimizer, losses.SparseCategoricalCrossentropy(from_logits=True)


def _cnn(momentum: float) -> Made:
    stack = [keras.Input((8, 8, 3)), layers.Conv2D(4, 3, padding="same")]
    stack += [layers.BatchNormalization(epsilon=1e-5, momentum=momentum), layers.ReLU(), layers.Dropout(0.5)]
    net = keras.Sequential([*stack, layers.Flatten(), layers.Dense(5)])
    return net, optimizers.SGD(0.1, momentum=0.9), losses.SparseCategoricalCrossentropy(from_logits=True)


def cnn() -> Made:
    return _cnn(0.9)


def momentum_of_batch_norm() -> Made:
    return _cnn(0.99)
