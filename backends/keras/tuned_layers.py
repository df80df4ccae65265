"""Layers in forms that TensorFlow computes faster, with the same parameters and the same results."""

from functools import partial
from typing import Any

import keras
import tensorflow as tf

from backends.fusion import PooledConv2D
from backends.keras.layers import LAYERS, BuildLayer, Module, _unique, conv2d
from tasks.layers import Layer, MaxPool2D, Shape


class _PoolFirst(keras.layers.Conv2D):
    """Convolution, pool, bias, ReLU: (n, height, width, in) to (n, height', width', filters) of the pooled image."""

    def __init__(self, pool: MaxPool2D, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, name=_unique("pool_first"), **options)
        self.pool = keras.layers.MaxPooling2D(pool.size)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        x = self.pool(self.convolution_op(x, self.kernel))
        return keras.ops.relu(x + self.bias if self.use_bias else x)

    def compute_output_shape(self, shape: Any) -> Any:
        return self.pool.compute_output_shape(super().compute_output_shape(shape))


def _pooled_conv2d(layer: PooledConv2D, shape: Shape) -> Module:
    return conv2d(layer.convolution, shape, partial(_PoolFirst, layer.pool))


TUNED_LAYERS: dict[type[Layer], BuildLayer] = {
    **LAYERS,
    PooledConv2D: _pooled_conv2d,
}
