"""A network in JAX that answers; the two training loops are in tuned.py and stock.py."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from numpy.typing import NDArray

from backends import base
from backends.jax.backend import device_of
from backends.jax.layers import LAYERS
from backends.jax.network import (
    Network,
    _compute_in,
    build_network,
    get_parameters,
    layer_outputs,
    set_parameters,
    to_canonical,
    variables,
)
from backends.jax.training import loss_function
from tasks.architecture import Architecture, Parameters
from tasks.dataset import Labels
from tasks.task import Recipe
from tasks.training import Adadelta, OptimizerState

_Loss = Callable[[jax.Array, jax.Array], jax.Array]
"""Of a batch, from outputs (n, outputs) and labels (n,)."""


class Model(base.Model):
    """What both training loops share: the network, its parameters, its answers."""

    def __init__(
        self, recipe: Recipe, parameters: Parameters, device: str, dtype: str, formulation: str | None = None
    ) -> None:
        super().__init__(recipe, parameters, device, dtype, formulation)
        self.own_device = device_of(device)
        loss = loss_function(recipe)
        self.loss: _Loss = lambda outputs, labels: loss(outputs.astype(jnp.float32), labels)
        self.network = self.build()
        self.load_parameters(parameters)

    def build(self) -> Network:
        """Builds the network on the device, once."""
        with jax.default_device(self.own_device):
            return _compute_in(self.recipe.arithmetic, build_network(self.recipe.architecture, LAYERS))

    def load_parameters(self, parameters: Parameters) -> None:
        """Copies parameters in the canonical layout into the network, and starts the optimizer afresh."""
        set_parameters(self.network, self.recipe.architecture, parameters)
        self.start()

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
        """The network's outputs (n, outputs) for inputs (n, *input_shape), images NHWC."""
        return np.asarray(_forward(self.network, jax.device_put(inputs, self.own_device)), np.float32)

    def layer_outputs(self, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.floating]]:
        """The output of every layer by its node's name, for inputs (n, *input_shape), images NHWC."""
        return self._outputs_in(self.network, inputs)

    def loss_and_gradients(self, inputs: NDArray[np.float32], labels: Labels) -> tuple[float, Parameters]:
        """The loss of a batch (n, *input_shape) with labels (n,), and its gradients in the canonical layout."""

        def loss_of(network: Network, inputs: jax.Array, labels: jax.Array) -> jax.Array:
            return self.loss(network(inputs), labels)

        network = nnx.clone(self.network)  # training moves the state of layers
        network.train()
        batch = jax.device_put((inputs, labels), self.own_device)
        loss, gradients = nnx.jit(nnx.value_and_grad(loss_of))(network, *batch)
        by_key = variables(gradients, self.recipe.architecture)  # in the form of the network
        return float(loss), to_canonical(self.network, self.recipe.architecture, by_key)

    def parameters(self) -> Parameters:
        """Copies of the parameters, in the canonical layout."""
        return get_parameters(self.network, self.recipe.architecture)

    def parameter_count(self) -> int:
        """The number of trained parameters, which nnx leaves to be summed up."""
        return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(self.network, nnx.Param)))

    def parameter_devices(self) -> set[str]:
        """The devices on which JAX holds the parameters."""
        devices = {device for leaf in jax.tree.leaves(nnx.state(self.network)) for device in leaf.devices()}
        return {"cpu" if device.platform == "cpu" else f"gpu:{device.id}" for device in devices}

    def _outputs_in(self, network: Network, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.floating]]:
        architecture = self.recipe.architecture
        outputs = _layer_outputs(network, architecture, jax.device_put(inputs, self.own_device))
        return {node.name: np.asarray(outputs[node.name], np.float32) for node in architecture.nodes}


def _canonical_state(state: Any, network: Network, recipe: Recipe) -> OptimizerState:
    """Optax's state in the canonical form; optax calls SGD's velocity trace, and Adam's moments mu and nu."""
    names = {
        "velocity": "trace",
        "first_moment": "mu",
        "second_moment": "nu",
        "square_average": "e_g" if isinstance(recipe.optimizer, Adadelta) else "nu",
        "update_average": "e_x",
    }
    trees = [optax.tree_utils.tree_get(state, names[moment]) for moment in recipe.optimizer.moments]
    moments = [to_canonical(network, recipe.architecture, variables(tree, recipe.architecture)) for tree in trees]
    counts = optax.tree_utils.tree_get_all_with_path(state, "count")  # Adam has one, a schedule another
    return recipe.make_state(moments, max((int(count) for _, count in counts), default=0))


@nnx.jit
def _forward(network: Network, inputs: jax.Array) -> jax.Array:
    network.eval()  # only while tracing: it costs the compiled function nothing
    return network(inputs)


@partial(nnx.jit, static_argnums=1)
def _layer_outputs(network: Network, architecture: Architecture, inputs: jax.Array) -> dict[str, jax.Array]:
    network.eval()
    return layer_outputs(network, architecture, inputs)
