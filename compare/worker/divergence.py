"""The step at which a training diverged, found by training again: the loop that is timed does not look."""

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from backends.base import Model
from tasks.architecture import Parameters
from tasks.batches import Batches


def finite_parameters(model: Model) -> bool:
    """Whether all parameters are finite."""
    return all(np.isfinite(array).all() for array in model.parameters().values())


def first_bad_step(model: Model, initial: Parameters, batches: Batches, epoch: int, losses: NDArray[np.float32]) -> int:
    """The first step, from 1, whose loss, or the parameters after it, are not finite.

    Args:
        model: is trained again from the start, as far as that step.
        initial: the parameters that it started from.
        batches: of the whole training.
        epoch: at which the call began that diverged, from 0.
        losses: what that call returned.
    """
    steps = batches.steps
    begin, end = epoch * steps, (epoch + len(losses)) * steps
    if (bad := np.flatnonzero(~np.isfinite(losses.ravel()))).size:
        a_loss = steps // losses.shape[1]  # steps to each value: 1, or those of an epoch
        end = min(begin + (int(bad[0]) + 1) * a_loss, end)
        begin = end - a_loss
    begin = max(begin - 1, 0)  # the parameters may have been lost a step before the loss
    for size in (isqrt(end - begin), 1):
        model.load_parameters(initial)
        for part in batches.parts(0, begin, steps):
            model.train(part)
        for at in range(begin, end, size):
            lost = [not np.isfinite(model.train(part)).all() for part in batches.parts(at, min(at + size, end), size)]
            if any(lost) or not finite_parameters(model):
                begin, end = at, min(at + size, end)
                break
        if end - begin == 1:
            break
    return end
