"""Why two losses of the same outputs and targets differ: what makes one of them is computed, and held against it."""

from collections.abc import Iterator

import numpy as np

from backends.own import Array

KERAS_EPSILON = 1e-7
CLOSE = 1e-9
"""Relative; losses are computed in float64."""


def why_losses(first: float, second: float, outputs: Array, targets: Array) -> list[str]:
    """The cause of two losses' difference; empty where nothing known is.

    Args:
        first: loss of the first side.
        second: of the second.
        outputs: of both models, (n, outputs).
        targets: (n,) or (n, outputs).
    """
    for words, factor in _factors(outputs):
        if _is(second, factor * first):
            return [words]
        if _is(first, factor * second):
            return [words.replace("first", "1st").replace("second", "first").replace("1st", "second")]
    known = list(_losses(outputs, targets))
    names = [[name for name, value in known if _is(loss, value)] for loss in (first, second)]
    if names[0] and names[1]:
        return [f"the first's loss {names[0][0]}, and the second's {names[1][0]}"]
    return []


def _factors(outputs: Array) -> Iterator[tuple[str, float]]:
    """By what the second's loss may be larger."""
    examples, width = len(outputs), int(np.prod(outputs.shape[1:]))
    yield "the first's loss is the mean over the examples and the second's their sum", examples
    if width > 1:
        yield "the first's loss is the mean over examples and outputs and the second's their sum", examples * width
        yield "the first's loss is the mean over the outputs of an example and the second's their sum", width
    yield "the second's loss is twice the first's, as of squares that are not halved", 2.0


def _losses(outputs: Array, targets: Array) -> Iterator[tuple[str, float]]:
    """Losses in words, and what they are here."""
    if outputs.ndim != 2:
        return
    z = outputs.astype(np.float64)
    if targets.dtype.kind in "iu" and targets.ndim == 1 and z.shape[1] > 1:
        softmax = _softmax(z)
        yield "is a cross-entropy of logits", _cross_entropy(softmax, targets)
        yield "takes the softmax of what went through one already", _cross_entropy(_softmax(softmax), targets)
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = np.clip(z / z.sum(axis=1, keepdims=True), KERAS_EPSILON, 1 - KERAS_EPSILON)
        clipped = np.clip(z, KERAS_EPSILON, 1 - KERAS_EPSILON)  # Keras's order depends on its engine and on the loss
        yield "takes logits for probabilities", _cross_entropy(shares, targets)
        yield "takes logits for probabilities", _cross_entropy(clipped / clipped.sum(axis=1, keepdims=True), targets)
        yield "takes the mean of the logits for log-probabilities", float(-z[np.arange(len(z)), targets].mean())
    elif z.shape[1] == 1:
        y = targets.astype(np.float64).reshape(len(z), -1)
        yield "is the mean of squared differences", float(((z - y) ** 2).mean())
        if targets.ndim == 1:
            subtracts = "subtracts targets (n,) from outputs (n, 1), which makes (n, n) differences"
            yield subtracts, float(((z - targets[None, :]) ** 2).mean())
        yield "is a binary cross-entropy of logits", float((np.logaddexp(0, z) - y * z).mean())
        p = 1 / (1 + np.exp(-z))
        yield "takes the sigmoid of what went through one already", float((np.logaddexp(0, p) - y * p).mean())


def _softmax(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    shares: Array = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _cross_entropy(shares: Array, targets: Array) -> float:
    return float(-np.log(shares[np.arange(len(shares)), targets]).mean())


def _is(found: float, expected: float) -> bool:
    return bool(np.isclose(found, expected, rtol=CLOSE, atol=0))
