"""The loop of flax's own tutorial: an ``nnx.jit`` training step, an ``nnx.Optimizer``, batches from the host."""

import jax
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from backends.host_data import HostData
from backends.jax.backend import compiled
from backends.jax.model import Model, _canonical_state
from backends.jax.network import Network
from backends.jax.training import make_optimizer
from tasks.batches import Batches
from tasks.training import OptimizerState


class StockModel(HostData, Model):
    """Trains as a newcomer is told to: one compiled step a batch."""

    def held_batches(self, batches: Batches) -> Batches:
        """The batches as they are: their indices choose from NumPy arrays."""
        return batches

    def start(self) -> None:
        """Makes nnx's optimizer with fresh state, and the training step."""
        self.settings = {
            "compiled": compiled("nnx.jit of a step"),
            "layout": "NHWC",
            "input": "arrays prepared beforehand, of which NumPy gathers a batch",
        }
        self.optimizer = nnx.Optimizer(self.network, make_optimizer(self.recipe), wrt=nnx.Param)

        def loss_of(network: Network, inputs: jax.Array, labels: jax.Array) -> jax.Array:
            return self.loss(network(inputs), labels)

        @nnx.jit
        def train_step(network: Network, optimizer: nnx.Optimizer, inputs: jax.Array, labels: jax.Array) -> jax.Array:
            network.train()  # only while tracing
            loss, gradients = nnx.value_and_grad(loss_of)(network, inputs, labels)
            optimizer.update(network, gradients)
            return loss

        self._train_step = train_step

    def optimizer_state(self) -> OptimizerState:
        """The moments and the count of steps in optax's state, in the canonical form."""
        return _canonical_state(nnx.pure(self.optimizer.opt_state), self.network, self.recipe)

    def train(self, batches: Batches) -> NDArray[np.float32]:
        """Trains batch by batch; returns the loss of every step, (epochs, steps)."""
        losses = []
        with jax.default_device(self.own_device):
            for epoch in range(batches.epochs):
                for indices in batches.of_epoch(epoch):
                    loss = self._train_step(self.network, self.optimizer, self.inputs[indices], self.labels[indices])
                    losses.append(loss)
        return np.array(jax.device_get(losses), np.float32).reshape(batches.epochs, batches.steps)
