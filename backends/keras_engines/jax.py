"""Keras on JAX: what Keras leaves to be said in JAX's own words."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

from typing import Any

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from backends import base
from backends.jax import backend
from backends.jax.backend import compiled
from backends.keras import _configure
from backends.keras_engines import KERAS_JAX, stock


class Backend(backend.Backend):
    """The devices, threads and memory of JAX."""

    about = KERAS_JAX
    arithmetics = ("float32",)

    def __init__(self) -> None:
        """Imports nothing more: Keras needs neither flax nor optax."""

    def configure(self, threads: int) -> dict[str, base.Setting]:
        """Sets JAX as its own backend does, and Keras; returns what was set."""
        _configure("jax")
        return super().configure(threads)


class StockModel(stock.StockModel):
    """A network whose steps ``fit`` compiles by ``jax.jit``."""

    compiled = compiled("model.fit's jax.jit of a step")

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._forward = jax.jit(
            lambda trained, others, x: self.network.stateless_call(trained, others, x, training=False)[0]
        )

    def forward(self, inputs: NDArray[np.float32]) -> jax.Array:
        return self._forward(*self._values(), keras.ops.convert_to_tensor(inputs))

    def value_and_gradients(self, inputs: jax.Array, labels: jax.Array) -> tuple[jax.Array, list[jax.Array]]:
        trained, others = self._values()

        def loss_of(trained: list[jax.Array]) -> jax.Array:
            # A stateless call returns what the layers' state would become, and moves nothing.
            outputs, _ = self.network.stateless_call(trained, others, inputs, training=True)
            return self.loss(outputs, labels)

        return jax.value_and_grad(loss_of)(trained)

    def parameter_devices(self) -> set[str]:
        """The devices on which JAX holds the parameters."""
        devices = {device for value in self._values()[0] for device in value.devices()}
        return {"cpu" if device.platform == "cpu" else f"gpu:{device.id}" for device in devices}

    def _values(self) -> tuple[list[jax.Array], list[jax.Array]]:
        """The arrays of the variables that are trained, and of the others."""
        network = self.network
        return [each.value for each in network.trainable_variables], [
            each.value for each in network.non_trainable_variables
        ]
