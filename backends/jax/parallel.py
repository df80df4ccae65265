"""Data-parallel training in JAX: the tuned loop with each batch sharded over the devices of a mesh."""

from typing import Any

import jax
import numpy as np
from flax import nnx
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from backends.devices import single_devices
from backends.jax.backend import device_of
from backends.jax.network import Network
from backends.jax.tuned import TunedModel, _State
from tasks.architecture import Parameters
from tasks.task import Recipe


class ParallelModel(TunedModel):
    """Holds everything on all devices, and computes on each of them its share of a batch.

    The program is that of one device: XLA divides it, and adds up the gradients, because of one line that says how the
    batch is laid out. So a mean is that of the whole batch, and batch normalization and dropout are as on one device.
    """

    def __init__(
        self, recipe: Recipe, parameters: Parameters, device: str, dtype: str, formulation: str | None = None
    ) -> None:
        self.devices = single_devices(device)
        mesh = Mesh(np.array([device_of(name) for name in self.devices]), ("batch",))
        self.everywhere = NamedSharding(mesh, PartitionSpec())
        self.shared_out = NamedSharding(mesh, PartitionSpec("batch"))
        super().__init__(recipe, parameters, self.devices[0], dtype, formulation)
        self.device = device

    def build(self) -> Network:
        """Builds the network on the first device, and then puts it, and all that follows, on every device."""
        network = super().build()
        self.own_device: Any = self.everywhere
        nnx.update(network, jax.device_put(nnx.state(network), self.everywhere))
        return network

    def start(self) -> None:
        """Makes optax's optimizer with fresh state."""
        super().start()
        self.settings["devices"] = len(self.devices)

    def train_step(
        self, inputs: jax.Array, labels: jax.Array, state: _State, batch: jax.Array
    ) -> tuple[_State, jax.Array]:
        """The step of one device, of a batch (batch_size,) whose examples are shared out among all of them."""
        return super().train_step(inputs, labels, state, lax.with_sharding_constraint(batch, self.shared_out))

    def parameter_devices(self) -> set[str]:
        """The devices on which JAX holds the parameters."""
        devices = {device for leaf in jax.tree.leaves(nnx.state(self.network)) for device in leaf.devices()}
        return {f"{'cpu' if device.platform == 'cpu' else 'gpu'}:{device.id}" for device in devices}
