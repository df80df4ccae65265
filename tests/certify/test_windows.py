"""Windows of a run: which of them must be decidable for the run to be granted."""

import pytest

from compare.certify.replay import outcome_of
from compare.records.certificate import Distance
from compare.records.check import Window


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
    found, why = outcome_of(windows, 72)
    assert found == outcome
    last = min(undecided, default=0)
    moved = f"rounding alone moves the losses of steps {last - 7} to {last} by more than 1% of its size"
    assert why == (moved if undecided else "")


def test_what_cannot_be_decided_in_one_window_excuses_nothing_in_another() -> None:
    windows = [window(8, decidable=False), window(72, passed=False)]
    assert outcome_of(windows, 72) == ("refused", "losses of steps 65 to 72")
