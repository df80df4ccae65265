"""The loop of flax's own tutorial: an ``nnx.jit`` training step, an ``nnx.Optimizer``, batches from the host."""

import jax
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from backends.jax.model import JaxModel, Network, make_optimizer
from tasks.batches import Batches
from tasks.dataset import Dataset


class StockModel(JaxModel):
    def start_optimizer(self) -> None:
        self.settings = {"compiled": "nnx.jit of a step", "layout": "NHWC"}
        self.optimizer = nnx.Optimizer(self.network, make_optimizer(self.recipe.optimizer), wrt=nnx.Param)

        def loss_of(network: Network, inputs: jax.Array, labels: jax.Array) -> jax.Array:
            return self.loss(network(inputs), labels)

        @nnx.jit
        def train_step(network: Network, optimizer: nnx.Optimizer, inputs: jax.Array, labels: jax.Array) -> jax.Array:
            loss, gradients = nnx.value_and_grad(loss_of)(network, inputs, labels)
            optimizer.update(network, gradients)
            return loss

        self.train_step = train_step

    def place(self, dataset: Dataset) -> None:
        self.inputs = dataset.train_inputs
        self.labels = dataset.train_labels

    def held_data(self) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        return self.inputs, self.labels

    def held_batches(self, batches: Batches) -> Batches:
        return batches

    def train(self, batches: Batches) -> NDArray[np.float32]:
        losses = []
        with jax.default_device(self.jax_device):
            for epoch in range(batches.epochs):
                for indices in batches.of_epoch(epoch):
                    loss = self.train_step(self.network, self.optimizer, self.inputs[indices], self.labels[indices])
                    losses.append(loss)
        return np.array(jax.device_get(losses), np.float32).reshape(batches.epochs, batches.steps)
