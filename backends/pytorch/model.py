"""A network in PyTorch that answers; the two training loops are in tuned.py and stock.py."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backends import base
from backends.pytorch.backend import device_of
from backends.pytorch.layers import LAYERS
from backends.pytorch.network import (
    Network,
    _channels_first,
    build_network,
    get_parameters,
    layer_outputs,
    set_parameters,
    state,
    to_canonical,
    variables,
)
from backends.pytorch.training import _targets, loss_function
from tasks.architecture import Parameters
from tasks.dataset import Labels
from tasks.task import Recipe


class Model(base.Model):
    """What both training loops share: the network, its parameters, its answers."""

    def __init__(
        self, recipe: Recipe, parameters: Parameters, device: str, dtype: str, formulation: str | None = None
    ) -> None:
        super().__init__(recipe, parameters, device, dtype, formulation)
        self.own_device = device_of(device)
        self.loss = loss_function(recipe)
        self.network = self.build()
        self.load_parameters(parameters)

    def build(self) -> Network:
        """Builds the network on the device, once."""
        return build_network(self.recipe.architecture, LAYERS).to(self.own_device)

    def load_parameters(self, parameters: Parameters) -> None:
        """Copies parameters in the canonical layout into the network, and starts the optimizer afresh."""
        set_parameters(self.network, self.recipe.architecture, parameters)
        self.start()

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
        """The network's outputs (n, outputs) for inputs (n, *input_shape), images NHWC."""
        self.network.eval()
        with torch.inference_mode():
            return self._answer(self._inputs(inputs)).cpu().numpy()

    def layer_outputs(self, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.floating]]:
        """The output of every layer by its node's name, for inputs (n, *input_shape), images NHWC."""
        self.network.eval()
        with torch.inference_mode(), self._arithmetic():
            return layer_outputs(self.network, self.recipe.architecture, self._inputs(inputs))

    def loss_and_gradients(self, inputs: NDArray[np.float32], labels: Labels) -> tuple[float, Parameters]:
        """The loss of a batch (n, *input_shape) with labels (n,), and its gradients in the canonical layout."""
        self.network.train()
        held = [(buffer, buffer.clone()) for buffer in state(self.network, self.recipe.architecture).values()]
        tensors = variables(self.network, self.recipe.architecture)
        targets = _targets(labels).to(self.own_device)
        loss = self.loss(self._answer(self._inputs(inputs)), targets)
        gradients = torch.autograd.grad(loss, list(tensors.values()))
        for buffer, before in held:  # a forward pass of training moves the state
            buffer.copy_(before)
        by_key = dict(zip(tensors, gradients, strict=True))
        return loss.item(), to_canonical(self.network, self.recipe.architecture, by_key)

    def parameters(self) -> Parameters:
        """Copies of the parameters, in the canonical layout."""
        return get_parameters(self.network, self.recipe.architecture)

    def parameter_count(self) -> int:
        """The number of trained parameters, which torch leaves to be summed up."""
        return sum(parameter.numel() for parameter in variables(self.network, self.recipe.architecture).values())

    def parameter_devices(self) -> set[str]:
        """The devices on which torch holds the parameters."""
        return {str(parameter.device).replace("cuda", "gpu") for parameter in self.network.parameters()}

    def _arithmetic(self) -> AbstractContextManager[Any]:
        """In which torch computes layers; autocast has lists of those that stay in float32, such as normalizations."""
        if self.recipe.arithmetic != "bfloat16":
            return nullcontext()
        return torch.autocast(self.own_device.type, torch.bfloat16)

    def _answer(self, inputs: Tensor) -> Tensor:
        """The network's outputs (n, outputs), in float32 for the loss."""
        with self._arithmetic():
            outputs: Tensor = self.network(inputs)
        return outputs.float()

    def _inputs(self, inputs: NDArray[np.float32]) -> Tensor:
        return _channels_first(torch.from_numpy(inputs).to(self.own_device))
