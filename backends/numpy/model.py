"""The reference backend: network, losses and optimizers from ``layers.py``'s passes, nothing hidden."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.base import Backend, Dtype, Mode, Model, Setting
from backends.numpy.layers import LAYERS, relu_forward
from tasks.architecture import Parameters
from tasks.batches import Batches
from tasks.dataset import Dataset
from tasks.layers import ReLU
from tasks.task import Recipe
from tasks.training import SGD, Adam, Loss

Array = NDArray[np.floating]


class NumpyBackend(Backend):
    name = "numpy"
    distributions = ("numpy",)
    modes = ("tuned",)
    dtypes = ("float32", "float64", "mixed")

    def configure(self, threads: int) -> dict[str, Setting]:
        # NumPy's matrix library reads its thread count from the environment, which the worker has set.
        return {"matmul_precision": "highest", "threads": int(os.environ.get("OMP_NUM_THREADS", threads))}

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def matrix_product(self, size: int, device: str) -> Callable[[], object]:
        matrix = np.random.default_rng(0).standard_normal((size, size), np.float32)
        return lambda: matrix @ matrix

    def model_class(self, mode: Mode) -> type[Model]:
        return NumpyModel


def loss_and_gradient(loss: Loss, outputs: Array, labels: NDArray[np.int32]) -> tuple[Array, Array]:
    """The loss of a batch, and its gradient for the outputs (n, outputs)."""
    n = len(outputs)
    rows = np.arange(n)
    if loss == "cross_entropy":
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        sums = exponentials.sum(axis=1, keepdims=True)
        gradient = exponentials / sums
        gradient[rows, labels] -= 1
        return (np.log(sums[:, 0]) - shifted[rows, labels]).mean(), gradient / n
    if loss == "negative_log_likelihood":
        gradient = np.zeros_like(outputs)
        gradient[rows, labels] = -1 / n
        return -outputs[rows, labels].mean(), gradient
    difference = outputs - labels[:, None].astype(outputs.dtype)
    return (difference**2).sum(), 2 * difference


class NumpyModel(Model):
    """The network as a list of layers, the optimizer as two dictionaries of arrays."""

    def __init__(self, recipe: Recipe, parameters: Parameters, device: str, dtype: Dtype) -> None:
        super().__init__(recipe, parameters, device, dtype)
        # PyTorch's own Adam corrects its moments with float64 scalars, optax's and Keras's with float32 ones, in which
        # 1 - 0.999 is off by 1e-5 of itself. Both are right; the certificate has to know both.
        self._array_type = np.float64 if dtype == "float64" else np.float32
        self._scalar_type = np.float32 if dtype == "float32" else np.float64
        self.rounding = 0.0
        """What rounding may add, as a share of the usual size; 0 but to measure noise, a little up or down.

        It decides what rounding decides: which side of ReLU's kink an input falls on that is all but 0, and where Adam
        goes, which divides a gradient by its own size, when the terms of that gradient cancel.
        """
        self.load_parameters(parameters)

    def place(self, dataset: Dataset) -> None:
        self.inputs = dataset.train_inputs
        self.labels = dataset.train_labels

    def held_data(self) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        return self.inputs, self.labels

    def held_batches(self, batches: Batches) -> Batches:
        return batches

    def train(self, batches: Batches) -> NDArray[np.float32]:
        losses = np.empty((batches.epochs, batches.steps), np.float32)
        for epoch in range(batches.epochs):
            for step, indices in enumerate(batches.of_epoch(epoch)):
                losses[epoch, step] = self.train_step(self.inputs[indices], self.labels[indices])
        return losses

    def train_step(self, inputs: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
        """Forward, loss, backward, update."""
        loss, gradients = self.loss_and_gradients(inputs, labels)
        if self.rounding and isinstance(self.recipe.optimizer, Adam):
            for key, size in self.gradient_sizes(inputs, labels).items():
                up_and_down = 1 - 2 * (np.arange(size.size) % 2)  # in turn: one way for all is lost in a softmax
                gradients[key] += self.rounding * size * up_and_down.reshape(size.shape)
        self.update(gradients)
        return loss

    def logits(self, inputs: NDArray[np.float32]) -> Array:
        return self.forward(inputs)[0]

    def loss_and_gradients(self, inputs: NDArray[np.float32], labels: NDArray[np.int32]) -> tuple[float, Parameters]:
        outputs, kept = self.forward(inputs)
        loss, gradient = loss_and_gradient(self.recipe.loss, outputs, labels)
        return float(loss), self.backward(kept, gradient)

    def forward(self, inputs: NDArray[np.float32]) -> tuple[Array, list[Any]]:
        """The outputs, and what each layer keeps for its backward pass."""
        x: Array = inputs.astype(self._array_type)
        kept_by_layer = []
        for name, layer in zip(self.recipe.architecture.names, self.recipe.architecture.layers, strict=True):
            forward, _ = LAYERS[type(layer)]
            if isinstance(layer, ReLU):
                forward = partial(relu_forward, rounding=self.rounding)
            x, kept = forward(layer, x, self._parameters_of(name))
            kept_by_layer.append(kept)
        return x, kept_by_layer

    def gradient_sizes(self, inputs: NDArray[np.float32], labels: NDArray[np.int32]) -> Parameters:
        """How large each gradient is where none of its terms cancel: the root of the sum of their squares.

        Rounding is of the size of the terms, however small their sum. The terms of examples and pixels count one by
        one, and those of outputs and channels as they come through the layers after.
        """
        outputs, kept = self.forward(inputs)
        _, gradient = loss_and_gradient(self.recipe.loss, outputs, labels)
        squares = self.backward(kept, gradient * gradient, squares=True)
        return {key: np.sqrt(value) for key, value in squares.items()}

    def backward(self, kept_by_layer: list[Any], gradient: Array, *, squares: bool = False) -> Parameters:
        """The gradient of every parameter, from the gradient for the outputs; ``squares``: all factors squared."""
        architecture = self.recipe.architecture
        gradients: Parameters = {}
        for name, layer, kept in reversed(
            list(zip(architecture.names, architecture.layers, kept_by_layer, strict=True))
        ):
            _, backward = LAYERS[type(layer)]
            if squares:
                kept, gradient = _squared(kept), np.abs(gradient)  # softmax subtracts
            gradient, of_parameters = backward(layer, kept, gradient)
            gradients.update({f"{name}/{key}": value for key, value in of_parameters.items()})
        return {key: gradients[key] for key in self._parameters}

    def update(self, gradients: Parameters) -> None:
        """One step of the recipe's optimizer."""
        optimizer = self.recipe.optimizer
        self._steps += 1
        number = self._scalar_type
        for key, p in self._parameters.items():
            g = gradients[key]
            if isinstance(optimizer, SGD):
                v = self._first[key]
                v *= optimizer.momentum
                v += g
                p -= optimizer.learning_rate * v
            else:
                m = self._first[key] = optimizer.beta_1 * self._first[key] + (1 - optimizer.beta_1) * g
                v = self._second[key] = optimizer.beta_2 * self._second[key] + (1 - optimizer.beta_2) * g * g
                m_hat = m / self._array_type(1 - number(optimizer.beta_1) ** number(self._steps))
                v_hat = v / self._array_type(1 - number(optimizer.beta_2) ** number(self._steps))
                p -= optimizer.learning_rate * m_hat / (np.sqrt(v_hat) + optimizer.epsilon)

    def parameters(self) -> Parameters:
        return {key: value.copy() for key, value in self._parameters.items()}

    def load_parameters(self, parameters: Parameters) -> None:
        self._parameters: Parameters = {key: value.astype(self._array_type) for key, value in parameters.items()}
        self._first: Parameters = {key: np.zeros_like(value) for key, value in self._parameters.items()}
        self._second: Parameters = {key: np.zeros_like(value) for key, value in self._parameters.items()}
        self._steps = 0

    def parameter_count(self) -> int:
        return sum(value.size for value in self._parameters.values())

    def parameter_devices(self) -> set[str]:
        return {"cpu"}

    def _parameters_of(self, layer: str) -> Parameters:
        prefix = layer + "/"
        return {key.removeprefix(prefix): value for key, value in self._parameters.items() if key.startswith(prefix)}


def _squared(kept: Any) -> Any:
    """What a layer keeps, its numbers squared; shapes and masks as they are."""
    if isinstance(kept, tuple):
        return tuple(map(_squared, kept))
    return kept * kept if isinstance(kept, np.ndarray) and kept.dtype.kind == "f" else kept
