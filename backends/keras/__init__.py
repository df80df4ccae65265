"""Keras on TensorFlow: networks of ``keras.layers``. This file imports no framework."""

from backends.about import About
from tasks.layers import Conv2D, Layer, Shape

ABOUT = About(
    name="keras",
    label="Keras",
    modules=("tensorflow", "keras"),
    distributions=("keras", "tensorflow"),
    backend="backends.keras.backend.Backend",
    models={"tuned": "backends.keras.tuned.TunedModel", "stock": "backends.keras.stock.StockModel"},
    formulations={"xla": "compiled by XLA", "graph": "a graph of TensorFlow's own kernels"},
    environment={
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    },
)


def _is_depthwise(layer: Layer, shape: Shape) -> bool:
    """Whether a layer is Keras's ``DepthwiseConv2D``, which TensorFlow computes with equal strides alone.

    Its ``Conv2D`` with as many groups is right too, and takes 170 times as long (64 channels of 28x28, two cores).
    """
    if not isinstance(layer, Conv2D):
        return False
    return layer.groups == shape[2] > 1 and layer.strides[0] == layer.strides[1]
