"""A network of nnx's layers, and its parameters in the canonical layout."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from backends.jax.layers import BuildLayer
from tasks.architecture import Architecture, Parameters
from tasks.layers import Layer

Network: TypeAlias = nnx.Sequential


def build_network(architecture: Architecture, layers: Mapping[type[Layer], BuildLayer]) -> Network:
    """The architecture's layers, one after the other: (n, *input_shape), images NHWC, to (n, outputs)."""
    pairs = zip(architecture.layers, architecture.shapes, strict=False)
    return nnx.Sequential(*(layers[type(layer)](layer, shape) for layer, shape in pairs))


def get_parameters(network: Network, architecture: Architecture) -> Parameters:
    """Copies of the parameters by canonical key, in the canonical layout."""
    return to_canonical(network, architecture, variables(network, architecture))


def set_parameters(network: Network, architecture: Architecture, parameters: Parameters) -> None:
    """Copies parameters in the canonical layout into the network."""
    for key, variable in variables(network, architecture).items():
        # On a CPU, JAX may take over the memory of a NumPy array, and training donates it: a copy.
        array = jnp.array(parameters[key], jnp.float32, copy=True)
        variable[...] = jax.device_put(array, variable[...].sharding)


def variables(network: Network, architecture: Architecture) -> dict[str, Any]:
    """Nnx's variables by canonical key. Nnx keeps them as attributes of the modules: ``network.layers[0].kernel``."""
    by_key = {}
    for key in architecture.parameter_shapes:
        layer, _, parameter = key.partition("/")
        by_key[key] = getattr(network.layers[int(layer.partition("_")[0])], parameter)
    return by_key


def to_canonical(network: Network, architecture: Architecture, tensors: Mapping[str, Any]) -> Parameters:
    """Copies of parameters, or of their gradients, in the canonical layout, which is nnx's own."""
    return {key: np.array(tensor[...]) for key, tensor in tensors.items()}
