"""Not part of the reference: layers that round to fewer digits, as a copy of the reference in TF32 or bfloat16 does.

The reference itself stays exact in every arithmetic: what a backend computes in bfloat16 is held against float64, and
may be as far off as these layers are.
"""

from functools import partial
from typing import Any

import numpy as np

from backends.numpy.arrays import Array, Backward, Forward, LayerParameters
from tasks.arithmetic import Arithmetic
from tasks.layers import LSTM, Conv2D, ConvTranspose2D, Dense, Layer

DIGITS: dict[Arithmetic, int] = {"float32": 24, "tf32": 11, "bfloat16": 8}
"""The binary digits of a number, the leading 1 among them."""
_PRODUCTS = (Dense, Conv2D, ConvTranspose2D, LSTM)
Layers = dict[type[Layer], tuple[Forward, Backward]]


class Rounding:
    """Rounds float32 numbers to fewer binary digits: to the nearest, or up and down by chance.

    Args:
        arithmetic: in which the numbers are held.
        seed: of the chance; 0 rounds to the nearest.
    """

    def __init__(self, arithmetic: Arithmetic, seed: int) -> None:
        self.dropped = DIGITS["float32"] - DIGITS[arithmetic]
        self.random = np.random.default_rng(seed) if seed else None

    def __call__(self, x: Array) -> Array:
        """The rounded numbers, float32 of the same shape. What is not finite, and what are no floats, stays."""
        if x.dtype != np.float32:
            return x
        bits, kept = x.view(np.uint32), np.uint32(self.dropped)
        if self.random is None:
            to_even = (bits >> kept) & np.uint32(1)
            added = to_even + np.uint32((1 << self.dropped - 1) - 1)
        else:
            chance = self.random.integers(0, 1 << 16, x.shape, np.uint16)
            added = (chance >> np.uint16(16 - self.dropped)).astype(np.uint32)
        rounded = ((bits + added) >> kept << kept).view(np.float32)
        return np.where(np.isfinite(x), rounded, x)


def lower(layers: Layers, arithmetic: Arithmetic, seed: int) -> Layers:
    """The layers in an arithmetic of fewer digits.

    In TF32 the factors of products are rounded, in bfloat16 what every layer takes and gives, and its gradients.
    """
    if arithmetic == "float32":
        return layers
    rounding = Rounding(arithmetic, seed)
    kinds = _PRODUCTS if arithmetic == "tf32" else tuple(layers)
    lowered = dict(layers)
    for kind in kinds:
        forward, backward = layers[kind]
        lowered[kind] = (
            partial(_forward, forward, rounding, arithmetic),
            partial(_backward, backward, rounding, arithmetic),
        )
    return lowered


def _forward(
    forward: Forward, rounding: Rounding, arithmetic: Arithmetic, layer: Layer, x: Any, p: LayerParameters
) -> tuple[Array, Any]:
    x = [rounding(part) for part in x] if isinstance(x, list) else rounding(x)
    if isinstance(layer, _PRODUCTS):
        p = {name: rounding(value) for name, value in p.items()}
    y, kept = forward(layer, x, p)
    return y if arithmetic == "tf32" else rounding(y), kept


def _backward(
    backward: Backward, rounding: Rounding, arithmetic: Arithmetic, layer: Layer, kept: Any, dy: Array
) -> tuple[Any, LayerParameters]:
    dx, of_parameters = backward(layer, kept, rounding(dy))
    if arithmetic == "tf32":
        return dx, of_parameters
    if isinstance(layer, _PRODUCTS):
        of_parameters = {name: rounding(value) for name, value in of_parameters.items()}
        if rounding.random is not None and not isinstance(layer, LSTM) and "bias" in of_parameters:
            of_parameters["bias"] = _pairwise_sum(rounding, rounding(dy).reshape(-1, dy.shape[-1]))
    return [rounding(part) for part in dx] if isinstance(dx, list) else rounding(dx), of_parameters


def _pairwise_sum(rounding: Rounding, terms: Array) -> Array:
    """The sum over the first axis, each sum of two rounded: XLA adds the gradients of a bias without more digits."""
    while len(terms) > 1:
        rest = terms[len(terms) // 2 * 2 :]
        terms = np.concatenate([rounding(terms[: len(terms) // 2 * 2 : 2] + terms[1::2]), rest])
    total: Array = terms[0]
    return total
