"""The layers of ``torch.nn`` for sequences (n, time, features)."""

import torch
from torch import Tensor, nn

from tasks import layers
from tasks.layers import Shape


def lstm(layer: layers.LSTM, shape: Shape) -> nn.Module:
    """(n, time, features) to (n, time, units) or (n, units), with kernels (4 * units, features) and (4 * units, units).

    Torch's gates are in the canonical order. Torch has a second bias, which is added to the first and would be trained
    as it is: both together would move twice as far. Here it stays 0.
    """
    return _LSTM(layer, shape[-1])


class _LSTM(nn.LSTM):
    """Gives the last output alone, unless all are wanted, and no state."""

    def __init__(self, layer: layers.LSTM, features: int) -> None:
        super().__init__(features, layer.units, batch_first=True)
        self.whole = layer.return_sequences
        nn.init.zeros_(self.bias_hh_l0)
        self.bias_hh_l0.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        outputs, _ = super().forward(x)
        return outputs if self.whole else outputs[:, -1]


class _UnrolledLSTM(_LSTM):
    """Step by step, for the compiler, which does not look into torch's own; the product with all inputs is one."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if not torch.compiler.is_compiling():
            return super().forward(x)
        of_inputs = nn.functional.linear(x, self.weight_ih_l0, self.bias_ih_l0)
        h = c = x.new_zeros(x.shape[0], self.hidden_size)
        outputs = []
        for z in of_inputs.unbind(dim=1):
            i, f, g, o = (z + h @ self.weight_hh_l0.T).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs, dim=1) if self.whole else h
