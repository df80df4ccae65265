"""Checks the run that is timed: the reference computes parts of it again, from what the run's own model held there.

The parts are windows of steps between two training calls. Where they lie is drawn after the run, from a seed that no
backend sees; the last steps of the recipe are always among them. What a window gives is held against the reference by
the rules of the certificate, with the rounding that is measured in this very window.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends import REFERENCE
from backends.numpy.noise import ROUNDINGS
from compare.certify.distance import bounds_of, distance_of, layer_size, noise_of, size_of, without_spared
from compare.certify.parts import Part
from compare.certify.reference import AGAIN, further_copies
from compare.records.cell import Cell
from compare.records.certificate import Distance
from compare.records.check import Outcome, Window
from compare.records.request import Copy, ReplayRequest
from tasks.task import Task
from tasks.training import Adam

ONCE_MORE = 48
"""Copies for a window that the second look does not grant."""
TEST_EXAMPLES = 100
"""Test examples, drawn anew for each window, whose outputs are compared."""
FLOOR = 2.5e-7
"""As the certificate's, two units in the last place: less than there, because here rounding is measured all along."""
OUTPUTS, LOSSES, PARAMETER = "outputs", "losses", "parameter "
"""The names of the arrays; the key of the parameter follows."""
PER_STEP = (LOSSES, "steps", "examples", "sizes")
"""The arrays that have a number for each step."""
MEANS = "mean losses"
"""The losses of a loop that keeps only the means of its epochs."""

Arrays = Mapping[str, NDArray[Any]]


def request_for(part: Part, cell: Cell, task: Task, examples: Sequence[int], calls: Path, out: Path) -> ReplayRequest:
    """The reference's computations of a window: exactly, and with the roundings that measure the noise.

    Args:
        part: the window.
        cell: of the run.
        task: of the cell.
        examples: of the test set.
        calls: the folder with what the training calls left.
        out: a folder for what is computed.
    """
    name = f"{part.first_step}"
    copies = [Copy(path=str(out / f"{name}.float64.safetensors"), dtype="float64", with_sizes=True)]
    copies += [
        Copy(path=str(out / f"{name}.float32.{index}.safetensors"), dtype="float32", rounding=rounding)
        for index, rounding in enumerate(ROUNDINGS)
    ]
    if isinstance(task.recipe.optimizer, Adam):
        copies.append(Copy(path=str(out / f"{name}.mixed.safetensors"), dtype="mixed"))
    return _request(part, cell, examples, calls, copies)


def further_requests_for(
    part: Part, cell: Cell, task: Task, examples: Sequence[int], calls: Path, out: Path
) -> list[ReplayRequest]:
    """More computations of a window in which a run is too far off: may rounding have led there after all?

    Where an input of a ReLU is all but 0, one right computation in many falls on the other side. These begin with
    parameters that are moved to neighbouring float32 numbers.

    The second of the requests is for a window whose losses agree in its first half, judged alone, and part later: Adam
    makes a whole step of a unit's first gradient in a long time, however small it is, and when that comes, rounding has
    grown for as many steps. Its copies have larger roundings. (Of 200 windows of one task, long after its loss was
    small, one was 3.3 times as far off as the copies of the first request allow, and a third of what all of them do.) A
    fault of the arithmetic shows in a window's first steps, for it begins with what the run itself held.
    """
    seeds = len(ROUNDINGS)
    requests = []
    for count in (AGAIN, ONCE_MORE):
        copies = further_copies(out, f"{part.first_step}.again", task.recipe, seeds, count)
        requests.append(_request(part, cell, examples, calls, copies))
        seeds += count
    return requests


def _request(part: Part, cell: Cell, examples: Sequence[int], calls: Path, copies: Sequence[Copy]) -> ReplayRequest:
    return ReplayRequest(
        cell=cell.on(REFERENCE, "tuned", "cpu"),
        start=str(calls / f"{part.start}.safetensors") if part.start else None,
        first_step=part.first_step,
        steps=part.steps,
        test_examples=tuple(examples),
        copies=tuple(copies),
    )


