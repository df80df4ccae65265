"""A network of Keras's layers, and its parameters in the canonical layout."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from backends.keras.layers import BuildLayer
from tasks.architecture import Architecture, Parameters
from tasks.layers import Layer

Network: TypeAlias = keras.Sequential


def build_network(architecture: Architecture, layers: Mapping[type[Layer], BuildLayer]) -> Network:
    """The architecture's layers, one after the other: (n, *input_shape), images NHWC, to (n, outputs)."""
    pairs = zip(architecture.layers, architecture.shapes, strict=False)
    first = keras.Input(architecture.input_shape)  # without it, Keras would make the parameters at the first call
    return keras.Sequential([first, *(layers[type(layer)](layer, shape) for layer, shape in pairs)])


def get_parameters(network: Network, architecture: Architecture) -> Parameters:
    """Copies of the parameters by canonical key, in the canonical layout."""
    return to_canonical(network, architecture, variables(network, architecture))


def set_parameters(network: Network, architecture: Architecture, parameters: Parameters) -> None:
    """Copies parameters in the canonical layout into the network."""
    for key, variable in variables(network, architecture).items():
        variable.assign(parameters[key])


def variables(network: Network, architecture: Architecture) -> dict[str, Any]:
    """Keras's variables by canonical key. Keras lists kernel, then bias, layer by layer, as the architecture does."""
    return dict(zip(architecture.parameter_shapes, network.trainable_variables, strict=True))


def to_canonical(network: Network, architecture: Architecture, tensors: Mapping[str, tf.Tensor]) -> Parameters:
    """Copies of parameters, or of their gradients, in the canonical layout, which is Keras's own."""
    return {key: np.array(tensor) for key, tensor in tensors.items()}
