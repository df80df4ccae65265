"""Distances: how far a quantity is from the float64 reference, how far it may be, and how far rounding alone leads."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compare.records.certificate import Distance
from tasks.arithmetic import Arithmetic, split_recipe
from tasks.training import Optimizer

FACTOR = 3.0
FLOOR = 1e-6
"""Added to the limits, as a share of the quantity's size: about eight units in the last place of a float32. A short sum
can by luck be exact in the float32 reference and cannot be in another order."""
CEILINGS: Mapping[Arithmetic, float] = {"float32": 1e-2, "tf32": 5e-2, "bfloat16": 0.25}
"""Where rounding alone moves a quantity by more than this share of its size, nothing can be decided by it."""
FLOORS: Mapping[Arithmetic, float] = {"float32": 0.0, "tf32": 1.2e-4, "bfloat16": 1e-3}
"""The floor of what is computed in fewer digits, where it is more: a quarter of a unit in the last place."""
SPARED = 1e-4
"""The share of a parameter's numbers, rounded down, that Adam may move otherwise by as much as its learning rate: it
divides a gradient by its own size, and among many gradients there are some that are rounding alone."""
_TRAINED = ("kernel", "scale", "bias")
_LARGEST = float(np.finfo(np.float32).max)
"""Written for what is infinite or not a number, which JSON has not."""


class Bounds(NamedTuple):
    """What a distance is judged by besides the noise, each a share of the quantity's size: ``FLOOR``, ``CEILINGS``."""

    floor: float = FLOOR
    ceiling: float = CEILINGS["float32"]


IN_FLOAT32 = Bounds()


def bounds_of(recipe: str, floor: float = FLOOR, *, is_parameter: bool = False) -> Bounds:
    """The bounds for a quantity of a recipe; parameters are float32 in every arithmetic."""
    arithmetic = split_recipe(recipe)[1]
    return Bounds(floor if is_parameter else max(floor, FLOORS[arithmetic]), CEILINGS[arithmetic])


def noise_of(expected: NDArray[Any], in_float32: Iterable[NDArray[Any]]) -> tuple[float, float]:
    """The largest absolute and relative distance of float32 computations from the float64 one."""
    distances = [(_absolute(found, expected), relative_distance(found, expected)) for found in in_float32]
    return max(absolute for absolute, _ in distances), max(relative for _, relative in distances)


def distance_of(
    name: str,
    found: NDArray[Any],
    expected: NDArray[Any],
    size: NDArray[Any],
    noise: tuple[float, float],
    bounds: Bounds = IN_FLOAT32,
    layer: float = 0.0,
) -> Distance:
    """How far a quantity is from the reference, and how far it may be.

    Args:
        name: of the quantity.
        found: what a backend computed.
        expected: what the reference computed in float64.
        size: of each of its numbers, where no terms of it cancel.
        noise: the absolute and relative distance that rounding alone makes.
        bounds: the share of the size that is added to the limits, and the one from which nothing can be decided.
        layer: the norm of all parameters of its layer, where the quantity is a parameter.
    """
    if found.shape != expected.shape or not np.isfinite(found).all():
        absolute = relative = _LARGEST
    else:
        absolute, relative = _finite(_absolute(found, expected)), _finite(relative_distance(found, expected))
    reference_absolute, reference_relative = map(_finite, noise)
    limit = _finite(FACTOR * reference_relative + bounds.floor * (norm(size) / (norm(expected) or 1.0) or 1.0))
    absolute_limit = _finite(FACTOR * reference_absolute + bounds.floor * float(size.max(initial=0)))
    moved = noise[1] * norm(expected)
    return Distance(
        quantity=name,
        absolute=absolute,
        relative=relative,
        reference_absolute=reference_absolute,
        reference_relative=reference_relative,
        limit=limit,
        absolute_limit=absolute_limit,
        passed=relative <= limit and absolute <= absolute_limit,
        decidable=bool(np.isfinite(moved)) and moved <= bounds.ceiling * max(norm(size), layer),
    )


def layer_size(parameters: Mapping[str, NDArray[Any]], key: str) -> float:
    """The norm of all trained parameters of a layer, from the key of one of them; 0 for a state."""
    layer, _, name = key.rpartition("/")
    keys = [f"{layer}/{other}" for other in _TRAINED] if name in _TRAINED else []
    return float(np.linalg.norm([0.0, *(norm(parameters[key]) for key in keys if key in parameters)]))


def size_of(parameters: Mapping[str, NDArray[Any]], key: str) -> NDArray[Any]:
    """How large each number of a parameter or a state is, as far as it matters.

    A running mean may be close to 0, and matters beside the deviation by which the normalization divides. A running
    variance is that deviation's square, of which rounding moves twice the share.
    """
    size: NDArray[Any] = np.abs(parameters[key])
    if key.endswith("/variance"):
        return 2 * size
    variance = parameters.get(f"{key.removesuffix('/mean')}/variance") if key.endswith("/mean") else None
    return size if variance is None else np.maximum(size, np.sqrt(np.maximum(variance, 0)), dtype=float)


def without_spared(found: NDArray[Any], expected: NDArray[Any], rule: Optimizer) -> NDArray[Any]:
    """A parameter with the few numbers that are farthest off put right, if an optimizer like Adam may have done it."""
    count = int(SPARED * found.size)
    if not rule.normalizes or not count or found.shape != expected.shape:
        return found
    apart = np.abs(found - expected)
    farthest = np.argpartition(apart, -count, axis=None)[-count:]
    right = found.copy()
    right.flat[farthest] = np.where(
        apart.flat[farthest] <= rule.learning_rate, expected.flat[farthest], found.flat[farthest]
    )
    return right


def _absolute(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """The largest absolute difference; infinite where one is not finite."""
    return float(np.abs(_difference(found, expected)).max(initial=0))


def relative_distance(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """The norm of the difference over the norm of what is expected; infinite where one is not finite."""
    apart = norm(_difference(found, expected))
    return apart / (norm(expected) or 1.0) if np.isfinite(apart) else apart


def _difference(found: NDArray[Any], expected: NDArray[Any]) -> NDArray[np.float64]:
    """The difference; infinite, and never "not a number", where one of the two is not finite."""
    with np.errstate(invalid="ignore"):
        difference = found.astype(np.float64) - expected
    return np.where(np.isfinite(difference), difference, np.inf)


def _finite(value: float) -> float:
    """The value, or the largest float32 where it is larger or not a number."""
    return float(np.nan_to_num(min(value, _LARGEST), nan=_LARGEST))


def norm(values: NDArray[Any]) -> float:
    """The Euclidean norm; infinite where it overflows."""
    with np.errstate(over="ignore"):
        return float(np.linalg.norm(values.astype(np.float64)))
