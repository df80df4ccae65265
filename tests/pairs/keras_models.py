"""The same models as users of Keras write them, right and with one cause each."""

from typing import Any

import keras
from keras import layers


def _cnn(padding: str = "explicit", epsilon: float = 1e-5, relu: bool = True) -> keras.Model:
    x = inputs = keras.Input((16, 16, 3))
    if padding == "explicit":
        x = layers.ZeroPadding2D(1)(x)
    x = layers.Conv2D(8, 3, strides=2, padding="valid" if padding == "explicit" else "same")(x)
    x = layers.BatchNormalization(epsilon=epsilon)(x)
    if relu:
        x = layers.ReLU()(x)
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(10, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    return keras.Model(inputs, layers.Dense(5)(x))


def cnn() -> keras.Model:
    return _cnn()


def same_padding() -> keras.Model:
    return _cnn(padding="same")


def epsilon_of_batch_norm() -> keras.Model:
    return _cnn(epsilon=1e-3)


def without_relu() -> keras.Model:
    return _cnn(relu=False)


def two_causes() -> keras.Model:
    return _cnn(padding="same", epsilon=1e-3)


def _mlp(epsilon: float = 1e-5, slope: float = 0.01, activation: str = "gelu", last: str | None = None) -> keras.Model:
    stack = [keras.Input((7,)), layers.Dense(12), layers.LayerNormalization(epsilon=epsilon)]
    stack += [layers.Activation(activation), layers.Dense(9), layers.LeakyReLU(negative_slope=slope)]
    return keras.Sequential([*stack, layers.Dense(4, activation=last)])


def mlp() -> keras.Model:
    return _mlp()


def epsilon_of_layer_norm() -> keras.Model:
    return _mlp(epsilon=1e-3)


def slope() -> keras.Model:
    return _mlp(slope=0.3)


def softmax_at_the_end() -> keras.Model:
    return _mlp(last="softmax")


def without_bias() -> keras.Model:
    stack = [keras.Input((7,)), layers.Dense(12, activation="relu", use_bias=False), layers.Dense(4)]
    return keras.Sequential(stack)


def one_more_layer() -> keras.Model:
    stack = [keras.Input((7,)), layers.Dense(12, activation="relu"), layers.Dense(20, activation="relu")]
    return keras.Sequential([*stack, layers.Dense(4)])


def autoencoder() -> keras.Model:
    stack = [keras.Input((16, 16, 3)), layers.Conv2D(8, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
    stack += [layers.Conv2DTranspose(4, 2, strides=2, activation="relu"), layers.Conv2D(3, 3, padding="same")]
    return keras.Sequential(stack)


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.first = layers.Dense(12, activation="relu")
        self.second = layers.Dense(4)

    def call(self, inputs: Any) -> Any:
        return self.second(self.first(inputs))


def subclassed() -> keras.Model:
    return Subclassed()
