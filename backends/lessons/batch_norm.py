"""Batch normalization: one layer, three conventions.

In training a batch is normalized by its own mean and variance, and running averages of the two are kept; in inference
the running ones take their place. Each framework's layer runs with its defaults, then set so that all mean the same.
"""

import numpy as np

IMAGES = np.array([3, 1, 4, 1, 5, 9, 2, 6], np.float32).reshape(2, 1, 2, 2)  # NHWC
COUNT = 2 * 1 * 2  # a channel's numbers in a batch: images x height x width
SCALE, SHIFT = np.array([2.0, 0.5], np.float32), np.array([0.5, 1.0], np.float32)
EPSILON = 1e-3
NEW = 0.1  # the weight of the new batch in the running averages
MEAN, VARIANCE = np.array([4.0, 5.0], np.float32), np.array([4.0, 9.0], np.float32)  # given, for inference

NOTE = (
    "A running average is (1 - NEW) * old + NEW * batch in all, but torch's momentum is NEW, and the momentum of Keras "
    "and flax is 1 - NEW: torch's default 0.1 is 0.9 elsewhere, where the default is 0.99, a memory ten times as long. "
    "Epsilon is 1e-5 in torch and flax, 1e-3 in Keras. The batch is normalized by its biased variance in all (over N), "
    "but torch, alone, adds the unbiased one (over N - 1) to its running variance; N is images x height x width, so "
    "the difference is large only for small batches of vectors, and no option removes it. torch follows the mode of "
    "the module and takes channels from axis 1; Keras infers unless the call says training=True (fit does), flax "
    "trains unless it says use_running_average=True, and both take the last axis. A wrong momentum or variance changes "
    "no number while training: it shows in inference only."
)
DIFFERS = {
    "defaults": "momentum and epsilon, as the framework names them",
    "weights_and_state": "names of what is trained, then of what is only kept",
    "image_shape": "where the channels are: the images as the layer takes them",
    "called_plainly": "does a new layer train or infer where the call does not say which?",
    "mean_with_momentum_0_1": "running mean after one batch where each is given momentum=0.1: torch keeps 0.9 of the "
    "old mean, the others 0.1",
    "running_variance": "torch adds the unbiased variance",
    "inference_after_one_batch": "the first pixel, normalized by the running averages: torch's variance is another",
}


def with_numpy() -> dict:
    """The formulas, with the biased variance in both places."""
    import numpy as np

    def normalize(x: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
        return SCALE * (x - mean) / np.sqrt(variance + EPSILON) + SHIFT

    batch_mean = IMAGES.mean(axis=(0, 1, 2))
    batch_variance = IMAGES.var(axis=(0, 1, 2))
    running_mean = (1 - NEW) * np.zeros(2) + NEW * batch_mean
    running_variance = (1 - NEW) * np.ones(2) + NEW * batch_variance
    return {
        "training": normalize(IMAGES, batch_mean, batch_variance),
        "inference": normalize(IMAGES, MEAN, VARIANCE),
        "running_mean": running_mean,
        "running_variance": running_variance,
        "biased_running_variance": running_variance,
        "inference_after_one_batch": normalize(IMAGES[0, 0, 0], running_mean, running_variance),
        "image_shape": str(IMAGES.shape),
    }


def with_pytorch() -> dict:
    """BatchNorm2d: momentum is the weight of the new batch."""
    import torch
    from torch import nn

    images = torch.tensor(IMAGES).permute(0, 3, 1, 2)
    layer = nn.BatchNorm2d(2)
    defaults = f"momentum={layer.momentum}, eps={layer.eps}"
    layer(images)
    called_plainly = "trains" if layer.running_mean.any() else "infers"
    mean_with_0_1 = nn.BatchNorm2d(2, momentum=0.1)
    mean_with_0_1(images)

    layer = nn.BatchNorm2d(2, eps=EPSILON, momentum=NEW)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(SCALE))
        layer.bias.copy_(torch.tensor(SHIFT))
        training = layer(images)
        mean, variance = layer.running_mean.clone(), layer.running_var.clone()
        layer.eval()
        after_one = layer(images[:1, :, :1, :1])
        layer.running_mean.copy_(torch.tensor(MEAN))
        layer.running_var.copy_(torch.tensor(VARIANCE))
        inference = layer(images)
    kept = (1 - NEW) * torch.ones(2)
    biased = kept + (variance - kept) * (COUNT - 1) / COUNT
    return {
        "training": training.permute(0, 2, 3, 1).numpy(),
        "inference": inference.permute(0, 2, 3, 1).numpy(),
        "running_mean": mean.numpy(),
        "running_variance": variance.numpy(),
        "biased_running_variance": biased.numpy(),
        "inference_after_one_batch": after_one.ravel().numpy(),
        "defaults": defaults,
        "weights_and_state": [name for name, _ in (*layer.named_parameters(), *layer.named_buffers())],
        "image_shape": str(tuple(images.shape)),
        "called_plainly": called_plainly,
        "mean_with_momentum_0_1": mean_with_0_1.running_mean.numpy(),
    }


