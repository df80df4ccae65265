"""The layers of ``flax.nnx`` that train otherwise than they answer."""

import jax
import jax.numpy as jnp
from flax import nnx

from tasks import layers
from tasks.layers import Shape
from tasks.masks import mask_rows


class _State(nnx.Variable):
    """A number that a layer keeps from step to step."""


class _Table(nnx.Variable):
    """The masks of a dropout layer, which stay as they are."""


def batch_norm(layer: layers.BatchNorm, shape: Shape) -> nnx.Module:
    """(n, channels) or (n, height, width, channels) to the same.

    By default nnx computes the variance in one pass, as the mean of squares minus the square of the mean, which loses
    digits where the mean is large.
    """
    kind = _UnbiasedBatchNorm if layer.unbiased else nnx.BatchNorm
    options = {"momentum": layer.momentum, "epsilon": layer.epsilon, "use_fast_variance": False}
    return kind(shape[-1], **options, rngs=nnx.Rngs(0))


class _UnbiasedBatchNorm(nnx.BatchNorm):
    """Moves the running variance towards the batch's unbiased one, as PyTorch does; nnx takes the biased."""

    def __call__(self, x: jax.Array) -> jax.Array:  # type: ignore[override]
        kept = self.momentum * self.var[...]
        y = super().__call__(x)
        if not self.use_running_average:
            count = x.size // x.shape[-1]
            self.var[...] = kept + (self.var[...] - kept) * (count / max(count - 1, 1))
        return y


class _MaskedDropout(nnx.Dropout):
    """Dropout by the masks of a table, (rows, *shape of an example), instead of nnx's own draw."""

    def __init__(self, layer: layers.Dropout, shape: Shape) -> None:
        super().__init__(layer.rate)
        self.seed, self.next_row = _State(jnp.zeros(())), _State(jnp.zeros(()))
        self.table = _Table(jnp.ones((mask_rows(shape), *shape), bool))

    def __call__(self, x: jax.Array) -> jax.Array:  # type: ignore[override]
        if self.deterministic:
            return x
        table, next_row = self.table[...], self.next_row[...]
        masks = table[(next_row.astype(int) + jnp.arange(len(x))) % len(table)]
        self.next_row[...] = (next_row + len(x)) % len(table)
        return x * (masks * jnp.float32(1 / (1 - self.rate)))
