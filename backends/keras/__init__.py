"""Keras on TensorFlow: networks of ``keras.layers``. This file imports no framework."""

from backends.about import About
from tasks.arithmetic import Arithmetic
from tasks.layers import Conv2D, Layer, Shape

ABOUT = About(
    name="keras",
    label="Keras",
    modules=("tensorflow", "keras"),
    distributions=("keras", "tensorflow"),
    backend="backends.keras.backend.Backend",
    models={"tuned": "backends.keras.tuned.TunedModel", "stock": "backends.keras.stock.StockModel"},
    parallel="backends.keras.parallel.ParallelModel",
    formulations={"xla": "compiled by XLA", "graph": "a graph of TensorFlow's own kernels"},
    environment={
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    },
    gpu=("tensorflow[and-cuda]",),
)


def _configure(engine: str) -> None:
    """Undoes what a user's keras.json or environment may say to Keras.

    Args:
        engine: that Keras must be on: ``"tensorflow"``, ``"jax"`` or ``"torch"``.

    Raises:
        RuntimeError: it is on another one.
    """
    import keras

    if keras.config.backend() != engine:
        raise RuntimeError(
            f"Keras is on {keras.config.backend()} in this process: set KERAS_BACKEND={engine} before it is imported"
        )
    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_last")
    keras.config.set_max_epochs(None)  # KERAS_MAX_EPOCHS and KERAS_MAX_STEPS_PER_EPOCH would end fit early
    keras.config.set_max_steps_per_epoch(None)


def _compute_in(arithmetic: Arithmetic) -> None:
    """Tells Keras in which type the layers that are made from now on compute; their variables are float32."""
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16" if arithmetic == "bfloat16" else "float32")


def _is_depthwise(layer: Layer, shape: Shape) -> bool:
    """Whether a layer is Keras's ``DepthwiseConv2D``, which TensorFlow computes with equal strides alone.

    Its ``Conv2D`` with as many groups is right too, and takes 170 times as long (64 channels of 28x28, two cores).
    """
    if not isinstance(layer, Conv2D):
        return False
    return layer.groups == shape[2] > 1 and layer.strides[0] == layer.strides[1]
