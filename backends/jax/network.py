"""A network of nnx's layers, and its parameters in the canonical layout."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from backends.jax.layers import BuildLayer, Module
from tasks.architecture import INPUT, Architecture, Parameter, Parameters
from tasks.layers import ConvTranspose2D, Layer

Network: TypeAlias = nnx.Module


class _Graph(nnx.Module):
    """Named layers, each of which takes the outputs of others."""

    def __init__(self, architecture: Architecture, layers: Mapping[str, Module]) -> None:
        self.graph = tuple((node.name, node.inputs) for node in architecture.nodes)
        self.layers = nnx.Dict(layers)

    def __call__(self, inputs: jax.Array) -> jax.Array:
        values = {INPUT: inputs}
        for name, before in self.graph:
            values[name] = self.layers[name](*(values[other] for other in before))
        return values[name]


def build_network(architecture: Architecture, layers: Mapping[type[Layer], BuildLayer]) -> Network:
    """The architecture's layers: (n, *input_shape), images NHWC, to (n, outputs)."""
    nodes = architecture.nodes
    built = {node.name: layers[type(node.layer)](node.layer, architecture.shape_before(node)) for node in nodes}
    return nnx.Sequential(*built.values()) if architecture.is_sequence else _Graph(architecture, built)


def get_parameters(network: Network, architecture: Architecture) -> Parameters:
    """Copies of the parameters by canonical key, in the canonical layout."""
    return to_canonical(network, architecture, variables(network, architecture))


def set_parameters(network: Network, architecture: Architecture, parameters: Parameters) -> None:
    """Copies parameters in the canonical layout into the network."""
    of_nnx = variables(network, architecture)
    for parameter in architecture.parameters:
        variable, array = of_nnx[parameter.key], _exchanged(parameter, parameters[parameter.key])
        # On a CPU, JAX may take over the memory of a NumPy array, and training donates it: a copy.
        array = jnp.array(array, jnp.float32, copy=True)
        variable[...] = jax.device_put(array, variable[...].sharding)


def variables(network: Network, architecture: Architecture) -> dict[str, Any]:
    """Nnx's variables by canonical key. Nnx keeps them as attributes of the modules: ``network.layers[0].kernel``."""
    by_key = {}
    for parameter in architecture.parameters:
        node = parameter.node
        layer = network.layers[architecture.nodes.index(node) if architecture.is_sequence else node.name]
        by_key[parameter.key] = getattr(layer, parameter.name)
    return by_key


def to_canonical(network: Network, architecture: Architecture, tensors: Mapping[str, Any]) -> Parameters:
    """Copies of parameters, or of their gradients, in the canonical layout.

    It is nnx's own, except that kernels of transposed convolutions are (h, w, out, in).
    """
    return {p.key: _exchanged(p, np.array(tensors[p.key][...])) for p in architecture.parameters}


def _exchanged(parameter: Parameter, array: NDArray[Any]) -> NDArray[Any]:
    """The kernel of a transposed convolution with in and out exchanged; others as they are."""
    is_kernel = isinstance(parameter.node.layer, ConvTranspose2D) and parameter.name == "kernel"
    return array.swapaxes(2, 3) if is_kernel else array
