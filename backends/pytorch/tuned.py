"""The fastest correct loop in PyTorch: resident data, and whole training steps in one compiled call."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call, grad_and_value

from backends.base import EAGER
from backends.fusion import fuse, fused_names
from backends.pytorch.backend import _CompiledSteps, _has_compiler, _StepsInGraph, compiled
from backends.pytorch.layers import LAYERS
from backends.pytorch.model import Model
from backends.pytorch.network import Network, _channels_first, _trained, build_network, layer_outputs, to_canonical
from backends.pytorch.training import _clipped, _labels, _targets
from backends.pytorch.tuned_layers import TUNED_LAYERS
from tasks.batches import Batches
from tasks.dataset import Dataset, Labels
from tasks.layers import Dense
from tasks.task import Recipe
from tasks.training import SGD, Adam, OptimizerState, RMSprop

_SMALL_STEP = 1_000_000
"""A step of fewer floating-point operations takes less time than calling it: several are compiled into one call."""

_STEPS_IN_GRAPH = 8
"""Steps that a GPU is given at once, where that is how the loop runs; the epochs of a certificate have as many."""

_OPTIONS: dict[str, dict[str, bool]] = {
    "cpp-wrapper": {"pattern_matcher": False, "cpp_wrapper": True},
    "pattern-matcher": {"cpp_wrapper": True},
    "python-wrapper": {"pattern_matcher": False},
}
"""What the compiler is told, by formulation. Its pattern matcher makes the momentum and the gradient's matrix product
one call, which on some processors gains and on others loses, as it copies the momentum first."""
_Tensors = dict[str, Tensor]
"""Parameters, gradients or moments, by torch's own names."""


def _is_small(recipe: Recipe) -> bool:
    return recipe.architecture.training_operations() * recipe.batch_size < _SMALL_STEP


