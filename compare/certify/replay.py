"""Checks the run that is timed: the reference computes parts of it again, from what the run's own model held there.

The parts are windows of steps between two training calls. Where they lie is drawn after the run, from a seed that no
backend sees; the last steps of the recipe are always among them. What a window gives is held against the reference by
the rules of the certificate, with the rounding that is measured in this very window.
"""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backends import REFERENCE
from backends.numpy.noise import ROUNDINGS
from compare.certify.distance import CEILING, distance_of, layer_size, noise_of, size_of, without_spared
from compare.certify.reference import AGAIN, further_copies
from compare.records.cell import Cell
from compare.records.certificate import Distance
from compare.records.check import Outcome, Window
from compare.records.event import TrainingCall
from compare.records.request import Copy, ReplayRequest
from tasks.task import Task
from tasks.training import Adam

OPERATIONS = 3e9
"""Floating-point operations of a window's steps, about: a second of the reference's work for each of its copies."""
SMALLEST, LARGEST = 2, 100
"""Steps of a window."""
DRAWN = 2
"""Windows besides the last steps and the last call that was made for its time."""
ONCE_MORE = 48
"""Copies for a window that the second look does not grant."""
TEST_EXAMPLES = 100
"""Test examples, drawn anew for each window, whose outputs are compared."""
FLOOR = 2.5e-7
"""As the certificate's, two units in the last place: less than there, because here rounding is measured all along."""
OUTPUTS, LOSSES, PARAMETER = "outputs", "losses", "parameter "
"""The names of the arrays; the key of the parameter follows."""
MEANS = "mean losses"
"""The losses of a loop that keeps only the means of its epochs."""

Arrays = Mapping[str, NDArray[Any]]


class Part(NamedTuple):
    """A window before it is computed.

    Attributes:
        start: the number of the call before it; 0 for the seed's parameters.
        first_step: from 1.
        last_step: is the last of a call, or inside the first.
        calls: the numbers of the calls that it touches.
        ends_call: whether the last of these ends with it.
    """

    start: int
    first_step: int
    last_step: int
    calls: range
    ends_call: bool

    @property
    def steps(self) -> int:
        return self.last_step - self.first_step + 1


def window_steps(task: Task, batch_size: int) -> int:
    """How many steps of a task are computed again at a time."""
    return int(min(max(OPERATIONS / (task.architecture.training_operations() * batch_size), SMALLEST), LARGEST))


def choose_parts(calls: Sequence[TrainingCall], recipe_steps: int, size: int, seed: int) -> list[Part]:
    """Draws the windows: the last steps of the recipe, the last call that was timed, others where any call began.

    Args:
        calls: all training calls of the run.
        recipe_steps: the steps of the recipe; calls beyond them were made for their time.
        size: the most steps of a window. Of a call that kept only the means of its epochs it holds whole epochs; where
            even one is too long, none.
        seed: of the draw.
    """
    last = next((at for at, call in enumerate(calls) if call.last_step >= recipe_steps), len(calls) - 1)
    first = last
    while first > 0 and calls[last].last_step - calls[first - 1].first_step < size:
        first -= 1
    parts = {first: _part(calls[: last + 1], first, size)}
    usable = [at for at, call in enumerate(calls) if call.steps_a_loss <= size]
    others = [at for at in usable if at != first]
    timed = [at for at in others[-1:] if at > last]
    for at in [*timed, *random.Random(seed).sample(others, min(DRAWN, len(others)))]:
        parts[at] = _part(calls, at, size)
    return [parts[at] for at in sorted(parts) if at in usable]


def _part(calls: Sequence[TrainingCall], first: int, size: int) -> Part:
    """The window that begins with a call, and holds as many whole calls as fit, or a part of this one."""
    begin, each = calls[first].first_step, calls[first].steps_a_loss
    end = first
    while end + 1 < len(calls) and calls[end + 1].last_step - begin < size:
        end += 1
    ends_call = calls[first].steps <= size
    last_step = calls[end].last_step if ends_call else begin + size // each * each - 1
    return Part(first, begin, last_step, range(first, end + 1), ends_call)


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

    The second of the requests is for a window whose losses agree in its first half and part late in the second: Adam
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
    starts = np.cumsum(run["steps"]) - run["steps"]
    examples = np.add.reduceat(exact["examples"], starts)

    def means(values: NDArray[Any]) -> NDArray[Any]:
        return np.add.reduceat(values * exact["examples"], starts) / examples

    distances = []
    expected = means(exact[LOSSES])
    noise = noise_of(expected, [means(copy[LOSSES]) for copy in copies])
    size = np.maximum(np.abs(expected), 4 * means(exact["sizes"]))  # the floor is a quarter of the certificate's
    name = LOSSES if run["steps"].max() == 1 else MEANS
    of_losses = distance_of(name, run[LOSSES], expected, size, noise, FLOOR)
    distances.append(of_losses)
    first_apart = None
    if not of_losses.passed and run[LOSSES].shape == expected.shape:
        apart = np.abs(run[LOSSES] - expected)
        first = int(np.argmax((apart > of_losses.absolute_limit) | (apart == apart.max())))
        first_apart = part.first_step + int(run["steps"][: first + 1].sum()) - 1
    if part.ends_call:
        distances.append(_first_or_worst(task, run, exact, copies))
    if OUTPUTS in run:
        noise = noise_of(exact[OUTPUTS], [copy[OUTPUTS] for copy in copies])
        distances.append(distance_of(OUTPUTS, run[OUTPUTS], exact[OUTPUTS], np.abs(exact[OUTPUTS]), noise, FLOOR))
    return Window(first_step=part.first_step, last_step=part.last_step, first_apart=first_apart, distances=distances)


def parts_late(window: Window) -> bool:
    """Whether a window's losses agree in its first half, and part in the second."""
    return window.first_apart is not None and 2 * window.first_apart > window.first_step + window.last_step


def _first_or_worst(task: Task, run: Arrays, exact: Arrays, copies: Sequence[Arrays]) -> Distance:
    """Of the parameters at the end of a window, the first that is too far off; or the one nearest to its limit."""
    distances = []
    parameters = {name.removeprefix(PARAMETER): array for name, array in exact.items() if name.startswith(PARAMETER)}
    for key, expected in parameters.items():
        name = PARAMETER + key
        noise = noise_of(expected, [copy[name] for copy in copies])
        found = without_spared(run[name], expected, task.recipe.optimizer)
        layer = layer_size(parameters, key)
        distances.append(distance_of(key, found, expected, size_of(parameters, key), noise, FLOOR, layer))
    failed = [distance for distance in distances if not distance.passed or not distance.decidable]
    return failed[0] if failed else max(distances, key=lambda distance: distance.share)


def outcome_of(windows: Sequence[Window], steps: int) -> tuple[Outcome, str]:
    """The judgement of all windows of a run of so many steps, and the first thing that is wrong, or cannot be decided.

    Training may be chaotic at its beginning, while the learning rate is still too large for the loss: a run is granted
    where its last steps can be decided, and at least half of the windows.
    """
    undecided: dict[int, str] = {}
    for window in windows:
        for distance in window.distances:
            if not distance.passed:
                return "refused", _where(window, distance)
            if not distance.decidable:
                moved = f"rounding alone moves the {_where(window, distance)} by more than {CEILING:.0%} of its size"
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
