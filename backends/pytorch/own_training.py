"""A user's own ``torch.nn.Module`` in training, by the user's own optimizer and loss."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from backends.own import Array, OwnModelError, one_array
from backends.own_training import ByLayer, OwnStep, as_number, check_trainable
from backends.pytorch.own import KINDS, OwnModel


def train(own: OwnModel, optimizer: Any, loss: Any, inputs: Array, targets: Array, count: int) -> list[OwnStep]:
    """So many steps on one batch (n, ...) with targets (n, ...), without dropout; ``loss(outputs, targets)``.

    Raises:
        OwnModelError: the optimizer is none of torch's, or the loss is no number.
    """
    check_trainable(optimizer, loss)
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise OwnModelError(f"its optimizer is a {type(optimizer).__name__}, which is no torch.optim.Optimizer")
    own.model.train()
    for module in own.model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    x, y = own._given(inputs), torch.from_numpy(targets)
    y = y.to(own.number) if y.is_floating_point() else y.long()
    steps = []
    for _ in range(count):
        optimizer.zero_grad()
        value = loss(one_array(own.model(x), "the model"), y)
        number = as_number(value.detach(), tuple(value.shape))
        value.backward()
        gradients = _by_layer(own, lambda tensor: tensor.grad)
        optimizer.step()
        steps.append(OwnStep(number, gradients, _by_layer(own, lambda tensor: tensor)))
    return steps


def optimizer_settings(optimizer: Any) -> dict[str, Any]:
    """What the optimizer was made with, by the names that all frameworks share."""
    group = optimizer.param_groups[0]
    names = {"lr": "learning rate", "momentum": "momentum", "nesterov": "nesterov", "weight_decay": "weight decay"}
    names |= {"eps": "epsilon", "alpha": "decay"}
    found = {common: group[own] for own, common in names.items() if own in group}
    if "betas" in group:
        found |= {"beta 1": group["betas"][0], "beta 2": group["betas"][1]}
    return {"rule": type(optimizer).__name__, **found}


def _by_layer(own: OwnModel, read: Callable[[Tensor], Tensor | None]) -> ByLayer:
    """What is read from each tensor of the layers that are known, where there is something."""
    found: dict[str, dict[str, Array]] = {}
    for name, layer in own.layers.items():
        for key, (own_name, axes) in KINDS.get(type(layer), ("", {}))[1].items():
            tensor = getattr(layer, own_name)
            value = None if tensor is None else read(tensor)
            if value is not None:
                array = value.detach().numpy().copy()
                found.setdefault(name, {})[key] = array if axes is None else array.transpose(axes)
    return found
