"""The layers of ``flax.nnx`` for sequences (n, time, features)."""

import jax
import jax.numpy as jnp
from flax import nnx

from tasks import layers
from tasks.layers import Shape


def lstm(layer: layers.LSTM, shape: Shape) -> nnx.Module:
    """(n, time, features) to (n, time, units) or (n, units), with kernels (features, 4 * units) and (units, 4 * units).

    Nnx's gates are in the canonical order, and its bias belongs to the recurrent kernel.
    """
    cell = nnx.OptimizedLSTMCell(shape[-1], layer.units, rngs=nnx.Rngs(0))
    return _LSTM(cell, layer.return_sequences)


class _LSTM(nnx.RNN):
    """Gives the last output alone, unless all are wanted."""

    def __init__(self, cell: nnx.OptimizedLSTMCell, whole: bool) -> None:
        super().__init__(cell, rngs=False)
        self.whole = whole

    def __call__(self, x: jax.Array) -> jax.Array:  # type: ignore[override]
        start = jnp.zeros((len(x), self.cell.hidden_features), self.cell.dtype or x.dtype)
        outputs: jax.Array = super().__call__(x, initial_carry=(start, start))
        return outputs if self.whole else outputs[:, -1]
