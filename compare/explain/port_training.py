"""Two models of a user's in training: losses, gradients and updates, step by step, and why they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backends.own import SEPARATOR, Array, Call
from backends.own_training import ByLayer, OwnStep
from compare.certify.distance import relative_distance
from compare.explain.loss_causes import why_losses
from compare.explain.match import Matching
from compare.explain.orders import Orders
from compare.explain.rule_causes import Trained, why_updates
from compare.records.port import IN_TRAINING, TrainedArray, TrainingStep

LEAST = 1e-10
"""A gradient below this share of the largest is rounding: its terms cancel, and Adam makes whole steps of it."""


@dataclass(frozen=True)
class Training:
    """What one side did.

    Attributes:
        steps: that it trained.
        before: the parameters that it began with.
        settings: of its optimizer; empty where that does not tell.
    """

    steps: Sequence[OwnStep]
    before: ByLayer
    settings: Mapping[str, Any]


def hold_training(
    first: Training, second: Training, calls: tuple[Sequence[Call], Sequence[Call]], matching: Matching, orders: Orders
) -> list[TrainingStep]:
    """The steps of both beside each other, in the first's layouts.

    Args:
        first: of the first side.
        second: of the second.
        calls: of both sides' layers.
        matching: which of them belong together.
        orders: of the features of dense layers.
    """
    places = {(calls[0][one].name, calls[1][other].name): (one, other) for one, other in reversed(matching.pairs)}
    steps = []
    before = first.before, second.before
    for number, (one, other) in enumerate(zip(first.steps, second.steps, strict=True), start=1):
        largest = max((np.abs(array).max(initial=0) for array in _flat(one.gradients).values()), default=0)
        arrays = []
        for (name, other_name), place in reversed(places.items()):
            for key, array in one.parameters.get(name, {}).items():
                if key not in other.parameters.get(other_name, {}):
                    continue
                order = orders.between(*place) if key == "kernel" else None
                gradient = _gradients((one.gradients, other.gradients), (name, other_name), key, order)
                moved = array - before[0][name][key]
                moved_other = other.parameters[other_name][key] - before[1][other_name][key]
                arrays.append(
                    TrainedArray(
                        first=name,
                        second=other_name,
                        name=key,
                        gradient=None if gradient is None else relative_distance(*reversed(gradient)),
                        update=relative_distance(moved_other, moved if order is None else moved[order]),
                        by_rounding=gradient is not None and np.abs(gradient[0]).max(initial=0) <= LEAST * largest,
                    )
                )
        steps.append(TrainingStep(step=number, losses=(one.loss, other.loss), arrays=arrays))
        before = one.parameters, other.parameters
    return steps


def why_training_differs(
    steps: Sequence[TrainingStep],
    first: Training,
    second: Training,
    calls: tuple[Sequence[Call], Sequence[Call]],
    targets: Array,
) -> list[str]:
    """What explains the first difference; empty where there is none, or nothing known explains it."""
    wrong = next((step for step in steps if step.differs), None)
    if wrong is None:
        return []
    if wrong.loss_differs:
        return why_losses(*wrong.losses, calls[1][-1].output, targets) if wrong.step == 1 else []
    if any(array.gradient_differs for array in wrong.arrays):
        return []
    moved = next(array for array in wrong.arrays if array.update_differs)
    if moved.gradient is None:
        return why_states(moved, first, second, calls) if wrong.step == 1 else []
    one, other = (
        Trained(
            side.settings,
            [_flat(step.gradients) for step in side.steps],
            _flat(side.before),
            [_flat(step.parameters) for step in side.steps],
        )
        for side in (first, second)
    )
    return why_updates(one, other)


def why_states(
    state: TrainedArray, first: Training, second: Training, calls: tuple[Sequence[Call], Sequence[Call]]
) -> list[str]:
    """Why a batch normalization's running mean or variance moves otherwise in the first step."""
    one = next(call for call in calls[0] if call.name == state.first)
    other = next(call for call in calls[1] if call.name == state.second)
    momenta = [float(call.settings["momentum"]) for call in (one, other)]
    count = one.inputs[0].size // one.inputs[0].shape[-1]
    before = first.before[state.first][state.name]
    towards = []
    for side, name, momentum in ((first, state.first, momenta[0]), (second, state.second, momenta[1])):
        moved = side.steps[0].parameters[name][state.name] - side.before[name][state.name]
        towards.append(before + moved / (1 - momentum))
    said = (
        [f"momentum is {momenta[0]:g} in the first and {momenta[1]:g} in the second"]
        if momenta[0] != momenta[1]
        else []
    )
    if relative_distance(*reversed(towards)) <= IN_TRAINING:
        return said
    words = "the {} moves the running variance towards the batch's unbiased one, and the {} towards the biased"
    for names, factor in ((("first", "second"), count / (count - 1)), (("second", "first"), (count - 1) / count)):
        if state.name == "variance" and relative_distance(towards[1] * factor, towards[0]) <= IN_TRAINING:
            return [*said, words.format(*names)]
    return []


def _flat(arrays: ByLayer) -> dict[str, Array]:
    return {f"{layer}{SEPARATOR}{name}": array for layer, of_one in arrays.items() for name, array in of_one.items()}


def _gradients(
    sides: tuple[ByLayer, ByLayer], names: tuple[str, str], key: str, order: Array | None
) -> tuple[Array, Array] | None:
    """The two gradients in the second's order; None for a state, which has none."""
    one, other = (side.get(name, {}).get(key) for side, name in zip(sides, names, strict=True))
    if one is None or other is None:
        return None
    return (one if order is None else one[order]), other
