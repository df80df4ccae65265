"""The loop of Keras's own tutorials on any engine: ``compile`` and ``fit``, called once for all epochs.

The network, its layers, the losses and the optimizers are those of ``backends.keras``. What an engine has words of its
own for is in the file of that engine.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from backends import base
from backends.host_data import HostData
from backends.keras.layers import LAYERS, BuildLayer
from backends.keras.network import (
    build_network,
    get_parameters,
    layer_outputs,
    set_parameters,
    to_canonical,
    variables,
)
from backends.keras.training import _canonical_state, _loss_for_fit, loss_function, make_optimizer
from tasks.architecture import Parameters
from tasks.batches import Batches
from tasks.dataset import Labels
from tasks.layers import Layer
from tasks.task import Recipe
from tasks.training import OptimizerState


class StockModel(HostData, base.Model):
    """Trains as a newcomer is told to: ``fit`` has the loop."""

    compiled: str
    """How ``fit`` is compiled on this engine."""
    layers: Mapping[type[Layer], BuildLayer] = LAYERS

    def __init__(
        self, recipe: Recipe, parameters: Parameters, device: str, dtype: str, formulation: str | None = None
    ) -> None:
        super().__init__(recipe, parameters, device, dtype, formulation)
        self.loss = loss_function(recipe)
        with keras.device(device):
            self.network = build_network(recipe.architecture, self.layers)
        self.load_parameters(parameters)

    def load_parameters(self, parameters: Parameters) -> None:
        """Copies parameters in the canonical layout into the network, and starts the optimizer afresh."""
        with keras.device(self.device):
            set_parameters(self.network, self.recipe.architecture, parameters)
        self.start()

    def start(self) -> None:
        """Compiles the network for ``fit`` anew, with Keras's optimizer with fresh state."""
        self.settings = {"compiled": self.compiled, "layout": "NHWC", "input": "a generator of batches of arrays"}
        with keras.device(self.device):
            optimizer = make_optimizer(self.recipe, variables(self.network, self.recipe.architecture))
            self.network.compile(optimizer=optimizer, loss=_loss_for_fit(self.recipe))

    def train(self, batches: Batches) -> NDArray[np.float32]:
        """Trains in one call of ``fit``; returns the mean loss of every epoch, (epochs, 1)."""
        data = ((self.inputs[batch], self.labels[batch]) for batch in self._order(batches))
        with keras.device(self.device):
            history = self.network.fit(data, epochs=batches.epochs, steps_per_epoch=batches.steps, verbose=0)
        return np.array(history.history["loss"], np.float32)[:, None]

    def held_batches(self, batches: Batches) -> Batches:
        """The batches as the generator gives them."""
        steps = list(self._order(batches))
        epochs = [steps[start : start + batches.steps] for start in range(0, len(steps), batches.steps)]
        full = np.array([epoch[: batches.full_steps] for epoch in epochs], np.int32)
        rest = [epoch[-1] if batches.rest else np.empty(0) for epoch in epochs]
        return Batches(full, np.array(rest, np.int32))

    def optimizer_state(self) -> OptimizerState:
        """The moments and the count of steps that Keras's optimizer keeps, in the canonical form."""
        return _canonical_state(self.network.optimizer, self.network, self.recipe)

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
        """The network's outputs (n, outputs) for inputs (n, *input_shape), images NHWC."""
        with keras.device(self.device):
            return keras.ops.convert_to_numpy(self.forward(inputs))

    def layer_outputs(self, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.floating]]:
        """The output of every layer by its node's name, for inputs (n, *input_shape), images NHWC."""
        with keras.device(self.device):
            return layer_outputs(self.network, self.recipe.architecture, keras.ops.convert_to_tensor(inputs))

    def loss_and_gradients(self, inputs: NDArray[np.float32], labels: Labels) -> tuple[float, Parameters]:
        """The loss of a batch (n, *input_shape) with labels (n,), and its gradients in the canonical layout."""
        with keras.device(self.device):
            x, y = keras.ops.convert_to_tensor(inputs), keras.ops.convert_to_tensor(labels)
            loss, gradients = self.value_and_gradients(x, y)
        by_key = dict(zip(variables(self.network, self.recipe.architecture), gradients, strict=True))
        return float(loss), to_canonical(self.network, self.recipe.architecture, by_key)

    def parameters(self) -> Parameters:
        """Copies of the parameters, in the canonical layout."""
        return get_parameters(self.network, self.recipe.architecture)

    def parameter_count(self) -> int:
        """The number of trained parameters; Keras's ``count_params`` counts the state too."""
        return sum(int(np.prod(variable.shape)) for variable in self.network.trainable_variables)

    @abstractmethod
    def forward(self, inputs: NDArray[np.float32]) -> Any:
        """The engine's tensor of the outputs (n, outputs), in inference, compiled as the engine's users do."""

    @abstractmethod
    def value_and_gradients(self, inputs: Any, labels: Any) -> tuple[Any, list[Any]]:
        """The loss of a batch of tensors, and its gradients in the order of the variables. Changes nothing."""

    @staticmethod
    def _order(batches: Batches) -> Iterator[NDArray[np.int32]]:
        """The example indices of every step of all epochs."""
        for indices, rest in zip(batches.indices, batches.remainder, strict=True):
            yield from indices
            if rest.size:
                yield rest