def judge_window(part: Part, task: Task, run: Arrays, exact: Arrays, copies: Sequence[Arrays]) -> Window:
    """Holds what a run did in a window against the reference.

    Args:
        part: the window.
        task: that is trained.
        run: the ``losses``; for how many ``steps`` each is the mean; the ``outputs`` for the test examples, where they
            are known; and the parameters at the end, if a call ends there.
        exact: the reference in float64.
        copies: the reference in float32.
    """
    of_losses, expected = _losses(task, run, exact, copies)
    distances = [of_losses]
    first_apart = None
    if not of_losses.passed and run[LOSSES].shape == expected.shape:
        apart = np.abs(run[LOSSES] - expected)
        first = int(np.argmax((apart > of_losses.absolute_limit) | (apart == apart.max())))
        first_apart = part.first_step + int(run["steps"][: first + 1].sum()) - 1
    if part.ends_call:
        distances.append(_first_or_worst(task, run, exact, copies))
    if OUTPUTS in run:
        noise = noise_of(exact[OUTPUTS], [copy[OUTPUTS] for copy in copies])
        bounds = bounds_of(task.recipe_name, FLOOR)
        distances.append(distance_of(OUTPUTS, run[OUTPUTS], exact[OUTPUTS], np.abs(exact[OUTPUTS]), noise, bounds))
    return Window(first_step=part.first_step, last_step=part.last_step, first_apart=first_apart, distances=distances)


def parts_late(task: Task, run: Arrays, exact: Arrays, copies: Sequence[Arrays]) -> bool:
    """Whether the losses of a window's first half agree with the reference; arguments as those of ``judge_window``."""
    half = len(run[LOSSES]) // 2
    if half == 0 or run["steps"].max() > 1:
        return False
    first = [{name: arrays[name][:half] for name in arrays if name in PER_STEP} for arrays in (run, exact, *copies)]
    return _losses(task, first[0], first[1], first[2:])[0].passed


def _losses(task: Task, run: Arrays, exact: Arrays, copies: Sequence[Arrays]) -> tuple[Distance, NDArray[Any]]:
    """How far the losses are from the reference's, or from their means; and what they should be."""
    starts = np.cumsum(run["steps"]) - run["steps"]
    examples = np.add.reduceat(exact["examples"], starts)

    def means(values: NDArray[Any]) -> NDArray[Any]:
        return np.add.reduceat(values * exact["examples"], starts) / examples

    expected = means(exact[LOSSES])
    noise = noise_of(expected, [means(copy[LOSSES]) for copy in copies])
    size = np.maximum(np.abs(expected), 4 * means(exact["sizes"]))  # the floor is a quarter of the certificate's
    name = LOSSES if run["steps"].max() == 1 else MEANS
    return distance_of(name, run[LOSSES], expected, size, noise, bounds_of(task.recipe_name, FLOOR)), expected


def _first_or_worst(task: Task, run: Arrays, exact: Arrays, copies: Sequence[Arrays]) -> Distance:
    """Of the parameters at the end of a window, the first that is too far off; or the one nearest to its limit."""
    distances = []
    bounds = bounds_of(task.recipe_name, FLOOR, is_parameter=True)
    parameters = {name.removeprefix(PARAMETER): array for name, array in exact.items() if name.startswith(PARAMETER)}
    for key, expected in parameters.items():
        name = PARAMETER + key
        noise = noise_of(expected, [copy[name] for copy in copies])
        found = without_spared(run[name], expected, task.recipe.optimizer)
        layer = layer_size(parameters, key)
        distances.append(distance_of(key, found, expected, size_of(parameters, key), noise, bounds, layer))
    failed = [distance for distance in distances if not distance.passed or not distance.decidable]
    return failed[0] if failed else max(distances, key=lambda distance: distance.share)


def outcome_of(task: Task, windows: Sequence[Window], steps: int) -> tuple[Outcome, str]:
    """The judgement of all windows of a run of so many steps, and the first thing that is wrong, or cannot be decided.

    Training may be chaotic at its beginning, while the learning rate is still too large for the loss: a run is granted
    where its last steps can be decided, and at least half of the windows.
    """
    undecided: dict[int, str] = {}
    ceiling = bounds_of(task.recipe_name).ceiling
    for window in windows:
        for distance in window.distances:
            if not distance.passed:
                return "refused", _where(window, distance)
            if not distance.decidable:
                moved = f"rounding alone moves the {_where(window, distance)} by more than {ceiling:.0%} of its size"
                undecided.setdefault(window.last_step, moved)
    first = next(iter(undecided.values()), "")
    enough = steps not in undecided and 2 * len(undecided) <= len(windows)
    return ("granted" if enough else "undecidable"), first


def _where(window: Window, distance: Distance) -> str:
    if distance.quantity == OUTPUTS:
        return f"test outputs after step {window.last_step}"
    if distance.quantity in (LOSSES, MEANS):
        if window.first_apart is not None:
            which = "loss of" if distance.quantity == LOSSES else "mean loss up to"
            return f"{which} step {window.first_apart}"
        return f"{distance.quantity} of steps {window.first_step} to {window.last_step}"
    return f"{distance.quantity} after step {window.last_step}"
