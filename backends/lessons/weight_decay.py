"""Weight decay: into the gradient, or past it.

Coupled decay is added to the gradient and goes through momentum and Adam's scaling; decoupled decay shrinks the weight
beside the step, by rate * decay. Both are called weight_decay. The gradients are given, the same at each of five steps.
"""

from typing import Any

import numpy as np

KERNEL, BIAS = np.array([4.0, -2.0, 1.0], np.float32), np.array([3.0], np.float32)
KERNEL_GRADIENT, BIAS_GRADIENT = np.array([0.5, 0.1, -0.2], np.float32), np.array([0.4], np.float32)
RATE, DECAY, MOMENTUM, STEPS = 0.1, 0.1, 0.9, 5
EPSILON = 1e-8  # of Adam; Keras's default of 1e-7 would show in the sixth digit

NOTE = (
    "The argument weight_decay is coupled in torch's SGD and Adam and decoupled in AdamW; in Keras it is decoupled in "
    "every optimizer; optax.sgd and optax.adam have none: add_decayed_weights before the optimizer is coupled, and "
    "optax.adamw is decoupled. With plain SGD the two are one and the same; with momentum, and far more with Adam, "
    "which divides the decay by the size of the gradient, they are not. Coupled decay in Keras is the gradient of an "
    "L2 regularizer, whose penalty is l * sum(w**2): it adds 2 * l * w, so L2(decay / 2) is torch's decay. AdamW "
    "decays by 0.01 in torch, 0.004 in Keras and 0.0001 in optax unless told otherwise, and each multiplies that by "
    "the rate, a scheduled one too. Biases and scales are decayed like all else unless left out: by parameter groups "
    "in torch, exclude_from_weight_decay in Keras, a mask in optax; a kernel_regularizer of Keras never reaches a "
    "bias."
)
DIFFERS = {
    "adam_given_weight_decay": "Adam(weight_decay=0.1) is coupled in torch and decoupled in Keras; optax's has none",
    "momentum_given_weight_decay": "SGD(momentum=0.9, weight_decay=0.1): likewise",
    "added_to_the_gradient": "what a decay or an L2 of 0.1 adds to the gradient: Keras's L2 adds twice as much",
    "adamw_default": "the decay of AdamW where none is given",
}


def with_numpy() -> dict:
    """The two forms, with SGD and with Adam."""
    import numpy as np

    def sgd(w: np.ndarray, gradient: np.ndarray, decay: float, momentum: float = 0.0) -> np.ndarray:
        v = np.zeros_like(w)
        for _ in range(STEPS):
            v = momentum * v + gradient + decay * w
            w = w - RATE * v
        return w

    def adam(w: np.ndarray, gradient: np.ndarray, coupled: float, decoupled: float) -> np.ndarray:
        m, v = np.zeros_like(w), np.zeros_like(w)
        for step in range(1, STEPS + 1):
            g = gradient + coupled * w
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g**2
            scaled = m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.999**step)) + EPSILON)
            w = w - RATE * (scaled + decoupled * w)
        return w

    return {
        "sgd_given_weight_decay": sgd(KERNEL, KERNEL_GRADIENT, DECAY),
        "momentum_coupled": sgd(KERNEL, KERNEL_GRADIENT, DECAY, MOMENTUM),
        "adam_coupled": adam(KERNEL, KERNEL_GRADIENT, coupled=DECAY, decoupled=0),
        "adam_decoupled": adam(KERNEL, KERNEL_GRADIENT, coupled=0, decoupled=DECAY),
        "bias": sgd(BIAS, BIAS_GRADIENT, DECAY),
        "bias_left_out": sgd(BIAS, BIAS_GRADIENT, 0),
    }


def with_pytorch() -> dict:
    """Coupled in SGD and Adam, decoupled in AdamW."""
    import torch
    from torch import optim

    def train(kind: Any, bias_decay: float = DECAY, **options: float) -> tuple[np.ndarray, np.ndarray]:
        kernel, bias = torch.tensor(KERNEL), torch.tensor(BIAS)
        kernel.grad, bias.grad = torch.tensor(KERNEL_GRADIENT), torch.tensor(BIAS_GRADIENT)
        groups = [
            {"params": [kernel], "weight_decay": DECAY},
            {"params": [bias], "weight_decay": bias_decay},
        ]
        optimizer = kind(groups, RATE, **options)
        for _ in range(STEPS):
            optimizer.step()
        return kernel.numpy(), bias.numpy()

    kernel = torch.tensor(KERNEL)
    kernel.grad = torch.zeros(3)
    optim.SGD([kernel], lr=1.0, weight_decay=DECAY).step()
    sgd, bias = train(optim.SGD)
    momentum, _ = train(optim.SGD, momentum=MOMENTUM)
    adam, _ = train(optim.Adam, eps=EPSILON)
    return {
        "sgd_given_weight_decay": sgd,
        "momentum_coupled": momentum,
        "adam_coupled": adam,
        "adam_decoupled": train(optim.AdamW, eps=EPSILON)[0],
        "bias": bias,
        "bias_left_out": train(optim.SGD, bias_decay=0)[1],
        "momentum_given_weight_decay": momentum,
        "adam_given_weight_decay": adam,
        "added_to_the_gradient": KERNEL - kernel.numpy(),
        "adamw_default": optim.AdamW([kernel]).defaults["weight_decay"],
    }


