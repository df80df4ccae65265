"""The reference model: forward, loss, backward, update."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.base import Model
from backends.host_data import HostData
from backends.numpy.arrays import Array
from backends.numpy.layers import LAYERS
from backends.numpy.network import Network, build_network, get_parameters, set_parameters
from backends.numpy.training import loss_function, make_optimizer
from tasks.architecture import Parameters
from tasks.batches import Batches
from tasks.dataset import Labels
from tasks.task import Recipe
from tasks.training import OptimizerState


class NumpyModel(HostData, Model):
    """A network in NumPy, and the loop that trains it.

    NumPy's floating-point warnings are off: what is not finite is found in the values, and OpenBLAS raises the flag of
    an invalid operation in products of finite numbers on some processors.
    """

    def __init__(self, recipe: Recipe, parameters: Parameters, device: str, dtype: str) -> None:
        super().__init__(recipe, parameters, device, dtype)
        self.number = np.float64 if dtype == "float64" else np.float32
        self.loss = loss_function(recipe)
        self.network = self.build()
        self.load_parameters(parameters)

    def build(self) -> Network:
        """Builds the network, once."""
        return build_network(self.recipe.architecture, LAYERS)

    def load_parameters(self, parameters: Parameters) -> None:
        """Copies parameters and state into the network, and starts the optimizer afresh."""
        set_parameters(self.network, self.recipe.architecture, parameters, self.number)
        self.start()

    def logits(self, inputs: NDArray[np.float32]) -> Array:
        """The network's outputs (n, outputs) for inputs (n, *input_shape), in inference."""
        return list(self.layer_outputs(inputs).values())[-1]

    @np.errstate(all="ignore")
    def layer_outputs(self, inputs: NDArray[np.float32]) -> dict[str, Array]:
        """The output of every layer by its node's name, for inputs (n, *input_shape), in inference."""
        return self.network.layer_outputs(inputs.astype(self.number))

    @np.errstate(all="ignore")
    def loss_and_gradients(self, inputs: NDArray[np.float32], labels: Labels) -> tuple[float, Parameters]:
        """The loss of a batch (n, *input_shape) with labels (n,), and its gradient for every parameter."""
        outputs, kept = self.forward(inputs)
        loss, gradient = self.loss(outputs, labels)
        return float(loss), self.network.backward(kept, gradient)

    def forward(self, inputs: NDArray[np.float32]) -> tuple[Array, list[Any]]:
        """The outputs (n, outputs) in training, for inputs (n, *input_shape), and what each layer keeps."""
        return self.network.forward(inputs.astype(self.number))

    def parameters(self) -> Parameters:
        """Copies of the parameters and the state."""
        return get_parameters(self.network, self.recipe.architecture)

    def parameter_count(self) -> int:
        """The number of trained parameters."""
        return sum(value.size for value in self.network.parameters.values())

    def parameter_devices(self) -> set[str]:
        """``{"cpu"}``: NumPy has no other."""
        return {"cpu"}

    def held_batches(self, batches: Batches) -> Batches:
        """The batches as they are: their indices choose from NumPy arrays."""
        return batches

    def load_state(self, parameters: Parameters, state: OptimizerState) -> None:
        """Goes on from parameters and an optimizer's state, in the canonical form, that any backend held."""
        self.load_parameters(parameters)
        self.optimizer.load(state)

    def start(self) -> None:
        """Makes the optimizer with fresh state."""
        self.optimizer = make_optimizer(self.recipe, self.network.parameters)

    def optimizer_state(self) -> OptimizerState:
        """Copies of the moments, and the count of steps."""
        return self.optimizer.state()

    @np.errstate(all="ignore")
    def train(self, batches: Batches) -> NDArray[np.float32]:
        """Trains batch by batch; returns the loss of every step, (epochs, steps)."""
        losses = np.empty((batches.epochs, batches.steps), np.float32)
        for epoch in range(batches.epochs):
            for step, batch in enumerate(batches.of_epoch(epoch)):
                losses[epoch, step] = self.train_step(self.inputs[batch], self.labels[batch])
        return losses

    @np.errstate(all="ignore")
    def train_step(self, inputs: NDArray[np.float32], labels: Labels) -> float:
        """Forward, loss, backward, update; returns the loss of the batch (n, *input_shape) with labels (n,)."""
        loss, gradients = self.loss_and_gradients(inputs, labels)
        self.optimizer.update(self.network.parameters, gradients)
        self.network.state |= self.network.next_state
        return loss
