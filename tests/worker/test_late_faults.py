"""The check of the run that is timed: granted to right runs, refused to faults that begin late or hide in it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from backends.numpy import ABOUT
from backends.numpy.model import NumpyModel
from compare.records.cell import Cell
from compare.records.check import Check
from compare.records.event import Reply
from compare.records.request import CellRequest, ReplayRequest, Request
from compare.run.options import make_options
from compare.run.references import References
from compare.run.replays import Replays
from compare.worker import calls, cell, clocks
from compare.worker.replay import replay
from tests import false_answers, late_faults, wrong_examples
from tests.late_faults import EPOCHS
from tests.worker.fakes import make_cells

LATE_FAULTS = {kind.__name__: kind for kind in (*late_faults.FAULTS, *wrong_examples.FAULTS, *false_answers.FAULTS)}


class _Here(References):
    """Computes in this process."""

    def __init__(self) -> None: ...

    def compute(self, cell: Cell, requests: Sequence[Request]) -> list[Reply]:
        return [replay(request) for request in requests if isinstance(request, ReplayRequest)]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times for as little as there must be."""
    monkeypatch.setattr(cell, "MATRIX_SIZE", 8)
    for module in (calls, clocks):
        monkeypatch.setattr(module, "CALL_SECONDS", 0.05)


def check(kind: type[NumpyModel], folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int = 0) -> Check | str:
    """Runs a cell of iris with this model in the reference's place; the check of it, or what went wrong."""
    monkeypatch.setitem(ABOUT.models, "tuned", f"{kind.__module__}.{kind.__qualname__}")
    (iris,) = make_cells("iris-mlp", "numpy", epochs=EPOCHS)
    iris = iris.model_copy(update={"batch_size": 7, "seed": seed})
    replays = Replays(make_options({}), _Here())
    replays.begin([iris], [])
    reply = cell.run_cell(replays.extended(CellRequest(cell=iris), folder), lambda event: None)
    if reply.status != "ok" or reply.run is None:
        return reply.message
    return replays.check(reply.run, reply.calls, folder)


@pytest.mark.parametrize("seed", range(3))
def test_a_right_run_is_granted(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = check(NumpyModel, tmp_path, monkeypatch, seed)
    assert isinstance(checked, Check)
    assert (checked.outcome, checked.failure) == ("granted", "")
    assert checked.windows[-1].last_step > EPOCHS * 13  # one of the calls that were made for their time


@pytest.mark.parametrize("fault", LATE_FAULTS)
def test_a_late_fault_is_refused(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = check(LATE_FAULTS[fault], tmp_path, monkeypatch)
    if isinstance(checked, Check):
        assert checked.outcome == "refused"
        assert checked.failure
        print(f"{fault}: {checked.failure}")
    else:
        assert fault == "TestedOnFewerExamples", checked
