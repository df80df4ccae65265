"""The same networks in the manner of keras.applications, right and with causes planted."""

from typing import Any

import keras
from keras import layers


def _normalized(x: Any, filters: int, size: int, stride: int, epsilon: float = 1e-5) -> Any:
    if size > 1:
        x = layers.ZeroPadding2D(size // 2)(x)
    x = layers.Conv2D(filters, size, strides=stride, use_bias=False)(x)
    return layers.BatchNormalization(epsilon=epsilon, momentum=0.9)(x)


def _block(x: Any, filters: int, stride: int, epsilon: float = 1e-5) -> Any:
    y = layers.ReLU()(_normalized(x, filters, 3, stride))
    y = _normalized(y, filters, 3, 1, epsilon)
    shortcut = _normalized(x, filters, 1, stride) if stride > 1 else x
    return layers.ReLU()(layers.Add()([y, shortcut]))


def _resnet18(*, padding: str = "explicit", epsilon: float = 1e-5) -> keras.Model:
    inputs = keras.Input((224, 224, 3))
    if padding == "same":
        x = layers.Conv2D(64, 7, strides=2, padding="same", use_bias=False)(inputs)
        x = layers.BatchNormalization(epsilon=1e-5)(x)
    else:
        x = _normalized(inputs, 64, 7, 2)
    x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(layers.ReLU()(x)))
    for at, filters in enumerate((64, 128, 256, 512)):
        x = _block(x, filters, 1 if at == 0 else 2, epsilon if at == 2 else 1e-5)
        x = _block(x, filters, 1)
    return keras.Model(inputs, layers.Dense(1000)(layers.GlobalAveragePooling2D()(x)))


def resnet18() -> keras.Model:
    return _resnet18()


def resnet18_with_two_causes() -> keras.Model:
    return _resnet18(padding="same", epsilon=1e-3)
