"""Keras on PyTorch: what Keras leaves to be said in PyTorch's own words."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backends import base
from backends.keras import _configure
from backends.keras.layers import LAYERS
from backends.keras.stateful import _UnbiasedBatchNorm
from backends.keras_engines import KERAS_TORCH, stock
from backends.pytorch import backend
from tasks.layers import BatchNorm, Shape


class Backend(backend.Backend):
    """The devices, threads and memory of PyTorch."""

    about = KERAS_TORCH
    arithmetics = ("float32",)

    def configure(self, threads: int) -> dict[str, base.Setting]:
        """Sets PyTorch as its own backend does, and Keras; returns what was set."""
        _configure("torch")
        return super().configure(threads)


class _Variance:
    """The variance as the mean of squared deviations, as on the other engines.

    Keras on PyTorch takes the mean of the squares minus the square of the mean, which loses digits: what is left after
    some 100 steps is several times as far from float64 as other float32.
    """

    _reduction_axes: list[int]

    def _moments(self, inputs: Tensor, mask: None) -> tuple[Tensor, Tensor]:
        variance, mean = torch.var_mean(inputs, self._reduction_axes, correction=0)
        return mean, variance


class _BatchNorm(_Variance, keras.layers.BatchNormalization):
    pass


class _Unbiased(_Variance, _UnbiasedBatchNorm):
    pass


_BatchNorm.__name__ = _Unbiased.__name__ = "BatchNormalization"


def _batch_norm(layer: BatchNorm, shape: Shape) -> keras.layers.Layer:
    """(n, channels) or (n, height, width, channels) to the same."""
    return (_Unbiased if layer.unbiased else _BatchNorm)(momentum=layer.momentum, epsilon=layer.epsilon)


class StockModel(stock.StockModel):
    """A network that Keras calls layer by layer."""

    compiled = "no: eager"
    layers = {**LAYERS, BatchNorm: _batch_norm}

    def forward(self, inputs: NDArray[np.float32]) -> Tensor:
        with torch.no_grad():
            return self.network(keras.ops.convert_to_tensor(inputs), training=False)

    def value_and_gradients(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, list[Tensor]]:
        trained = [each.value.detach().clone().requires_grad_() for each in self.network.trainable_variables]
        others = [each.value.clone() for each in self.network.non_trainable_variables]
        outputs, _ = self.network.stateless_call(trained, others, inputs, training=True)
        loss = self.loss(outputs, labels)
        return loss.detach(), list(torch.autograd.grad(loss, trained))

    def parameter_devices(self) -> set[str]:
        """The devices on which torch holds the parameters."""
        return {str(each.value.device).replace("cuda", "gpu") for each in self.network.trainable_variables}
