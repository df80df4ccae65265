"""The layers of ``keras.layers`` for sequences (n, time, features)."""

import keras

from tasks import layers
from tasks.layers import Shape


def lstm(layer: layers.LSTM, shape: Shape) -> keras.layers.Layer:
    """(n, time, features) to (n, time, units) or (n, units), with kernels (features, 4 * units) and (units, 4 * units).

    Keras's gates are in the canonical order, and it has one bias.
    """
    return keras.layers.LSTM(layer.units, return_sequences=layer.return_sequences)
