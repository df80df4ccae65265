"""Compares the whole curves of runs: the mean loss of every epoch, of each two backends that trained the same.

The reference cannot train as long as a framework. But right runs differ by rounding alone, and how far that leads is
measured: one framework trains again from parameters that were moved by as little as rounding moves them.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from compare.certify.distance import bounds_of
from compare.records.cell import Cell
from compare.records.check import Check
from compare.records.run import Run
from compare.text import label
from tasks.arithmetic import Arithmetic, split_recipe

FACTOR = 5.0
"""Two runs may differ by so many times what rounding was seen to do."""
FLOOR: Mapping[Arithmetic, float] = {"float32": 5e-4, "tf32": 2e-3, "bfloat16": 1e-2}
"""Added to the limit, as a share of the loss: a ReLU at its kink, in one step of many, was seen to move an epoch by
1.5e-4."""
NUDGE: Mapping[Arithmetic, float] = {"float32": 0.0, "tf32": 1e-5, "bfloat16": 1e-4}
"""How far parameters are moved at least: about as far as rounding the weights of a layer moves them."""
NUDGES = 3
"""How often a framework trains again from moved parameters, once for all runs of a task."""
ADAM_NUDGE = 1e-4
"""Adam's first steps are as long as the learning rate, and the frameworks' scalars make them differ by up to 6e-5 of
that: so far are parameters moved, as a share of the learning rate, if Adam trains them."""

Work = tuple[str, str, int, int | None, int | None, float | None]


def work_of(cell: Cell) -> Work:
    """What cells have in common whose rounding leads as far: task, recipe and workload."""
    return cell.task, cell.recipe, cell.epochs, cell.examples, cell.batch_size, cell.learning_rate


def check_curves(runs: Sequence[Run]) -> list[Run]:
    """Holds the runs' curves against each other.

    A run whose losses are too far from those of more than half of the other backends' runs is refused, unless the same
    loop, started from moved parameters, comes to the others' losses: then rounding alone led it elsewhere. Refused is
    also a stock loop's that differ from those of its second training, for its curve, which is made in shorter calls.
    Where rounding alone moves the losses by more than a hundredth, they say nothing from that epoch on, and only the
    run's windows speak for it; the check says so.

    Returns:
        the runs whose check has another outcome now.
    """
    changed = []
    groups: dict[tuple[Work, int], list[Run]] = {}
    for run in runs:
        if run.status == "ok" and run.check is not None and len(run.losses) == run.epochs:
            groups.setdefault((work_of(run), run.seed), []).append(run)
    for (work, _), group in groups.items():
        noise = _noise([run for run in runs if work_of(run) == work and run.nudged_losses])
        if noise is None:
            continue
        for run in group:
            check = _check(run, [other for other in group if other.subject != run.subject], noise)
            if check is not None:
                changed.append(run.model_copy(update={"check": check}))
    return changed


def _noise(measured: Iterable[Run]) -> NDArray[np.float64] | None:
    """``(epochs,)``: the largest distance that rounding was seen to make up to each epoch; None if it is not known."""
    distances = [
        np.abs(np.array(nudged) - np.array(run.losses))
        for run in measured
        for nudged in run.nudged_losses
        if len(nudged) == len(run.losses)
    ]
    return np.maximum.accumulate(np.max(distances, axis=0)) if distances else None


def _check(run: Run, others: Sequence[Run], noise: NDArray[np.float64]) -> Check | None:
    """The run's new check; None where its own stands."""
    assert run.check is not None
    losses = np.array(run.losses)
    limit = FACTOR * noise + FLOOR[split_recipe(run.recipe)[1]] * np.abs(losses)
    again = np.array(run.curve.training_losses if run.curve is not None else [])
    if run.check.outcome != "refused" and again.shape == losses.shape and (np.abs(again - losses) > limit).any():
        epoch = int(np.argmax(np.abs(again - losses) > limit))
        return _refused(
            run.check, epoch, abs(again[epoch] - losses[epoch]), "its second training in short calls", limit
        )
    too_far = _too_far(losses, others, limit)
    if run.check.outcome != "refused" and 2 * len(too_far) > len(others):
        epoch, other = min(too_far, key=lambda pair: pair[0])
        near = [2 * len(_too_far(np.array(second), others, limit)) <= len(others) for second in run.second_losses]
        if 2 * sum(near) > len(near):
            note = f"loss of epoch {epoch + 1}: from there on rounding alone led this run elsewhere than most"
            return run.check.model_copy(update={"failure": note})
        whose = label(other, ("backend", "mode", "device"))
        return _refused(run.check, epoch, abs(other.losses[epoch] - run.losses[epoch]), whose, limit)
    ceiling = bounds_of(run.recipe).ceiling
    lost = np.flatnonzero(noise > ceiling * np.abs(losses))
    if run.check.outcome == "granted" and lost.size:
        first = int(lost[0]) + 1
        note = f"mean loss of epoch {first}: rounding alone moves it by more than {ceiling:.0%} of its size"
        return run.check.model_copy(update={"failure": note})
    return None


def _too_far(losses: NDArray[np.float64], others: Sequence[Run], limit: NDArray[np.float64]) -> list[tuple[int, Run]]:
    """The runs that the losses are too far from, each with the first epoch, from 0, in which they are."""
    apart = [(np.flatnonzero(np.abs(np.array(other.losses) - losses) > limit), other) for other in others]
    return [(int(epochs[0]), other) for epochs, other in apart if epochs.size]


def _refused(check: Check, epoch: int, distance: float, whose: str, limit: NDArray[np.float64]) -> Check:
    failure = (
        f"loss of epoch {epoch + 1}: {distance:.1e} from that of {whose}, where rounding allows {limit[epoch]:.1e}"
    )
    return check.model_copy(update={"outcome": "refused", "failure": failure})
