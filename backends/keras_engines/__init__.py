"""Keras on its other engines, JAX and PyTorch: the networks and rules of ``backends.keras``, trained by ``fit``.

This file imports no framework.
"""

from backends import jax, pytorch
from backends.about import About

KERAS_JAX = About(
    name="keras-jax",
    label="Keras on JAX",
    modules=("jax", "keras"),
    distributions=("keras", "jax", "jaxlib"),
    backend="backends.keras_engines.jax.Backend",
    models={"stock": "backends.keras_engines.jax.StockModel"},
    environment={**jax.ABOUT.environment, "KERAS_BACKEND": "jax"},
    gpu=jax.ABOUT.gpu,
)
KERAS_TORCH = About(
    name="keras-torch",
    label="Keras on PyTorch",
    modules=("torch", "keras"),
    distributions=("keras", "torch"),
    backend="backends.keras_engines.torch.Backend",
    models={"stock": "backends.keras_engines.torch.StockModel"},
    environment={**pytorch.ABOUT.environment, "KERAS_BACKEND": "torch"},
)
