"""What a backend of another package must have: a Backend, and a Model for each of its loops."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from backends import base
from backends.numpy.layers import LAYERS
from backends.numpy.network import build_network, get_parameters, set_parameters
from backends.numpy.training import loss_function, make_optimizer
from plainly import ABOUT, CROOKED
from tasks.architecture import Parameters
from tasks.batches import Batches
from tasks.task import Recipe
from tasks.training import OptimizerState


class Backend(base.Backend):
    about = ABOUT

    def configure(self, threads: int) -> dict[str, base.Setting]:
        return {"threads": threads}

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def matrix_product(self, size: int, device: str) -> Callable[[], object]:
        matrix = np.ones((size, size), np.float32)
        return lambda: matrix @ matrix


class Crooked(Backend):
    about = CROOKED

    def build(self, *arguments: object, **options: object) -> "Model":
        model: Model = super().build(*arguments, **options)  # type: ignore[arg-type, assignment]
        model.crooked = True
        return model


class Model(base.HostData, base.Model):
    crooked = False

    def __init__(
        self, recipe: Recipe, parameters: Parameters, device: str, dtype: str, formulation: str | None = None
    ) -> None:
        super().__init__(recipe, parameters, device, dtype, formulation)
        self.network = build_network(recipe.architecture, LAYERS)
        self.loss = loss_function(recipe)
        self.load_parameters(parameters)

    def load_parameters(self, parameters: Parameters) -> None:
        set_parameters(self.network, self.recipe.architecture, parameters, np.float32)
        self.start()

    def start(self) -> None:
        self.optimizer = make_optimizer(self.recipe, self.network.parameters)

    def optimizer_state(self) -> OptimizerState:
        return self.optimizer.state()

    def parameters(self) -> Parameters:
        return get_parameters(self.network, self.recipe.architecture)

    def parameter_count(self) -> int:
        return sum(array.size for array in self.network.parameters.values())

    def parameter_devices(self) -> set[str]:
        return {"cpu"}

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
        return list(self.layer_outputs(inputs).values())[-1]

    def layer_outputs(self, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.floating]]:
        return self.network.layer_outputs(inputs)

    def loss_and_gradients(self, inputs: NDArray[np.float32], labels: NDArray[np.int32]) -> tuple[float, Parameters]:
        outputs, kept = self.network.forward(inputs)
        loss, gradient = self.loss(outputs, labels)
        gradients = self.network.backward(kept, gradient)
        if self.crooked:  # the mistake: biases are trained half as fast
            gradients = {key: array / 2 if key.endswith("bias") else array for key, array in gradients.items()}
        return float(loss), gradients

    def held_batches(self, batches: Batches) -> Batches:
        return batches

    def train(self, batches: Batches) -> NDArray[np.float32]:
        losses = np.empty((batches.epochs, batches.steps), np.float32)
        for epoch in range(batches.epochs):
            for step, batch in enumerate(batches.of_epoch(epoch)):
                losses[epoch, step], gradients = self.loss_and_gradients(self.inputs[batch], self.labels[batch])
                self.optimizer.update(self.network.parameters, gradients)
                self.network.state |= self.network.next_state
        return losses
