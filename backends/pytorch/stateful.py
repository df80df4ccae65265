"""The layers of ``torch.nn`` that train otherwise than they answer."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tasks import layers
from tasks.layers import Shape
from tasks.masks import mask_rows


def batch_norm(layer: layers.BatchNorm, shape: Shape) -> nn.Module:
    """(n, channels) or (n, channels, height, width) to the same; torch's momentum is the weight of the new values."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d) if layer.unbiased else (_BiasedBatchNorm1d, _BiasedBatchNorm2d)
    norm = kinds[len(shape) == 3](shape[-1], layer.epsilon, 1 - layer.momentum)
    norm.num_batches_tracked = None  # torch needs the count only where it has no momentum
    return norm


class _Biased:
    """Moves the running variance towards the batch's biased one, as Keras and flax do; torch takes the unbiased."""

    def forward(self: Any, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)  # type: ignore[misc,no-any-return]
        mean, variance = self.running_mean.clone(), self.running_var.clone()  # torch keeps them for the backward pass
        y = functional.batch_norm(x, mean, variance, self.weight, self.bias, True, self.momentum, self.eps)
        with torch.no_grad():
            count = x.numel() // x.shape[1]
            kept = (1 - self.momentum) * self.running_var
            self.running_mean.copy_(mean)
            self.running_var.copy_(kept + (variance - kept) * ((count - 1) / count))
        return y


class _BiasedBatchNorm1d(_Biased, nn.BatchNorm1d): ...


class _BiasedBatchNorm2d(_Biased, nn.BatchNorm2d): ...


class _MaskedDropout(nn.Dropout):
    """Dropout by the masks of a table, (rows, *shape of an example as torch has it), instead of torch's own draw."""

    def __init__(self, layer: layers.Dropout, shape: Shape) -> None:
        super().__init__(layer.rate)
        self.seed: Tensor
        self.next_row: Tensor
        self.table: Tensor
        in_torchs_order = np.roll(shape, 1) if len(shape) == 3 else shape  # images channels first
        table = torch.ones((mask_rows(shape), *in_torchs_order), dtype=torch.bool)
        for name, tensor in {"seed": torch.zeros(()), "next_row": torch.zeros(()), "table": table}.items():
            self.register_buffer(name, tensor, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        rows = (self.next_row.long() + torch.arange(len(x), device=x.device)) % len(self.table)
        self.next_row.copy_((self.next_row + len(x)) % len(self.table))
        return x * (self.table[rows] * (1 / (1 - self.p)))
