"""The losses and optimizers of tasks/training.py in PyTorch."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from tasks.training import SGD, Loss, Optimizer


def loss_function(loss: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of a batch, from outputs (n, outputs) and labels (n,): torch's order of arguments.

    ``cross_entropy`` takes logits and ``nll_loss`` log-probabilities; both take labels of 64 bits only.
    """
    if loss == "cross_entropy":
        return functional.cross_entropy
    if loss == "negative_log_likelihood":
        return functional.nll_loss
    return lambda outputs, labels: functional.mse_loss(outputs, labels[:, None].to(outputs.dtype), reduction="sum")


def make_optimizer(optimizer: Optimizer, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Torch's optimizer for these parameters, which it updates in place.

    As in the task's rules, SGD keeps the learning rate out of the momentum, and Adam adds epsilon last.
    """
    if isinstance(optimizer, SGD):
        return torch.optim.SGD(parameters, optimizer.learning_rate, momentum=optimizer.momentum)
    betas = (optimizer.beta_1, optimizer.beta_2)
    return torch.optim.Adam(parameters, optimizer.learning_rate, betas, optimizer.epsilon)