def with_keras() -> dict:
    """Decoupled in every optimizer; an L2 is coupled."""
    import keras
    import tensorflow as tf
    from keras.optimizers import SGD, Adam, AdamW

    def l2_gradient(kernel: tf.Variable, l2: float) -> tf.Tensor:
        with tf.GradientTape() as tape:
            penalty = keras.regularizers.L2(l2)(kernel)
        return tape.gradient(penalty, kernel)

    def train(optimizer: Any, l2: float = 0.0, leave_out: bool = False) -> tuple[np.ndarray, np.ndarray]:
        kernel, bias = tf.Variable(KERNEL), tf.Variable(BIAS)
        if leave_out:
            optimizer.exclude_from_weight_decay([bias])
        for _ in range(STEPS):
            gradient = KERNEL_GRADIENT + l2_gradient(kernel, l2)
            optimizer.apply([gradient, tf.constant(BIAS_GRADIENT)], [kernel, bias])
        return kernel.numpy(), bias.numpy()

    decay: dict[str, Any] = {"weight_decay": DECAY}
    sgd, bias = train(SGD(RATE, **decay))
    return {
        "sgd_given_weight_decay": sgd,
        "momentum_coupled": train(SGD(RATE, MOMENTUM), l2=DECAY / 2)[0],
        "adam_coupled": train(Adam(RATE, epsilon=EPSILON), l2=DECAY / 2)[0],
        "adam_decoupled": train(AdamW(RATE, epsilon=EPSILON, **decay))[0],
        "bias": bias,
        "bias_left_out": train(SGD(RATE, **decay), leave_out=True)[1],
        "momentum_given_weight_decay": train(SGD(RATE, MOMENTUM, **decay))[0],
        "adam_given_weight_decay": train(Adam(RATE, epsilon=EPSILON, **decay))[0],
        "added_to_the_gradient": l2_gradient(tf.Variable(KERNEL), DECAY).numpy(),
        "adamw_default": AdamW().weight_decay,
    }


def with_jax() -> dict:
    """optax.adamw is decoupled; else the order in a chain decides."""
    import inspect

    import jax.numpy as jnp
    import numpy as np
    import optax

    def train(optimizer: Any) -> dict[str, np.ndarray]:
        parameters = {"kernel": jnp.array(KERNEL), "bias": jnp.array(BIAS)}
        gradients = {"kernel": jnp.array(KERNEL_GRADIENT), "bias": jnp.array(BIAS_GRADIENT)}
        state = optimizer.init(parameters)
        for _ in range(STEPS):
            updates, state = optimizer.update(gradients, state, parameters)
            parameters = optax.apply_updates(parameters, updates)
        return {name: np.asarray(value) for name, value in parameters.items()}

    decay = optax.add_decayed_weights(DECAY)
    kernels_only = optax.add_decayed_weights(DECAY, mask={"kernel": True, "bias": False})
    sgd = train(optax.chain(decay, optax.sgd(RATE)))
    momentum = optax.chain(decay, optax.sgd(RATE, MOMENTUM))
    adam = optax.chain(decay, optax.adam(RATE, eps=EPSILON))
    adamw = optax.adamw(RATE, eps=EPSILON, weight_decay=DECAY)

    kernel = jnp.array(KERNEL)
    added, _ = decay.update(jnp.zeros(3), decay.init(kernel), kernel)
    return {
        "sgd_given_weight_decay": sgd["kernel"],
        "momentum_coupled": train(momentum)["kernel"],
        "adam_coupled": train(adam)["kernel"],
        "adam_decoupled": train(adamw)["kernel"],
        "bias": sgd["bias"],
        "bias_left_out": train(optax.chain(kernels_only, optax.sgd(RATE)))["bias"],
        "added_to_the_gradient": np.asarray(added),
        "adamw_default": inspect.signature(optax.adamw).parameters["weight_decay"].default,
    }
