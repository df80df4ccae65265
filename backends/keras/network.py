"""A network of Keras's layers, and its parameters in the canonical layout."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from backends.keras.layers import BuildLayer, Module
from backends.keras.stateful import _STATEFUL, _MaskedDropout
from tasks.architecture import INPUT, Architecture, Parameters
from tasks.layers import Dropout, Layer
from tasks.masks import mask_table

Network: TypeAlias = keras.Model


class _Graph(keras.Model):
    """Named layers, each of which takes the outputs of others."""

    def __init__(self, architecture: Architecture, layers: Mapping[str, Module]) -> None:
        super().__init__(name="graph")  # not from the class: TensorFlow refuses a name that begins with an underscore
        self.graph = [(node.name, node.inputs) for node in architecture.nodes]
        for name, layer in layers.items():
            setattr(self, f"node_{name}", layer)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        values = {INPUT: inputs}
        for name, before in self.graph:
            taken = [values[other] for other in before]
            layer = getattr(self, f"node_{name}")
            merges = isinstance(layer, keras.layers.Add | keras.layers.Concatenate)
            options = {"training": training} if isinstance(layer, _STATEFUL) else {}
            values[name] = layer(taken if merges else taken[0], **options)
        return values[name]


def build_network(architecture: Architecture, layers: Mapping[type[Layer], BuildLayer]) -> Network:
    """The architecture's layers: (n, *input_shape), images NHWC, to (n, outputs)."""
    nodes = architecture.nodes
    built = {node.name: layers[type(node.layer)](node.layer, architecture.shape_before(node)) for node in nodes}
    first = keras.Input(architecture.input_shape)  # without it, Keras would make the parameters at the first call
    if architecture.is_sequence:
        return keras.Sequential([first, *built.values()])
    network = _Graph(architecture, built)
    network(first)
    return network


def get_parameters(network: Network, architecture: Architecture) -> Parameters:
    """Copies of the parameters and the state by canonical key, in the canonical layout."""
    return to_canonical(network, architecture, {**variables(network, architecture), **state(network, architecture)})


def set_parameters(network: Network, architecture: Architecture, parameters: Parameters) -> None:
    """Copies parameters and state in the canonical layout into the network."""
    for key, variable in {**variables(network, architecture), **state(network, architecture)}.items():
        variable.assign(parameters[key])
    nodes = [node for node in architecture.nodes if isinstance(node.layer, Dropout)]
    layers = [layer for layer in network.layers if isinstance(layer, _MaskedDropout)]
    for node, layer in zip(nodes, layers, strict=True):
        layer.table.assign(mask_table(node.layer, architecture.shape_before(node), int(layer.mask_seed)))


def variables(network: Network, architecture: Architecture) -> dict[str, Any]:
    """Keras's variables by canonical key. Keras lists kernel, then bias, layer by layer, as the architecture does."""
    return dict(zip(architecture.parameter_shapes, network.trainable_variables, strict=True))


def state(network: Network, architecture: Architecture) -> dict[str, Any]:
    """Keras's variables that are not trained, which hold the layers' state, by canonical key."""
    held = []
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            held += [layer.moving_mean, layer.moving_variance]
        if isinstance(layer, _MaskedDropout):
            held += [layer.mask_seed, layer.next_row]
    return dict(zip((variable.key for variable in architecture.state), held, strict=True))


def to_canonical(network: Network, architecture: Architecture, tensors: Mapping[str, tf.Tensor]) -> Parameters:
    """Copies of parameters and state, or of gradients, in the canonical layout, which is Keras's own."""
    return {key: np.array(tensors[key]) for key in architecture.variable_shapes if key in tensors}
