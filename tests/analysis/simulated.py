"""Simulated speeds from fixed seeds: in each round both cells share a drift, and each has its own noise."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Noise = Callable[[np.random.Generator, tuple[int, int]], Floats]


def lognormal(random: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Each round varies by 2 %."""
    return np.exp(random.normal(0, 0.02, shape))


def heavy(random: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Student's t with 3 degrees of freedom: a few rounds are far off."""
    return np.exp(0.02 * random.standard_t(3, shape))


def interrupted(random: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Each round varies by 1 %, and one in ten is slower by a quarter."""
    return np.exp(random.normal(0, 0.01, shape)) * np.where(random.random(shape) < 0.1, 0.75, 1)


def simulate(
    rounds: int, noise: Noise = lognormal, *, count: int = 1000, speed: float = 1.0, seed: int = 1
) -> tuple[Floats, Floats]:
    """``count`` comparisons (count, rounds) of a cell that is ``speed`` times as fast as the other."""
    random = np.random.default_rng(seed)
    drift = 5000 * np.exp(random.normal(0, 0.05, (count, rounds)).cumsum(axis=1))
    return speed * drift * noise(random, drift.shape), drift * noise(random, drift.shape)
