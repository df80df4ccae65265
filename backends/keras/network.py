"""A network of Keras's layers, and its parameters in the canonical layout."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import keras
import numpy as np
from numpy.typing import NDArray

from backends.keras.layers import BuildLayer, Module
from backends.keras.stateful import _STATEFUL, _MaskedDropout
from tasks.architecture import INPUT, Architecture, Parameters, Variable
from tasks.layers import ConvTranspose2D, Dropout, Layer
from tasks.masks import mask_table

Network: TypeAlias = keras.Model


class _Graph(keras.Model):
    """Named layers, each of which takes the outputs of others."""

    def __init__(self, architecture: Architecture, layers: Mapping[str, Module]) -> None:
        super().__init__(name="graph")  # not from the class: TensorFlow refuses a name that begins with an underscore
        self.graph = [(node.name, node.inputs) for node in architecture.nodes]
        for name, layer in layers.items():
            setattr(self, f"node_{name}", _parts(layer))

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        return self.values(inputs, training)[self.graph[-1][0]]

    def values(self, inputs: keras.KerasTensor, training: bool = False) -> dict[str, keras.KerasTensor]:
        values = {INPUT: inputs}
        for name, before in self.graph:
            taken = [values[other] for other in before]
            first, *others = getattr(self, f"node_{name}")
            merges = isinstance(first, keras.layers.Add | keras.layers.Concatenate)
            options = {"training": training} if isinstance(first, _STATEFUL) else {}
            value = first(taken if merges else taken[0], **options)
            for layer in others:
                value = layer(value)
            values[name] = value
        return values


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


def layer_outputs(network: Network, architecture: Architecture, inputs: keras.KerasTensor) -> dict[str, NDArray[Any]]:
    """The output of every layer by its node's name, in inference; of a sequence by a network that gives all of them."""
    names = [node.name for node in architecture.nodes]
    if isinstance(network, _Graph):
        outputs = network.values(inputs)
    else:
        # A layer that pads is the first part of a node.
        layers = [layer for layer in network.layers if not isinstance(layer, keras.layers.ZeroPadding2D)]
        symbols = {name: layer.output for name, layer in zip(names, layers, strict=True)}
        outputs = keras.Model(network.inputs, symbols)(inputs, training=False)
    return {name: keras.ops.convert_to_numpy(keras.ops.cast(outputs[name], "float32")) for name in names}


def get_parameters(network: Network, architecture: Architecture) -> Parameters:
    """Copies of the parameters and the state by canonical key, in the canonical layout."""
    return to_canonical(network, architecture, {**variables(network, architecture), **state(network, architecture)})


def set_parameters(network: Network, architecture: Architecture, parameters: Parameters) -> None:
    """Copies parameters and state in the canonical layout into the network."""
    of_keras = {**variables(network, architecture), **state(network, architecture)}
    for of_one in architecture.variables:
        variable = of_keras[of_one.key]
        variable.assign(_exchanged(of_one, parameters[of_one.key]).reshape(variable.shape))
    nodes = [node for node in architecture.nodes if isinstance(node.layer, Dropout)]
    layers = [layer for layer in network.layers if isinstance(layer, _MaskedDropout)]
    for node, layer in zip(nodes, layers, strict=True):
        layer.table.assign(
            mask_table(node.layer, architecture.shape_before(node), int(parameters[f"{node.name}/seed"]))
        )


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


def to_canonical(network: Network, architecture: Architecture, tensors: Mapping[str, keras.KerasTensor]) -> Parameters:
    """Copies of parameters and state, or of gradients, in the canonical layout.

    It is Keras's own, except that kernels of transposed convolutions are (h, w, out, in), and of depthwise ones
    (h, w, in, out / in), which is the order of (h, w, 1, out).
    """
    held = [variable for variable in architecture.variables if variable.key in tensors]
    return {v.key: _exchanged(v, np.array(keras.ops.convert_to_numpy(tensors[v.key]))).reshape(v.shape) for v in held}


def _exchanged(variable: Variable, array: NDArray[Any]) -> NDArray[Any]:
    """The kernel of a transposed convolution with in and out exchanged; others as they are."""
    is_kernel = isinstance(variable.node.layer, ConvTranspose2D) and variable.name == "kernel"
    return array.swapaxes(2, 3) if is_kernel else array
