"""Windows of a run: which of them must be decidable for the run to be granted."""

from pathlib import Path

import numpy as np
import pytest

from backends.numpy.noise import ROUNDINGS
from compare.certify.parts import Part
from compare.certify.reference import AGAIN
from compare.certify.replay import ONCE_MORE, further_requests_for, outcome_of, parts_late, request_for
from compare.records.certificate import Distance
from compare.records.check import Window
from tasks import load_task
from tests.worker.fakes import make_cell

TASK = load_task("iris-mlp")


def window(last_step: int, *, passed: bool = True, decidable: bool = True) -> Window:
    distance = Distance(
        quantity="losses",
        absolute=0.0,
        relative=0.0,
        reference_absolute=0.0,
        reference_relative=0.0,
        limit=1.0,
        absolute_limit=1.0,
        passed=passed,
        decidable=decidable,
    )
    return Window(first_step=last_step - 7, last_step=last_step, distances=[distance])


@pytest.mark.parametrize(
    ("undecided", "outcome"),
    [((), "granted"), ((8,), "granted"), ((8, 80), "granted"), ((72,), "undecidable"), ((8, 40, 80), "undecidable")],
)
def test_a_run_needs_its_last_steps_and_half_of_its_windows(undecided: tuple[int, ...], outcome: str) -> None:
    windows = [window(last, decidable=last not in undecided) for last in (8, 40, 72, 80)]
    found, why = outcome_of(TASK, windows, 72)
    assert found == outcome
    last = min(undecided, default=0)
    moved = f"rounding alone moves the losses of steps {last - 7} to {last} by more than 1% of its size"
    assert why == (moved if undecided else "")


def test_what_cannot_be_decided_in_one_window_excuses_nothing_in_another() -> None:
    windows = [window(8, decidable=False), window(72, passed=False)]
    assert outcome_of(TASK, windows, 72) == ("refused", "losses of steps 65 to 72")


def losses(apart: np.ndarray, noise: float = 1e-8, steps: int = 1) -> tuple[dict[str, np.ndarray], ...]:
    """What a run and the reference make of some steps; the run's losses are apart by so much."""
    count = len(apart) * steps
    size = np.full(count, 0.01)
    exact = {"losses": size, "sizes": size / 10, "examples": np.full(count, 10.0)}
    copies = [exact | {"losses": size + sign * noise} for sign in (1, -1)]
    run = {"losses": size[: len(apart)] + apart, "steps": np.full(len(apart), steps)}
    return run, exact, *copies


@pytest.mark.parametrize(
    ("apart", "late"),
    [
        (np.where(np.arange(100) < 94, 0, 1e-5), True),
        (np.where(np.arange(100) < 50, 0, 1e-5), True),
        (np.where(np.arange(100) < 49, 0, 1e-5), False),
        (np.linspace(0, 1e-5, 100), False),  # a fault that grows from the first step on
        (np.full(100, 1e-5), False),
        (np.array([1e-5]), False),
    ],
)
def test_a_window_parts_late_where_its_first_half_alone_agrees(apart: np.ndarray, late: bool) -> None:
    run, exact, *copies = losses(apart)
    assert parts_late(TASK, run, exact, copies) is late


def test_a_window_of_means_never_parts_late() -> None:
    run, exact, *copies = losses(np.zeros(4), steps=5)
    assert not parts_late(TASK, run, exact, copies)


def test_a_third_look_has_other_copies_with_larger_roundings(tmp_path: Path) -> None:
    cell = make_cell()
    task = load_task(cell.task, cell.recipe)
    part = Part(0, 1, 100, range(1), ends_call=False)
    first = request_for(part, cell, task, [], tmp_path, tmp_path)
    second, third = further_requests_for(part, cell, task, [], tmp_path, tmp_path)
    copies = [copy for request in (first, second, third) for copy in request.copies]
    assert len({copy.path for copy in copies}) == len(copies)
    assert [len(second.copies), len(third.copies)] == [AGAIN, ONCE_MORE]
    assert not {copy.nudge_seed for copy in second.copies} & {copy.nudge_seed for copy in third.copies}
    largest = [max(abs(copy.rounding) for copy in request.copies) for request in (first, second, third)]
    assert [round(size / ROUNDINGS[1]) for size in largest] == [1, 5, 21]
