"""Forward and backward passes of layers of sequences (n, time, features)."""

from typing import Any

import numpy as np

from backends.numpy.activations import sigmoid_forward
from backends.numpy.arrays import Array, LayerParameters
from tasks.layers import LSTM, Sigmoid


def lstm_forward(layer: LSTM, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """(n, time, features) to (n, time, units), or (n, units) after the last step.

    Kept are x, every h before its step, and what the backward pass multiplies with: the derivatives of c and h for the
    gates' sums, and of h for c and of c for the c before.
    """
    n, length, _ = x.shape
    h: Array = np.zeros((n, layer.units), x.dtype)
    c: Array = h
    before, of_gates, of_c, forgets, outputs = [], [], [], [], []
    for t in range(length):
        before.append(h)
        sums: list[Array] = np.split(x[:, t] @ p["kernel"] + h @ p["recurrent_kernel"] + p["bias"], 4, axis=1)
        i, f, g, o = _sigmoid(sums[0]), _sigmoid(sums[1]), np.tanh(sums[2]), _sigmoid(sums[3])
        c_before, c = c, f * c + i * g
        squashed = np.tanh(c)
        h = o * squashed
        # Of c for the sums of i, f and g; and of h for that of o.
        of_gates.append((g * i * (1 - i), c_before * f * (1 - f), i * (1 - g * g), squashed * o * (1 - o)))
        of_c.append(o * (1 - squashed * squashed))
        forgets.append(f)
        outputs.append(h)
    y = np.stack(outputs, axis=1) if layer.return_sequences else h
    kept = (x, np.stack(before), np.array(of_gates), np.array(of_c), np.array(forgets))
    return y, (*kept, p["kernel"], p["recurrent_kernel"])


def lstm_backward(layer: LSTM, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """Backpropagation through time: the last step first, and each hands on dh and dc to the one before it."""
    x, before, of_gates, of_c, forgets, kernel, recurrent_kernel = kept
    dx, dc = np.zeros_like(x), np.zeros_like(before[0])
    dh = np.zeros_like(before[0]) if layer.return_sequences else dy
    d_kernel, d_recurrent, d_bias = np.zeros_like(kernel), np.zeros_like(recurrent_kernel), np.zeros_like(kernel[0])
    for t in reversed(range(len(before))):
        if layer.return_sequences:
            dh = dh + dy[:, t]
        dc = dc + dh * of_c[t]
        i, f, g, o = of_gates[t]
        dz = np.concatenate([dc * i, dc * f, dc * g, dh * o], axis=1)
        dx[:, t] = dz @ kernel.T
        d_kernel += x[:, t].T @ dz
        d_recurrent += before[t].T @ dz
        d_bias += dz.sum(axis=0)
        dh, dc = dz @ recurrent_kernel.T, dc * forgets[t]
    return dx, {"kernel": d_kernel, "recurrent_kernel": d_recurrent, "bias": d_bias}


def _sigmoid(x: Array) -> Array:
    return sigmoid_forward(Sigmoid(), x, {})[0]
