"""Planted faults: models that differ from what they should be in one thing, as ports of models do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from backends.base import Dtype
from backends.numpy.model import NumpyModel
from backends.numpy.rules import AdamUpdate
from tasks.architecture import Parameters
from tasks.batches import Batches
from tasks.dataset import Dataset
from tasks.layers import Conv2D
from tasks.task import Recipe
from tasks.training import SGD, Adam


class OneWeightOff(NumpyModel):
    def load_parameters(self, parameters: Parameters) -> None:
        super().load_parameters(parameters)
        self.network.parameters["3_dense/kernel"][1, 2] += 1e-3


class _Disguised(NumpyModel):
    """Computes in a disguise: with other parameters than it shows, or as ``disguised`` has it."""

    def disguise(self, parameters: Parameters) -> None:
        raise NotImplementedError

    def forward(self, inputs: Any) -> Any:
        with self.disguised():
            return super().forward(inputs)

    def layer_outputs(self, inputs: Any) -> Any:
        with self.disguised():
            return super().layer_outputs(inputs)

    @contextmanager
    def disguised(self) -> Iterator[None]:
        shown = self.network.parameters
        self.network.parameters = {key: value.copy() for key, value in shown.items()}
        self.disguise(self.network.parameters)
        yield
        self.network.parameters = shown


class HiddenWeightOff(_Disguised):
    def disguise(self, parameters: Parameters) -> None:
        parameters["3_dense/kernel"][1, 2] += 1e-3


class RowsSwapped(_Disguised):
    def disguise(self, parameters: Parameters) -> None:
        kernel = parameters["4_dense/kernel"]
        kernel[[0, 1]] = kernel[[1, 0]]


class FlattenOrder(_Disguised):
    def disguise(self, parameters: Parameters) -> None:
        shape = self.recipe.architecture.shapes["2_max_pool2d"]
        rows = np.arange(int(np.prod(shape))).reshape(shape).transpose(2, 0, 1).ravel()
        parameters["4_dense/kernel"] = parameters["4_dense/kernel"][rows]


class BiasLeftOut(_Disguised):
    def disguise(self, parameters: Parameters) -> None:
        parameters["0_conv2d/bias"][:] = 0


class PaddingShifted(_Disguised):
    @contextmanager
    def disguised(self) -> Iterator[None]:
        pads = Conv2D.pads
        Conv2D.pads = lambda layer, shape: tuple((a + 1, b - 1) for a, b in pads(layer, shape))  # type: ignore
        yield
        Conv2D.pads = pads  # type: ignore[method-assign]


class ReluOnLogits(NumpyModel):
    """Behind the last layer: no layer's own output shows it."""

    def logits(self, inputs: Any) -> Any:
        return np.maximum(super().logits(inputs), 0)

    def forward(self, inputs: Any) -> Any:
        outputs, kept = super().forward(inputs)
        return np.maximum(outputs, 0), kept


class SumForMean(NumpyModel):
    def loss_and_gradients(self, inputs: Any, labels: Any) -> tuple[float, Parameters]:
        loss, gradients = super().loss_and_gradients(inputs, labels)
        return loss * len(inputs), {key: value * len(inputs) for key, value in gradients.items()}


class GradientOff(NumpyModel):
    def loss_and_gradients(self, inputs: Any, labels: Any) -> tuple[float, Parameters]:
        loss, gradients = super().loss_and_gradients(inputs, labels)
        return loss, gradients | {"0_conv2d/kernel": gradients["0_conv2d/kernel"] * np.float32(1.0001)}


class KerasAdamUpdate(AdamUpdate):
    """Epsilon before the correction of the bias, and ten times as large: Keras's defaults."""

    epsilon = 1e-7

    def direction(self, key: str, g: Any) -> Any:
        adam, (first, second) = self.rule, (moment[key] for moment in self.moments.values())
        first += (1 - adam.beta_1) * (g - first)
        second += (1 - adam.beta_2) * (g**2 - second)
        factor = (1 - adam.beta_2**self.steps) ** 0.5 / (1 - adam.beta_1**self.steps)
        return np.float32(factor) * first / (np.sqrt(second) + np.float32(self.epsilon))


class KerasAdam(NumpyModel):
    def start(self) -> None:
        self.optimizer = KerasAdamUpdate(self.recipe, self.network.parameters)


def with_optimizer(optimizer: SGD | Adam) -> type[NumpyModel]:
    class OtherOptimizer(NumpyModel):
        def __init__(self, recipe: Recipe, parameters: Parameters, device: str, dtype: Dtype) -> None:
            from dataclasses import replace

            super().__init__(replace(recipe, optimizer=optimizer), parameters, device, dtype)

    return OtherOptimizer


class BatchOutOfOrder(NumpyModel):
    def train(self, batches: Batches) -> Any:
        indices = batches.indices.copy()
        if batches.full_steps > 3:
            indices[:, [2, 3]] = indices[:, [3, 2]]
        return super().train(Batches(indices, batches.remainder))


class LastBatchDropped(NumpyModel):
    def train(self, batches: Batches) -> Any:
        losses = super().train(Batches(batches.indices, batches.remainder[:, :0]))
        return np.pad(losses, ((0, 0), (0, int(batches.rest > 0))), mode="edge")


class LabelsShifted(NumpyModel):
    def place(self, dataset: Dataset) -> None:
        super().place(dataset)
        self.labels = np.roll(self.labels, 1)


Fault = tuple[str, type[NumpyModel], str]
FAULTS: dict[str, Fault] = {
    # what is wrong: the sample it is planted in, the model, the first quantity that must be named
    "one weight changed by 1e-3": ("adam", OneWeightOff, "hash of the initial parameters"),
    "one weight changed by 1e-3, not shown": ("adam", HiddenWeightOff, "output of layer 3_dense"),
    "two rows of a dense kernel swapped": ("convolution", RowsSwapped, "output of layer 4_dense"),
    "flatten order": ("convolution", FlattenOrder, "output of layer 4_dense"),
    "bias left out": ("convolution", BiasLeftOut, "output of layer 0_conv2d"),
    "padding shifted": ("convolution", PaddingShifted, "output of layer 0_conv2d"),
    "ReLU on the logits": ("convolution", ReluOnLogits, "logits"),
    "sum for mean in the loss": ("convolution", SumForMean, "loss"),
    "gradient off by 1e-4": ("convolution", GradientOff, "gradient of 0_conv2d/kernel"),
    "Keras's own Adam": ("adam", KerasAdam, "0_dense/kernel after 1 steps"),
    "epsilon 1e-7": ("adam", with_optimizer(Adam(0.001, epsilon=1e-7)), "0_dense/kernel after 1 steps"),
    "momentum off by 1e-3": ("convolution", with_optimizer(SGD(0.05, 0.901)), "mean losses up to step 10"),
    "a batch out of order": ("convolution", BatchOutOfOrder, "mean losses up to step 10"),
    "last partial batch dropped": ("convolution", LastBatchDropped, "mean losses up to step 10"),
    "labels shifted": ("convolution", LabelsShifted, "hash of the data"),
}


def use_keras_adam(model: Any) -> None:
    """Gives a real Keras model Keras's own Adam."""
    import keras

    adam = model.recipe.optimizer
    model.network.compile(
        optimizer=keras.optimizers.Adam(adam.learning_rate, adam.beta_1, adam.beta_2, adam.epsilon),
        loss=model.network.loss,
    )
    model.start = lambda: None


def without_compiler(model: Any) -> None:
    """Has PyTorch run its steps one operation at a time: compiling each of many random networks takes minutes."""
    import torch

    torch._dynamo.config.disable = True
