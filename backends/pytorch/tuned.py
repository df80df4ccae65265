"""The fastest correct loop in PyTorch: resident data and whole training steps in one compiled call."""

import shutil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value

from backends.pytorch.model import LAYERS, PytorchModel, channels_first
from tasks.architecture import MaxPool2D
from tasks.batches import Batches
from tasks.task import SGD, Dataset

State = tuple[dict[str, Tensor], ...]
"""The network's parameters and the optimizer's one or two moments of each."""


class SlicesMaxPool(nn.Module):
    """The maximum over windows as a maximum over shifted slices; inductor's gradient of ``MaxPool2d`` scatters."""

    def __init__(self, layer: MaxPool2D) -> None:
        super().__init__()
        self.size = layer.size

    def forward(self, x: Tensor) -> Tensor:
        (size_y, size_x), (height, width) = self.size, x.shape[2:]
        bottom, right = height // size_y * size_y, width // size_x * size_x
        slices = [x[:, :, i:bottom:size_y, j:right:size_x] for i in range(size_y) for j in range(size_x)]
        largest = slices[0]
        for candidate in slices[1:]:
            largest = torch.maximum(largest, candidate)
        return largest


class TunedModel(PytorchModel):
    layers = {**LAYERS, MaxPool2D: lambda layer, shape: SlicesMaxPool(layer)}

    def start_optimizer(self) -> None:
        self.network.to(memory_format=torch.channels_last)
        self.state: State = tuple(
            {name: torch.zeros_like(parameter) for name, parameter in self.network.named_parameters()}
            for _ in range(1 if isinstance(self.recipe.optimizer, SGD) else 2)
        )
        self.steps_done = torch.zeros((), dtype=torch.float32, device=self.torch_device)
        self.settings = {"layout": "NHWC (channels_last)", "compiled": "torch.compile of a step"}
        self.step = torch.compile(self.train_step, dynamic=False) if _can_compile(self) else self.train_step

    def place(self, dataset: Dataset) -> None:
        self.inputs = torch.from_numpy(dataset.train_inputs).to(self.torch_device)
        self.labels = torch.from_numpy(dataset.train_labels).to(self.torch_device, torch.int64)

    def held_data(self) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        return self.inputs.cpu().numpy(), self.labels.cpu().numpy().astype(np.int32)

    def held_batches(self, batches: Batches) -> Batches:
        return Batches(*(tensor.cpu().numpy() for tensor in self._on_device(batches)))

    def train(self, batches: Batches) -> NDArray[np.float32]:
        indices, remainder = self._on_device(batches)
        losses = torch.empty((batches.epochs, batches.steps), device=self.torch_device)
        with torch.no_grad():
            for epoch in range(batches.epochs):
                for step in range(batches.steps):
                    batch = indices[epoch, step] if step < batches.full_steps else remainder[epoch]
                    losses[epoch, step] = self.step(batch)
        return losses.cpu().numpy()

    def train_step(self, batch: Tensor) -> Tensor:
        """Gather, forward, loss, backward, update: one graph for the compiler."""
        parameters = dict(self.network.named_parameters())
        inputs, labels = channels_first(self.inputs[batch]), self.labels[batch]

        def loss_of(parameters: dict[str, Tensor]) -> Tensor:
            return self.loss(functional_call(self.network, parameters, (inputs,)), labels)

        gradients, loss = grad_and_value(loss_of)(parameters)
        self.update(parameters, gradients)
        return loss

    def update(self, parameters: dict[str, Any], gradients: dict[str, Tensor]) -> None:
        """The task's optimizer, in place, where the compiler can fuse it."""
        optimizer = self.recipe.optimizer
        self.steps_done += 1
        for name, p in parameters.items():
            g = gradients[name]
            if isinstance(optimizer, SGD):
                (velocity,) = self.state
                velocity[name].mul_(optimizer.momentum).add_(g)
                p.sub_(velocity[name], alpha=optimizer.learning_rate)
            else:
                first, second = self.state
                first[name].mul_(optimizer.beta_1).add_(g, alpha=1 - optimizer.beta_1)
                second[name].mul_(optimizer.beta_2).addcmul_(g, g, value=1 - optimizer.beta_2)
                m_hat = first[name] / (1 - optimizer.beta_1**self.steps_done)
                v_hat = second[name] / (1 - optimizer.beta_2**self.steps_done)
                p.sub_(m_hat / (v_hat.sqrt() + optimizer.epsilon), alpha=optimizer.learning_rate)

    def _on_device(self, batches: Batches) -> tuple[Tensor, Tensor]:
        return (
            torch.from_numpy(batches.indices).to(self.torch_device),
            torch.from_numpy(batches.remainder).to(self.torch_device),
        )


def _can_compile(model: TunedModel) -> bool:
    """Whether torch.compile can work: on a CPU it needs a C++ compiler."""
    if model.device != "cpu" or any(shutil.which(name) for name in ("g++", "clang++", "c++", "cl")):
        return True
    model.settings["compiled"] = "no: eager, for want of a C++ compiler"
    return False
