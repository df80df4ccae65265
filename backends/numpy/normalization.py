"""Forward and backward passes of layers that normalize."""

from typing import Any

import numpy as np

from backends.numpy.arrays import Array, LayerParameters
from tasks.layers import LayerNorm


def layer_norm_forward(layer: LayerNorm, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """Mean 0 and variance 1 over the last axis, then scale and bias: (n, ..., channels) to (n, ..., channels)."""
    centered = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centered * centered).mean(axis=-1, keepdims=True) + x.dtype.type(layer.epsilon))
    normalized = centered / deviation
    return normalized * p["scale"] + p["bias"], (normalized, p["scale"], deviation)


def layer_norm_backward(layer: LayerNorm, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """``dx = (g - mean(g) - normalized * mean(g * normalized)) / deviation`` with ``g = dy * scale``.

    The means are over the last axis; they come of the mean and of the variance, which depend on every input.
    """
    normalized, scale, deviation = kept
    g = dy * scale
    of_mean, of_variance = (terms.mean(axis=-1, keepdims=True) for terms in (g, g * normalized))
    before = tuple(range(dy.ndim - 1))
    of_parameters = {"scale": (dy * normalized).sum(axis=before), "bias": dy.sum(axis=before)}
    return (g - of_mean - normalized * of_variance) / deviation, of_parameters