class TunedModel(Model):
    """Trains and answers with the tuned layers; outside the compiler they compute as torch's own."""

    @classmethod
    def formulations(cls, recipe: Recipe, device: str) -> tuple[str, ...]:
        """How compiled kernels are called, and whether the compiler looks for patterns; on a GPU also without it.

        Small steps are as fast in any form, and python-wrapper is compiled the soonest.
        """
        if device != "cpu":
            return "python-wrapper", "cuda-graph"
        return ("python-wrapper",) if _is_small(recipe) else tuple(_OPTIONS)

    def build(self) -> Network:
        """Builds the tuned network, the optimizer's moments and the compiled steps, once."""
        layers = dict(TUNED_LAYERS)
        if self.recipe.arithmetic == "bfloat16":
            layers[Dense] = LAYERS[Dense]  # autocast knows torch's own
        network = build_network(fuse(self.recipe.architecture), layers).to(self.own_device)
        if len(self.recipe.architecture.input_shape) == 3:
            network.to(memory_format=torch.channels_last)
        self.moments: dict[str, _Tensors] = {
            moment: {name: torch.zeros_like(parameter) for name, parameter in _trained(network).items()}
            for moment in self.recipe.optimizer.moments
        }
        self.steps_done = torch.zeros((), device=self.own_device)
        rates = self.recipe.learning_rates
        # Read on the device by the steps done: a rate that were a number would be compiled anew at each step.
        self.rates = None if rates is None else torch.from_numpy(rates).to(self.own_device)
        names = zip(_trained(network), self.recipe.architecture.parameter_shapes, strict=True)
        self.decayed = {name for name, key in names if key in self.recipe.decayed}
        torch._dynamo.config.allow_rnn = True  # subclasses of torch's LSTM, whose own code it need not see
        if self.recipe.architecture.state:
            torch._dynamo.config.trace_autograd_ops = True
        self.steps_a_call = 3 if _is_small(self.recipe) else 1
        self._run, how = self._runner()
        self.settings = {"layout": "NHWC (channels_last)", "compiled": how, "steps_a_call": self.steps_a_call}
        return network

    def _runner(self) -> tuple[Callable[[Tensor], Tensor], str]:
        """What trains on the batches of a call (steps, batch_size), and how it does so, in words."""
        if self.formulation == "cuda-graph":
            self.steps_a_call = _STEPS_IN_GRAPH
            return _StepsInGraph(self._train_eagerly), f"a CUDA graph of {_STEPS_IN_GRAPH} steps"
        if not _has_compiler(self.device):
            return self._train_eagerly, f"{EAGER}want of a compiler"
        steps = _CompiledSteps(self._train_steps, self._train_eagerly, _OPTIONS[self.formulation], self._note_failure)
        return steps, compiled("torch.compile of whole steps")

    def _note_failure(self) -> None:
        self.settings["compiled"] = f"{EAGER}the compiler failed"

    def layer_outputs(self, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.floating]]:
        """As of the common network; those that are fused have one output, under the names of all."""
        names, architecture = fused_names(self.recipe.architecture), fuse(self.recipe.architecture)
        self.network.eval()
        with torch.inference_mode(), self._arithmetic():
            outputs = layer_outputs(self.network, architecture, self._inputs(inputs))
        return {names[name]: output for name, output in outputs.items()}

    def place(self, dataset: Dataset) -> None:
        """Puts the inputs (n, *input_shape), images NHWC, and labels (n,) on the device."""
        self.inputs = torch.from_numpy(dataset.train_inputs).to(self.own_device)
        self.labels = _targets(dataset.train_labels).to(self.own_device)

    def held_data(self) -> tuple[NDArray[np.float32], Labels]:
        """The inputs (n, *input_shape) and labels (n,), read back from the device."""
        return self.inputs.cpu().numpy(), _labels(self.labels)

    def held_batches(self, batches: Batches) -> Batches:
        """The batches, read back from the device."""
        return Batches(*(tensor.cpu().numpy() for tensor in self.on_device(batches)))

    def start(self) -> None:
        """Sets the moments and the count of steps to 0: in place, because new tensors would be compiled for anew."""
        for tensors in (*self.moments.values(), {"steps": self.steps_done}):
            for tensor in tensors.values():
                tensor.zero_()

    def optimizer_state(self) -> OptimizerState:
        """The moments and the count of steps, in the canonical form."""
        keys = self.recipe.architecture.parameter_shapes
        moments = [
            to_canonical(self.network, self.recipe.architecture, dict(zip(keys, tensors.values(), strict=True)))
            for tensors in self.moments.values()
        ]
        return self.recipe.make_state(moments, int(self.steps_done))

    def train(self, batches: Batches) -> NDArray[np.float32]:
        """Trains a few steps a call, the losses staying on the device to the end; returns them, (epochs, steps)."""
        indices, remainder = self.on_device(batches)
        if not batches.rest:  # then epochs follow each other without a seam, and a call may hold steps of several
            indices = indices.reshape(1, -1, batches.batch_size)
        losses = []
        self.network.train()
        with torch.no_grad():  # gradients come from torch.func
            for epoch, steps in enumerate(indices):
                whole = len(steps) // self.steps_a_call * self.steps_a_call
                for start in range(0, whole, self.steps_a_call):
                    losses.append(self._run(steps[start : start + self.steps_a_call]))
                if whole < len(steps):
                    losses.append(self._train_eagerly(steps[whole:]))
                if batches.rest:  # one step of another shape an epoch: not worth a compilation
                    losses.append(self._train_eagerly(remainder[epoch, None]))
        return torch.cat(losses).cpu().numpy().reshape(batches.epochs, batches.steps)

    def train_step(self, inputs: Tensor, labels: Tensor, batch: Tensor) -> Tensor:
        """Gather, forward, loss, backward, update; returns the loss of the batch of indices (batch_size,)."""
        parameters = _trained(self.network)
        x, y = _channels_first(inputs[batch]), labels[batch]

        def loss_of(parameters: _Tensors) -> Tensor:
            with self._arithmetic():
                outputs = functional_call(self.network, parameters, (x,))
            return self.loss(outputs.float(), y)

        gradients, loss = grad_and_value(loss_of)(parameters)
        self.update(parameters, gradients)
        return loss

    def update(self, parameters: _Tensors, gradients: _Tensors) -> None:
        """The task's optimizer, in place and written out, so that the compiler can fuse it."""
        rule, clip_norm = self.recipe.optimizer, self.recipe.clip_norm
        rate: float | Tensor = rule.learning_rate
        if self.rates is not None:
            step = self.steps_done.clamp(max=len(self.rates) - 1).long()
            rate = self.rates.index_select(0, step[None])[0]  # rates[step] would read the step back from the device
        self.steps_done += 1
        if clip_norm is not None:
            gradients = dict(zip(gradients, _clipped(list(gradients.values()), clip_norm), strict=True))
        for name, p in parameters.items():
            g, decay = gradients[name], rule.weight_decay if name in self.decayed else 0.0
            if decay and not rule.decoupled:
                g = g.add(p, alpha=decay)
            direction = self._direction(name, g)
            if decay and rule.decoupled:
                p.mul_(1 - rate * decay)
            if isinstance(rate, Tensor):
                p.sub_(rate * direction)
            else:
                p.sub_(direction, alpha=rate)

    def _direction(self, name: str, g: Tensor) -> Tensor:
        """By what, times the learning rate, the rule lowers a parameter whose gradient is g; updates the moments."""
        rule = self.recipe.optimizer
        moments = [tensors[name] for tensors in self.moments.values()]
        if isinstance(rule, SGD):
            if not rule.momentum:
                return g
            velocity = moments[0].mul_(rule.momentum).add_(g)
            return g.add(velocity, alpha=rule.momentum) if rule.nesterov else velocity
        if isinstance(rule, Adam):
            first, second = moments
            first.mul_(rule.beta_1).add_(g, alpha=1 - rule.beta_1)
            second.mul_(rule.beta_2).addcmul_(g, g, value=1 - rule.beta_2)
            m_hat = first / (1 - rule.beta_1**self.steps_done)
            v_hat = second / (1 - rule.beta_2**self.steps_done)
            return m_hat / (v_hat.sqrt() + rule.epsilon)
        square = moments[0].mul_(rule.decay).addcmul_(g, g, value=1 - rule.decay)
        if isinstance(rule, RMSprop):
            scaled = g / (square.sqrt() + rule.epsilon)
            return moments[1].mul_(rule.momentum).add_(scaled) if rule.momentum else scaled
        update = moments[1]
        direction = g * (update + rule.epsilon).sqrt() / (square + rule.epsilon).sqrt()
        update.mul_(rule.decay).addcmul_(direction, direction, value=1 - rule.decay)
        return direction

    def on_device(self, batches: Batches) -> tuple[Tensor, Tensor]:
        """The indices (epochs, steps, batch_size) and the remainder (epochs, rest) of the batches, on the device."""
        return (
            torch.from_numpy(batches.indices).to(self.own_device),
            torch.from_numpy(batches.remainder).to(self.own_device),
        )

    def _train_steps(self, steps: Tensor) -> Tensor:
        """Trains on batches (steps, batch_size) and returns the loss of each: one graph for the compiler."""
        if not torch.compiler.is_compiling():  # TORCH_COMPILE_DISABLE, say; the compiler leaves these lines out
            self.settings["compiled"] = f"{EAGER}torch.compile is switched off or gave up"
        if self.recipe.architecture.state:  # torch.func refuses layers that move a state of theirs
            return self._train_eagerly(steps)
        return torch.stack([self.train_step(self.inputs, self.labels, batch) for batch in steps.unbind()])

    def _train_eagerly(self, steps: Tensor) -> Tensor:
        """The same by autograd, which takes half the time of torch.func where nothing is compiled."""
        parameters = _trained(self.network)
        losses = []
        for batch in steps.unbind():
            with torch.enable_grad():
                loss = self.loss(self._answer(_channels_first(self.inputs[batch])), self.labels[batch])
            gradients = torch.autograd.grad(loss, list(parameters.values()))
            self.update(parameters, dict(zip(parameters, gradients, strict=True)))
            losses.append(loss.detach())
        return torch.stack(losses)
