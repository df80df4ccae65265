"""The check of the run that is timed: granted to right runs, refused to faults that begin late or hide in it."""

from pathlib import Path

import pytest

from backends.about import MODES, Mode
from backends.numpy import ABOUT
from backends.numpy.model import NumpyModel
from compare.certify import parts
from compare.certify.curves import check_curves
from compare.records.check import Check
from compare.records.request import CellRequest
from compare.run.options import make_options
from compare.run.replays import Replays
from compare.worker import cell, clocks, machine, timing
from tests import false_answers, late_faults, wrong_examples
from tests.late_faults import EPOCHS, keeping_means
from tests.worker.fakes import make_cells
from tests.worker.real_cells import Here

LATE_FAULTS = {kind.__name__: kind for kind in (*late_faults.FAULTS, *wrong_examples.FAULTS, *false_answers.FAULTS)}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times for as little as there must be."""
    monkeypatch.setattr(cell, "MATRIX_SIZE", 8)
    for module in (timing, clocks):
        monkeypatch.setattr(module, "CALL_SECONDS", 0.05)
    for name in ("SECONDS", "PATIENCE_SECONDS"):
        monkeypatch.setattr(timing, name, 0.0)
    monkeypatch.setattr(machine, "SECONDS", 0.0)


def check(
    kind: type[NumpyModel], mode: Mode, folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int = 0
) -> Check | str:
    """Runs a cell of iris with this model in the reference's place; the check of it, or what went wrong.

    As a stock loop it keeps only the means of its epochs, as that of Keras does.
    """
    planted = kind if mode == "tuned" else keeping_means(kind)
    monkeypatch.setattr(late_faults, "Planted", planted, raising=False)
    monkeypatch.setitem(ABOUT.models, mode, "tests.late_faults.Planted")  # type: ignore[arg-type]
    (iris,) = make_cells("iris-mlp", "numpy", epochs=EPOCHS)
    iris = iris.model_copy(update={"batch_size": 7, "seed": seed, "mode": mode})
    replays = Replays(make_options({}), Here())
    replays.begin([iris], [])
    reply = cell.run_cell(replays.extended(CellRequest(cell=iris), folder), lambda event: None)
    if reply.status != "ok" or reply.run is None:
        return reply.message
    run = reply.run.model_copy(update={"check": replays.check(reply.run, reply.calls, folder)})
    (run,) = check_curves([run]) or [run]
    assert run.check is not None
    return run.check


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(3))
def test_a_right_run_is_granted(mode: Mode, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = check(NumpyModel, mode, tmp_path, monkeypatch, seed)
    assert isinstance(checked, Check)
    assert (checked.outcome, checked.failure) == ("granted", "")
    assert EPOCHS * 13 in [window.last_step for window in checked.windows]
    made_for_its_time = checked.windows[-1].last_step > EPOCHS * 13
    # The stock loop's one call of all epochs between the first and the last may be long enough to be the timed one.
    assert made_for_its_time or (mode == "stock" and 14 in [window.first_step for window in checked.windows])


CASES = [(fault, MODES[(at + turn) % 2]) for turn in range(2) for at, fault in enumerate(LATE_FAULTS)]
"""Each fault in one of the loops, in turn, and then in the other."""


@pytest.mark.parametrize(("fault", "mode"), CASES[: len(LATE_FAULTS)])
def test_a_late_fault_is_refused(fault: str, mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = check(LATE_FAULTS[fault], mode, tmp_path, monkeypatch)
    if isinstance(checked, Check):
        assert checked.outcome == "refused"
        assert checked.failure
        print(f"{fault}, {mode}: {checked.failure}")
    else:
        assert fault == "TestedOnFewerExamples", checked


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "mode"), CASES[len(LATE_FAULTS) :])
def test_a_late_fault_in_the_other_loop_is_refused(
    fault: str, mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_a_late_fault_is_refused(fault, mode, tmp_path, monkeypatch)


@pytest.mark.parametrize("fault", ["WrongOnlyAboveAThousandExamples", "ReversedInLongCalls"])
def test_where_no_window_holds_an_epoch_a_stock_loop_is_held_against_its_second_training(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "LARGEST", 8)
    checked = check(LATE_FAULTS[fault], "stock", tmp_path, monkeypatch)
    assert isinstance(checked, Check)
    assert checked.outcome == "refused"
    assert "second training" in checked.failure
    assert all(window.first_step > (EPOCHS - 1) * 13 for window in checked.windows)