def with_keras() -> dict:
    """BatchNormalization: momentum is the weight of the old."""
    import keras
    from keras.layers import BatchNormalization

    layer = BatchNormalization()
    defaults = f"momentum={layer.momentum}, epsilon={layer.epsilon}"
    layer(IMAGES)
    called_plainly = "trains" if layer.moving_mean.numpy().any() else "infers"
    mean_with_0_1 = BatchNormalization(momentum=0.1)
    mean_with_0_1(IMAGES, training=True)

    layer = BatchNormalization(momentum=1 - NEW, epsilon=EPSILON)
    layer.build(IMAGES.shape)
    layer.gamma.assign(SCALE)
    layer.beta.assign(SHIFT)
    training = layer(IMAGES, training=True)
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    after_one = layer(IMAGES[:1, :1, :1], training=False)
    layer.moving_mean.assign(MEAN)
    layer.moving_variance.assign(VARIANCE)
    inference = layer(IMAGES, training=False)
    return {
        "training": training.numpy(),
        "inference": inference.numpy(),
        "running_mean": mean,
        "running_variance": variance,
        "biased_running_variance": variance,
        "inference_after_one_batch": keras.ops.ravel(after_one).numpy(),
        "defaults": defaults,
        "weights_and_state": [w.name for w in (*layer.trainable_weights, *layer.non_trainable_weights)],
        "image_shape": str(IMAGES.shape),
        "called_plainly": called_plainly,
        "mean_with_momentum_0_1": mean_with_0_1.moving_mean.numpy(),
    }


def with_jax() -> dict:
    """nnx.BatchNorm: momentum is the weight of the old."""
    import jax.numpy as jnp
    import numpy as np
    from flax import nnx

    images = jnp.array(IMAGES)
    rngs = nnx.Rngs(0)
    layer = nnx.BatchNorm(2, rngs=rngs)
    defaults = f"momentum={layer.momentum}, epsilon={layer.epsilon}"
    layer(images)
    called_plainly = "trains" if layer.mean[...].any() else "infers"
    mean_with_0_1 = nnx.BatchNorm(2, momentum=0.1, rngs=rngs)
    mean_with_0_1(images)

    layer = nnx.BatchNorm(2, momentum=1 - NEW, epsilon=EPSILON, rngs=rngs)
    layer.scale[...] = jnp.array(SCALE)
    layer.bias[...] = jnp.array(SHIFT)
    training = layer(images, use_running_average=False)
    mean, variance = np.asarray(layer.mean[...]), np.asarray(layer.var[...])
    after_one = layer(images[0, 0, 0], use_running_average=True)
    layer.mean[...] = jnp.array(MEAN)
    layer.var[...] = jnp.array(VARIANCE)
    inference = layer(images, use_running_average=True)
    trained, kept = (nnx.to_pure_dict(nnx.state(layer, kind)) for kind in (nnx.Param, nnx.BatchStat))
    return {
        "training": np.asarray(training),
        "inference": np.asarray(inference),
        "running_mean": mean,
        "running_variance": variance,
        "biased_running_variance": variance,
        "inference_after_one_batch": np.asarray(after_one),
        "defaults": defaults,
        "weights_and_state": [*sorted(trained, reverse=True), *sorted(kept)],
        "image_shape": str(images.shape),
        "called_plainly": called_plainly,
        "mean_with_momentum_0_1": np.asarray(mean_with_0_1.mean[...]),
    }
