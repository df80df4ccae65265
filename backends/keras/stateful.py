"""The layers of ``keras.layers`` that train otherwise than they answer."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from tasks import layers
from tasks.layers import Shape
from tasks.masks import mask_rows


def batch_norm(layer: layers.BatchNorm, shape: Shape) -> keras.layers.Layer:
    """(n, channels) or (n, height, width, channels) to the same."""
    kind = _UnbiasedBatchNorm if layer.unbiased else keras.layers.BatchNormalization
    return kind(momentum=layer.momentum, epsilon=layer.epsilon)


class _UnbiasedBatchNorm(keras.layers.BatchNormalization):
    """Moves the running variance towards the batch's unbiased one, as PyTorch does; Keras takes the biased."""

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        kept = self.momentum * ops.convert_to_tensor(self.moving_variance)  # before it moves, which may be in its place
        outputs = super().call(inputs, training=training)
        if training:
            count = ops.cast(math.prod(ops.shape(inputs)[:-1]), self.moving_variance.dtype)
            moved = ops.convert_to_tensor(self.moving_variance) - kept
            self.moving_variance.assign(kept + moved * (count / ops.maximum(count - 1, 1)))
        return outputs


_UnbiasedBatchNorm.__name__ = "BatchNormalization"  # Keras names the layer and its part of a file after it


class _MaskedDropout(keras.layers.Layer):
    """Dropout by the masks of a table, (rows, *shape of an example), instead of Keras's own draw."""

    def __init__(self, layer: layers.Dropout, shape: Shape) -> None:
        super().__init__()
        self.rate = layer.rate
        self.mask_seed, self.next_row = (
            self.add_weight(shape=(), initializer="zeros", trainable=False, name=name) for name in ("seed", "next_row")
        )
        rows = mask_rows(shape)
        self.table = self.add_weight(
            shape=(rows, *shape), initializer="ones", dtype="bool", trainable=False, name="table"
        )

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        if not training:
            return inputs
        rows, count = self.table.shape[0], ops.shape(inputs)[0]
        next_row = ops.cast(ops.convert_to_tensor(self.next_row), "int32")
        taken = (next_row + ops.arange(count, dtype="int32")) % rows
        masks = ops.take(ops.convert_to_tensor(self.table), taken, axis=0)
        self.next_row.assign(ops.cast((next_row + count) % rows, self.next_row.dtype))
        return inputs * (ops.cast(masks, inputs.dtype) * np.float32(1 / (1 - self.rate)))

    def save_own_variables(self, store: Any) -> None:
        """Writes nothing: a file is for networks with Keras's own layer, which has none of this."""

    def load_own_variables(self, store: Any) -> None:
        """Reads nothing."""


_MaskedDropout.__name__ = "Dropout"
_STATEFUL = (keras.layers.BatchNormalization, keras.layers.Dropout, _MaskedDropout)
"""The layers that have to be told whether they are trained."""
