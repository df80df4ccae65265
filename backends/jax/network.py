"""A network of nnx's layers, and its parameters in the canonical layout."""

from collections.abc import Mapping
from functools import reduce
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from backends.jax import _IN_A_CELL
from backends.jax.layers import BuildLayer, Module
from tasks.architecture import INPUT, Architecture, Node, Parameters, Variable
from tasks.arithmetic import Arithmetic
from tasks.layers import LSTM, ConvTranspose2D, Dropout, Layer
from tasks.masks import mask_table

Network: TypeAlias = nnx.Module


class _Graph(nnx.Module):
    """Named layers, each of which takes the outputs of others."""

    def __init__(self, architecture: Architecture, layers: Mapping[str, Module]) -> None:
        self.graph = tuple((node.name, node.inputs) for node in architecture.nodes)
        self.layers = nnx.Dict(layers)

    def __call__(self, inputs: jax.Array) -> jax.Array:
        return self.values(inputs)[self.graph[-1][0]]

    def values(self, inputs: jax.Array) -> dict[str, jax.Array]:
        values = {INPUT: inputs}
        for name, before in self.graph:
            values[name] = self.layers[name](*(values[other] for other in before))
        return values


def build_network(architecture: Architecture, layers: Mapping[type[Layer], BuildLayer]) -> Network:
    """The architecture's layers: (n, *input_shape), images NHWC, to (n, outputs)."""
    nodes = architecture.nodes
    built = {node.name: layers[type(node.layer)](node.layer, architecture.shape_before(node)) for node in nodes}
    return nnx.Sequential(*built.values()) if architecture.is_sequence else _Graph(architecture, built)


def _compute_in(arithmetic: Arithmetic, network: Network) -> Network:
    """Tells each module of a network the type in which it computes; nnx's parameters have another of their own."""
    if arithmetic == "bfloat16":
        for _, module in nnx.iter_modules(network):
            if hasattr(module, "dtype"):
                module.dtype = jnp.bfloat16
    return network


def layer_outputs(network: Network, architecture: Architecture, inputs: jax.Array) -> dict[str, jax.Array]:
    """The output of every layer by its node's name; nnx hears of modules alone, and some layers are functions."""
    if isinstance(network, _Graph):
        return network.values(inputs)
    outputs = {}
    for node, layer in zip(architecture.nodes, network.layers, strict=True):
        outputs[node.name] = inputs = layer(inputs)
    return outputs


def get_parameters(network: Network, architecture: Architecture) -> Parameters:
    """Copies of the parameters and the state by canonical key, in the canonical layout."""
    return to_canonical(network, architecture, {**variables(network, architecture), **state(network, architecture)})


def set_parameters(network: Network, architecture: Architecture, parameters: Parameters) -> None:
    """Copies parameters and state in the canonical layout into the network."""
    of_nnx = {**variables(network, architecture), **state(network, architecture)}
    for of_one in architecture.variables:
        variable, array = of_nnx[of_one.key], _exchanged(of_one, parameters[of_one.key])
        # On a CPU, JAX may take over the memory of a NumPy array, and training donates it: a copy.
        array = jnp.array(array, jnp.float32, copy=True)
        variable[...] = jax.device_put(array, variable[...].sharding)
    for node in architecture.nodes:
        if isinstance(node.layer, Dropout):
            seed = int(parameters[f"{node.name}/seed"])
            table = _layer(network, architecture, node).table
            masks = jnp.array(mask_table(node.layer, architecture.shape_before(node), seed), copy=True)
            table[...] = jax.device_put(masks, table[...].sharding)


def variables(network: Network, architecture: Architecture) -> dict[str, Any]:
    """Nnx's parameters by canonical key. Nnx keeps them as attributes of the modules: ``network.layers[0].kernel``."""
    return {p.key: _attribute(_layer(network, architecture, p.node), p) for p in architecture.parameters}


def _attribute(layer: Any, parameter: Variable) -> Any:
    """A parameter of a layer, or the same part of a tree: an LSTM has them in its cell."""
    names = _IN_A_CELL[parameter.name] if isinstance(parameter.node.layer, LSTM) else (parameter.name,)
    return reduce(getattr, names, layer)


def state(network: Network, architecture: Architecture) -> dict[str, Any]:
    """Nnx's variables that hold the layers' state, by canonical key."""
    names = {"variance": "var"}
    return {
        variable.key: getattr(_layer(network, architecture, variable.node), names.get(variable.name, variable.name))
        for variable in architecture.state
    }


def to_canonical(network: Network, architecture: Architecture, tensors: Mapping[str, Any]) -> Parameters:
    """Copies of parameters and state, or of gradients, in the canonical layout.

    It is nnx's own, except that kernels of transposed convolutions are (h, w, out, in).
    """
    held = [variable for variable in architecture.variables if variable.key in tensors]
    return {variable.key: _exchanged(variable, np.array(tensors[variable.key][...])) for variable in held}


def _exchanged(variable: Variable, array: NDArray[Any]) -> NDArray[Any]:
    """The kernel of a transposed convolution with in and out exchanged; others as they are."""
    is_kernel = isinstance(variable.node.layer, ConvTranspose2D) and variable.name == "kernel"
    return array.swapaxes(2, 3) if is_kernel else array


def _layer(network: Network, architecture: Architecture, node: Node) -> Any:
    """A node's layer, or the same part of a tree in the network's form."""
    return network.layers[architecture.nodes.index(node) if architecture.is_sequence else node.name]
