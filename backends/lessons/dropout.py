"""Dropout: the rate is the share that is dropped.

In training a random mask sets a share of the inputs to 0 and the others are divided by 1 - rate, so that the mean
stays; in inference nothing happens. With a given mask all compute the same; their own masks have nothing in common.
"""

import numpy as np

RATE, SEED = 0.2, 0
INPUTS = np.arange(1, 11, dtype=np.float32)
KEPT = np.array([1, 0, 1, 1, 1, 1, 0, 1, 1, 1], bool)  # a given mask: what is not dropped
MANY = 100_000  # units, to see what share is dropped

NOTE = (
    "The rate is the share dropped, in all three, and all divide what is kept by 1 - rate in training, so that "
    "inference needs no factor: a layer that multiplies by 1 - rate in inference, as the paper of 2014 does, or a "
    "keep_prob, as TensorFlow 1 had, is another convention. torch follows the mode of the module, and a new module "
    "trains; Keras's layer drops only where the call says training=True (fit does); flax's drops unless deterministic "
    "is true (model.eval() sets it). The masks come from torch's global generator, from a SeedGenerator in Keras, from "
    "a key and a counter in flax: the same seed gives three masks, and no layer takes one from outside, so code that "
    "must train identically multiplies by a mask that was drawn once. One mask for a whole channel is a layer of its "
    "own in torch (Dropout2d) and Keras (SpatialDropout2D), and an option, broadcast_dims, in flax."
)
DIFFERS = {
    "own_mask": "different generators: 1 is kept, 0 is dropped",
    "share_dropped": "of 100,000 units: near the rate, by chance",
    "called_plainly": "does a new layer drop where the call does not say whether it trains?",
}


def with_numpy() -> dict:
    """A mask, and a division."""
    import numpy as np

    def dropout(x: np.ndarray, kept: np.ndarray) -> np.ndarray:
        return np.where(kept, x / np.float32(1 - RATE), np.float32(0))

    rng = np.random.default_rng(SEED)
    own = dropout(INPUTS, rng.random(10) >= RATE)
    again = dropout(INPUTS, rng.random(10) >= RATE)
    many = dropout(np.ones(MANY, np.float32), rng.random(MANY) >= RATE)
    channels = dropout(np.ones((8, 4, 4, 3), np.float32), rng.random((8, 1, 1, 3)) >= RATE)
    return {
        "given_mask": dropout(INPUTS, KEPT),
        "gradient": dropout(2 * dropout(INPUTS, KEPT), KEPT),  # of the sum of squares
        "own_is_a_mask_and_a_division": np.allclose(own, dropout(INPUTS, own != 0)),
        "new_mask_each_time": not np.array_equal(own, again),
        "one_becomes": many.max(),
        "inference": INPUTS,
        "whole_channels": bool((channels == channels[:, :1, :1]).all()),
        "own_mask": str((own != 0).astype(int)),
        "share_dropped": (many == 0).mean(),
    }


def with_pytorch() -> dict:
    """nn.Dropout follows the mode of the module."""
    import numpy as np
    import torch
    from torch import nn

    def dropout(x: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        return torch.where(kept, x / (1 - RATE), 0.0)

    x = torch.tensor(INPUTS, requires_grad=True)
    given = dropout(x, torch.tensor(KEPT))
    (given**2).sum().backward()

    torch.manual_seed(SEED)
    layer = nn.Dropout(RATE)
    plainly = layer(torch.ones(MANY))
    own, again = layer(x.detach()), layer(x.detach())
    many = layer(torch.ones(MANY))
    channels = nn.Dropout2d(RATE)(torch.ones(8, 3, 4, 4))
    layer.eval()
    return {
        "given_mask": given.detach().numpy(),
        "gradient": x.grad.numpy(),
        "own_is_a_mask_and_a_division": torch.allclose(own, dropout(x, own != 0)),
        "new_mask_each_time": not torch.equal(own, again),
        "one_becomes": many.max().item(),
        "inference": layer(x).detach().numpy(),
        "whole_channels": bool((channels == channels[:, :, :1, :1]).all()),
        "own_mask": str((own != 0).numpy().astype(np.int64)),
        "share_dropped": (many == 0).float().mean().item(),
        "called_plainly": "drops" if (plainly == 0).any() else "does nothing",
    }


def with_keras() -> dict:
    """layers.Dropout follows the argument training."""
    import keras
    import numpy as np
    import tensorflow as tf
    from keras import layers

    def dropout(x: tf.Tensor, kept: tf.Tensor) -> tf.Tensor:
        return tf.where(kept, x / (1 - RATE), 0.0)

    x = tf.Variable(INPUTS)
    with tf.GradientTape() as tape:
        given = dropout(x, tf.constant(KEPT))
        loss = tf.reduce_sum(given**2)

    layer = layers.Dropout(RATE, seed=SEED)
    ones = keras.ops.ones(MANY)
    plainly = layer(ones)
    own, again = layer(INPUTS, training=True), layer(INPUTS, training=True)
    many = layer(ones, training=True).numpy()
    channels = layers.SpatialDropout2D(RATE, seed=SEED)(tf.ones((8, 4, 4, 3)), training=True)
    return {
        "given_mask": given.numpy(),
        "gradient": tape.gradient(loss, x).numpy(),
        "own_is_a_mask_and_a_division": np.allclose(own, dropout(INPUTS, own != 0)),
        "new_mask_each_time": not np.array_equal(own, again),
        "one_becomes": many.max(),
        "inference": layer(INPUTS, training=False).numpy(),
        "whole_channels": bool(keras.ops.all(channels == channels[:, :1, :1])),
        "own_mask": str((own != 0).numpy().astype(int)),
        "share_dropped": (many == 0).mean(),
        "called_plainly": "drops" if (plainly.numpy() == 0).any() else "does nothing",
    }


def with_jax() -> dict:
    """nnx.Dropout draws from the Rngs that it was given."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from flax import nnx

    def dropout(x: jax.Array, kept: jax.Array) -> jax.Array:
        return jnp.where(kept, x / (1 - RATE), 0.0)

    x, kept = jnp.array(INPUTS), jnp.array(KEPT)
    gradient = jax.grad(lambda x: (dropout(x, kept) ** 2).sum())(x)

    rngs = nnx.Rngs(SEED)
    layer = nnx.Dropout(RATE, rngs=rngs)
    plainly = layer(jnp.ones(MANY))
    own, again = layer(x, deterministic=False), layer(x, deterministic=False)
    many = layer(jnp.ones(MANY), deterministic=False)
    by_channel = nnx.Dropout(RATE, broadcast_dims=(1, 2), rngs=rngs)
    channels = by_channel(jnp.ones((8, 4, 4, 3)))
    return {
        "given_mask": np.asarray(dropout(x, kept)),
        "gradient": np.asarray(gradient),
        "own_is_a_mask_and_a_division": bool(jnp.allclose(own, dropout(x, own != 0))),
        "new_mask_each_time": not jnp.array_equal(own, again),
        "one_becomes": float(many.max()),
        "inference": np.asarray(layer(x, deterministic=True)),
        "whole_channels": bool((channels == channels[:, :1, :1]).all()),
        "own_mask": str(np.asarray(own != 0).astype(int)),
        "share_dropped": float((many == 0).mean()),
        "called_plainly": "drops" if (plainly == 0).any() else "does nothing",
    }
