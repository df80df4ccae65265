"""A network of Keras's layers, and its parameters in the canonical layout."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from backends.keras.layers import BuildLayer, Module
from tasks.architecture import INPUT, Architecture, Parameter, Parameters
from tasks.layers import ConvTranspose2D, Layer

Network: TypeAlias = keras.Model


class _Graph(keras.Model):
    """Named layers, each of which takes the outputs of others."""

    def __init__(self, architecture: Architecture, layers: Mapping[str, Module]) -> None:
        super().__init__(name="graph")  # not from the class: TensorFlow refuses a name that begins with an underscore
        self.graph = [(node.name, node.inputs) for node in architecture.nodes]
        for name, layer in layers.items():
            setattr(self, f"node_{name}", _parts(layer))

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        values = {INPUT: inputs}
        for name, before in self.graph:
            taken = [values[other] for other in before]
            first, *others = getattr(self, f"node_{name}")
            value = first(taken if isinstance(first, keras.layers.Add | keras.layers.Concatenate) else taken[0])
            for layer in others:
                value = layer(value)
            values[name] = value
        return values[name]


def build_network(architecture: Architecture, layers: Mapping[type[Layer], BuildLayer]) -> Network:
    """The architecture's layers: (n, *input_shape), images NHWC, to (n, outputs)."""
    nodes = architecture.nodes
    built = {node.name: layers[type(node.layer)](node.layer, architecture.shape_before(node)) for node in nodes}
    first = keras.Input(architecture.input_shape)  # without it, Keras would make the parameters at the first call
    if architecture.is_sequence:
        return keras.Sequential([first, *(part for layer in built.values() for part in _parts(layer))])
    network = _Graph(architecture, built)
    network(first)
    return network


def _parts(layer: Module) -> list[Module]:
    """The layers that a node is: one, or one that pads and another. Keras's files name each layer, not the node."""
    return layer.layers if isinstance(layer, keras.Sequential) else [layer]


def get_parameters(network: Network, architecture: Architecture) -> Parameters:
    """Copies of the parameters by canonical key, in the canonical layout."""
    return to_canonical(network, architecture, variables(network, architecture))


def set_parameters(network: Network, architecture: Architecture, parameters: Parameters) -> None:
    """Copies parameters in the canonical layout into the network."""
    of_keras = variables(network, architecture)
    for parameter in architecture.parameters:
        variable = of_keras[parameter.key]
        variable.assign(_exchanged(parameter, parameters[parameter.key]).reshape(variable.shape))


def variables(network: Network, architecture: Architecture) -> dict[str, Any]:
    """Keras's variables by canonical key. Keras lists kernel, then bias, layer by layer, as the architecture does."""
    return dict(zip(architecture.parameter_shapes, network.trainable_variables, strict=True))


def to_canonical(network: Network, architecture: Architecture, tensors: Mapping[str, tf.Tensor]) -> Parameters:
    """Copies of parameters, or of their gradients, in the canonical layout.

    It is Keras's own, except that kernels of transposed convolutions are (h, w, out, in), and of depthwise ones
    (h, w, in, out / in), which is the order of (h, w, 1, out).
    """
    return {p.key: _exchanged(p, np.array(tensors[p.key])).reshape(p.shape) for p in architecture.parameters}


def _exchanged(parameter: Parameter, array: NDArray[Any]) -> NDArray[Any]:
    """The kernel of a transposed convolution with in and out exchanged; others as they are."""
    is_kernel = isinstance(parameter.node.layer, ConvTranspose2D) and parameter.name == "kernel"
    return array.swapaxes(2, 3) if is_kernel else array
