"""Keras on TensorFlow: networks of ``keras.layers``. This file imports no framework."""

from backends.about import About

ABOUT = About(
    name="keras",
    label="Keras",
    modules=("tensorflow", "keras"),
    distributions=("keras", "tensorflow"),
    backend="backends.keras.backend.Backend",
    models={"tuned": "backends.keras.tuned.TunedModel", "stock": "backends.keras.stock.StockModel"},
    environment={
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    },
)
