"""The losses and optimizers of tasks/training.py in PyTorch."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from backends.pytorch.network import Network, to_canonical, variables
from tasks.dataset import Labels
from tasks.task import Recipe
from tasks.training import SGD, Adam, AdamW, OptimizerState, RMSprop


def loss_function(recipe: Recipe) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of a batch, from outputs (n, outputs) and labels (n,): torch's order of arguments.

    ``cross_entropy`` takes logits and ``nll_loss`` log-probabilities; both take labels of 64 bits only. The others take
    targets of the outputs' shape and type: of labels (n,) they would make (n, n) differences.
    """
    match recipe.loss:
        case "cross_entropy" if recipe.label_smoothing:
            return partial(functional.cross_entropy, label_smoothing=recipe.label_smoothing)
        case "cross_entropy":
            return functional.cross_entropy
        case "negative_log_likelihood":
            return functional.nll_loss
        case "binary_cross_entropy":
            of_targets: Callable[[Tensor, Tensor], Tensor] = functional.binary_cross_entropy_with_logits
        case "mean_squared_error":
            of_targets = functional.mse_loss
        case _:
            of_targets = partial(functional.mse_loss, reduction="sum")
    return lambda outputs, labels: of_targets(outputs, labels[:, None].to(outputs.dtype))


def _targets(labels: Labels) -> Tensor:
    """Labels as torch's losses take them: integers of 64 bits, no others; numbers as they are."""
    tensor = torch.from_numpy(labels)
    return tensor if tensor.is_floating_point() else tensor.long()


def _labels(targets: Tensor) -> Labels:
    """Labels as they were before ``_targets``."""
    array = targets.cpu().numpy()
    return array if targets.is_floating_point() else array.astype(np.int32)


def make_optimizer(recipe: Recipe, variables: Mapping[str, nn.Parameter]) -> torch.optim.Optimizer:
    """Torch's optimizer for the parameters, by canonical key, which it updates in place.

    Its rules are the task's: SGD and RMSprop keep the learning rate out of the momentum, Adam and RMSprop add epsilon
    last, and weight decay is coupled in all but AdamW. A group of parameters is decayed as a whole: kernels have one.
    """
    rule = recipe.optimizer
    groups: list[Any] = list(variables.values())
    if rule.weight_decay:
        kernels = [p for key, p in variables.items() if key in recipe.decayed]
        others = [p for key, p in variables.items() if key not in recipe.decayed]
        groups = [{"params": kernels, "weight_decay": rule.weight_decay}, {"params": others, "weight_decay": 0.0}]
    if isinstance(rule, SGD):
        return torch.optim.SGD(groups, rule.learning_rate, momentum=rule.momentum, nesterov=rule.nesterov)
    if isinstance(rule, Adam):
        kind = torch.optim.AdamW if isinstance(rule, AdamW) else torch.optim.Adam
        return kind(groups, rule.learning_rate, (rule.beta_1, rule.beta_2), rule.epsilon)
    if isinstance(rule, RMSprop):
        return torch.optim.RMSprop(groups, rule.learning_rate, rule.decay, rule.epsilon, momentum=rule.momentum)
    return torch.optim.Adadelta(groups, rule.learning_rate, rule.decay, rule.epsilon)


def _make_scheduler(recipe: Recipe, optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler | None:
    """Torch's scheduler, which goes on a step after each step of the optimizer; None where the rate is constant."""
    rates = recipe.learning_rates
    if rates is None:
        return None
    factors = rates.astype(float) / recipe.optimizer.learning_rate
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: float(factors[min(step, len(factors) - 1)]))


def _canonical_state(
    optimizer: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None,
    network: Network,
    recipe: Recipe,
) -> OptimizerState:
    """The state of torch's optimizer in the canonical form."""
    names = {
        "velocity": "momentum_buffer",
        "first_moment": "exp_avg",
        "second_moment": "exp_avg_sq",
        "square_average": "square_avg",
        "update_average": "acc_delta",
    }
    state, by_key = optimizer.state, variables(network, recipe.architecture)
    moments = []
    for moment in recipe.optimizer.moments:  # torch makes them at the first step
        tensors = {key: state[p].get(names[moment], torch.zeros_like(p)) for key, p in by_key.items()}
        moments.append(to_canonical(network, recipe.architecture, tensors))
    steps = max((int(of_one.get("step", 0)) for of_one in state.values()), default=0)
    return recipe.make_state(moments, scheduler.last_epoch if scheduler else steps)


def _clip_gradients(network: Network, recipe: Recipe) -> None:
    """Clips the gradients that the parameters hold, where the recipe says so."""
    if recipe.clip_norm is None:
        return
    parameters = variables(network, recipe.architecture).values()
    gradients = _clipped([p.grad for p in parameters if p.grad is not None], recipe.clip_norm)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient


def _clipped(gradients: Sequence[Tensor], norm: float) -> list[Tensor]:
    """The gradients, scaled together so that their common norm is at most this one.

    ``torch.nn.utils.clip_grad_norm_`` adds 1e-6 to the norm that it divides by, and so clips a little more.
    """
    total = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]))
    factor = (norm / total).clamp(max=1)
    return [gradient * factor for gradient in gradients]
