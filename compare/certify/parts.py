"""Which steps of a run are computed again: windows between its training calls, drawn after the run."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from compare.records.event import TrainingCall
from tasks.task import Task

OPERATIONS = 3e9
"""Floating-point operations of a window's steps, about: a second of the reference's work for each of its copies."""
SMALLEST, LARGEST = 2, 100
"""Steps of a window."""
DRAWN = 2
"""Windows besides the last steps and the last call that was made for its time."""


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
