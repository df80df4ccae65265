"""The layers that train otherwise than they answer, and what they keep from step to step, in NumPy.

Forward and backward passes are those of training, as in layers.py.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from backends.numpy.arrays import Array, LayerParameters
from tasks.layers import BatchNorm, Dropout, Layer
from tasks.masks import mask_rows, mask_table


def batch_norm_forward(layer: BatchNorm, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """With the batch's own mean and variance: (n, ..., channels) to the same shape."""
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axes), x.var(axes)
    factor = 1 / np.sqrt(variance + layer.epsilon)
    normal = (x - mean) * factor
    return normal * p["scale"] + p["bias"], (normal, factor, p["scale"], mean, variance)


def batch_norm_backward(layer: BatchNorm, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """Every number of a channel moves its mean and its variance, which all outputs of the channel depend on."""
    normal, factor, scale, _, _ = kept
    axes = tuple(range(dy.ndim - 1))
    dx = factor * scale * (dy - dy.mean(axes) - normal * (dy * normal).mean(axes))
    return dx, {"scale": (dy * normal).sum(axes), "bias": dy.sum(axes)}


def batch_norm_inference(layer: BatchNorm, x: Array, p: LayerParameters) -> Array:
    """With the running mean and variance."""
    normal: Array = (x - p["mean"]) / np.sqrt(p["variance"] + layer.epsilon)
    return normal * p["scale"] + p["bias"]


def batch_norm_state(layer: BatchNorm, kept: Any, p: LayerParameters) -> LayerParameters:
    """The running mean and variance after a step."""
    normal, _, _, mean, variance = kept
    if layer.unbiased:
        count = prod(normal.shape[:-1])
        variance = variance * (count / max(count - 1, 1))
    momentum = layer.momentum
    return {
        "mean": momentum * p["mean"] + (1 - momentum) * mean,
        "variance": momentum * p["variance"] + (1 - momentum) * variance,
    }


def dropout_forward(layer: Dropout, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """Each example (n, ...) by the next mask of the table."""
    table = mask_table(layer, x.shape[1:], int(p["seed"]))
    rows = (int(p["next_row"]) + np.arange(len(x))) % len(table)
    factors = table[rows] * x.dtype.type(1 / (1 - layer.rate))
    return x * factors, factors


def dropout_backward(layer: Dropout, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """What was dropped has no gradient."""
    return dy * kept, {}


def dropout_inference(layer: Dropout, x: Array, p: LayerParameters) -> Array:
    """``x``."""
    return x


def dropout_state(layer: Dropout, kept: Any, p: LayerParameters) -> LayerParameters:
    """The row after those that a step took."""
    next_row = (p["next_row"] + len(kept)) % mask_rows(kept.shape[1:])
    return {"seed": p["seed"], "next_row": next_row}


INFERENCE: dict[type[Layer], Callable[[Any, Array, LayerParameters], Array]] = {
    BatchNorm: batch_norm_inference,
    Dropout: dropout_inference,
}
"""The forward passes of inference where they differ from those of training."""
STATE: dict[type[Layer], Callable[[Any, Any, LayerParameters], LayerParameters]] = {
    BatchNorm: batch_norm_state,
    Dropout: dropout_state,
}
"""From what a layer kept in a forward pass of training, and its parameters and state before it: its state after it."""
