"""The fastest correct loop in PyTorch: resident data, and whole training steps in one compiled call."""

import shutil
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch._dynamo.exc import BackendCompilerFailed
from torch.func import functional_call, grad_and_value

from backends.pytorch.model import PytorchModel, channels_first
from backends.pytorch.tuned_layers import TUNED_LAYERS, PoolFirstNetwork
from tasks.batches import Batches
from tasks.dataset import Dataset
from tasks.training import SGD

SMALL_STEP = 1_000_000
"""Below so many floating-point operations a step costs less than calling it: several are compiled into one call."""

State = tuple[dict[str, Tensor], ...]
"""The optimizer's one or two moments of each parameter."""


class TunedModel(PytorchModel):
    layers = TUNED_LAYERS
    network_class = PoolFirstNetwork
    flattens_channels_last = True

    state: State = ()

    def start_optimizer(self) -> None:
        if not self.state:
            self.build_loop()
        for moments in (*self.state, {"steps": self.steps_done}):
            for moment in moments.values():
                moment.zero_()  # in place: new tensors would compile anew

    def build_loop(self) -> None:
        """Makes the optimizer's state and compiles, once."""
        self.network.to(memory_format=torch.channels_last)
        self.state = tuple(
            {name: torch.zeros_like(parameter) for name, parameter in self.network.named_parameters()}
            for _ in range(1 if isinstance(self.recipe.optimizer, SGD) else 2)
        )
        self.steps_done = torch.zeros((), device=self.torch_device)
        small = self.recipe.architecture.training_operations() * self.recipe.batch_size < SMALL_STEP
        self.steps_a_call = 3 if small else 1
        # Inductor writes C++ for a CPU and Triton's language, whose launcher is C, for a GPU.
        names = ("g++", "clang++", "c++", "cl") if self.device == "cpu" else ("cc", "gcc", "clang")
        triton = self.device == "cpu" or find_spec("triton") is not None
        compiler = triton and any(shutil.which(name) for name in names)
        # Without the pattern matcher: it would make matrix product and momentum one call, which copies the momentum.
        compiled = torch.compile(self.train_steps, dynamic=False, options={"pattern_matcher": False})
        self.run = compiled if compiler else self.train_eagerly
        self.settings = {
            "layout": "NHWC (channels_last)",
            "compiled": "torch.compile of whole steps" if compiler else "no: eager, for want of a compiler",
            "steps_a_call": self.steps_a_call,
        }

    def place(self, dataset: Dataset) -> None:
        self.inputs = torch.from_numpy(dataset.train_inputs).to(self.torch_device)
        self.labels = torch.from_numpy(dataset.train_labels).to(self.torch_device, torch.int64)

    def held_data(self) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        return self.inputs.cpu().numpy(), self.labels.cpu().numpy().astype(np.int32)

    def held_batches(self, batches: Batches) -> Batches:
        return Batches(*(tensor.cpu().numpy() for tensor in self._on_device(batches)))

    def train(self, batches: Batches) -> NDArray[np.float32]:
        indices, remainder = self._on_device(batches)
        if not batches.rest:  # then epochs follow each other without a seam, and a call may hold steps of several
            indices = indices.reshape(1, -1, batches.batch_size)
        losses = []
        with torch.no_grad():  # gradients come from torch.func
            for epoch, steps in enumerate(indices):
                whole = len(steps) // self.steps_a_call * self.steps_a_call
                for start in range(0, whole, self.steps_a_call):
                    losses.append(self.run_steps(steps[start : start + self.steps_a_call]))
                if whole < len(steps):
                    losses.append(self.train_eagerly(steps[whole:]))
                if batches.rest:  # one step of another shape an epoch: not worth a compilation
                    losses.append(self.train_eagerly(remainder[epoch, None]))
        return torch.cat(losses).cpu().numpy().reshape(batches.epochs, batches.steps)

    def run_steps(self, steps: Tensor) -> Tensor:
        """``train_steps``, compiled; eager where the compiler turns out not to work (without Python's headers, say)."""
        try:
            return self.run(steps)
        except BackendCompilerFailed:
            self.run = self.train_eagerly
            self.settings["compiled"] = "no: eager, for the compiler failed"
            return self.run(steps)

    def train_steps(self, steps: Tensor) -> Tensor:
        """Trains on batches (steps, batch_size) and returns the loss of each: one graph for the compiler."""
        return torch.stack([self.train_step(batch) for batch in steps.unbind()])

    def train_step(self, batch: Tensor) -> Tensor:
        """Gather, forward, loss, backward, update."""
        parameters = dict(self.network.named_parameters())
        inputs, labels = channels_first(self.inputs[batch]), self.labels[batch]

        def loss_of(parameters: dict[str, Tensor]) -> Tensor:
            return self.loss(functional_call(self.network, parameters, (inputs,)), labels)

        gradients, loss = grad_and_value(loss_of)(parameters)
        self.update(parameters, gradients)
        return loss

    def train_eagerly(self, steps: Tensor) -> Tensor:
        """The same without the compiler, where autograd takes half the time of torch.func."""
        parameters = dict(self.network.named_parameters())
        losses = []
        for batch in steps.unbind():
            with torch.enable_grad():
                loss = self.loss(self.network(channels_first(self.inputs[batch])), self.labels[batch])
            gradients = torch.autograd.grad(loss, list(parameters.values()))
            self.update(parameters, dict(zip(parameters, gradients, strict=True)))
            losses.append(loss.detach())
        return torch.stack(losses)

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
