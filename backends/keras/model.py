"""A network in Keras that answers; the two training loops are in tuned.py and stock.py."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from backends import base
from backends.keras import _compute_in
from backends.keras.backend import device_of
from backends.keras.layers import LAYERS
from backends.keras.network import (
    Network,
    build_network,
    get_parameters,
    layer_outputs,
    set_parameters,
    to_canonical,
    variables,
)
from backends.keras.training import loss_function
from tasks.architecture import Parameters
from tasks.dataset import Labels
from tasks.task import Recipe

_Loss = Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]
"""Of a batch, from outputs (n, outputs) and labels (n,)."""


class Model(base.Model):
    """What both training loops share: the network, its parameters, its answers."""

    def __init__(
        self, recipe: Recipe, parameters: Parameters, device: str, dtype: str, formulation: str | None = None
    ) -> None:
        super().__init__(recipe, parameters, device, dtype, formulation)
        self.own_device = device_of(device)
        loss = loss_function(recipe)
        self.loss: _Loss = lambda outputs, labels: loss(keras.ops.cast(outputs, "float32"), labels)
        _compute_in(recipe.arithmetic)
        self.network = self.build()
        self.load_parameters(parameters)

    def build(self) -> Network:
        """Builds the network on the device, once."""
        with tf.device(self.own_device):
            network = build_network(self.recipe.architecture, LAYERS)
            self._forward = tf.function(lambda inputs: network(inputs, training=False), reduce_retracing=True)
        return network

    def load_parameters(self, parameters: Parameters) -> None:
        """Copies parameters in the canonical layout into the network, and starts the optimizer afresh."""
        set_parameters(self.network, self.recipe.architecture, parameters)
        self.start()

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
        """The network's outputs (n, outputs) for inputs (n, *input_shape), images NHWC."""
        with tf.device(self.own_device):
            return self._forward(tf.convert_to_tensor(inputs)).numpy().astype(np.float32)

    def layer_outputs(self, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.floating]]:
        """The output of every layer by its node's name, for inputs (n, *input_shape), images NHWC."""
        with tf.device(self.own_device):
            return layer_outputs(self.network, self.recipe.architecture, tf.convert_to_tensor(inputs))

    def loss_and_gradients(self, inputs: NDArray[np.float32], labels: Labels) -> tuple[float, Parameters]:
        """The loss of a batch (n, *input_shape) with labels (n,), and its gradients in the canonical layout."""
        tensors = variables(self.network, self.recipe.architecture)
        others = self.network.non_trainable_variables
        with tf.device(self.own_device), tf.GradientTape() as tape:
            # A stateless call returns what the layers' state would become, and moves nothing.
            outputs, _ = self.network.stateless_call(
                list(tensors.values()), others, tf.convert_to_tensor(inputs), training=True
            )
            loss = self.loss(outputs, tf.convert_to_tensor(labels))
        gradients = tape.gradient(loss, [variable.value for variable in tensors.values()])
        by_key = dict(zip(tensors, gradients, strict=True))
        return float(loss), to_canonical(self.network, self.recipe.architecture, by_key)

    def parameters(self) -> Parameters:
        """Copies of the parameters, in the canonical layout."""
        return get_parameters(self.network, self.recipe.architecture)

    def parameter_count(self) -> int:
        """The number of trained parameters; Keras's ``count_params`` counts the state too."""
        return sum(int(np.prod(variable.shape)) for variable in self.network.trainable_variables)

    def parameter_devices(self) -> set[str]:
        """The devices on which TensorFlow holds the parameters."""
        devices = [variable.value.device for variable in self.network.trainable_variables]
        names = {device.rpartition("device:")[2].lower() for device in devices}
        return {"cpu" if name.startswith("cpu") else name for name in names}
