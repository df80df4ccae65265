"""Many cells with fake workers: none touches another, a run is resumed, an interrupt keeps what is measured."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from backends.base import Setting
from compare import runner
from compare.certify import Certifier
from compare.plan import Cell, list_cells
from compare.process import run_worker
from compare.results import Certificate, Run, read_results
from compare.runner import Options, run_cells
from tasks.errors import SideBySideError
from tests.run.recorder import Recorder, run_fakes
from tests.worker.fakes import fake, make_cell, posix_only


@posix_only
def test_cells_do_not_touch_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = ["ok", "crash", "garbage", "kill", "hang", "ok"]
    results, _ = run_fakes(outcomes, tmp_path, monkeypatch, timeout=2.5)
    statuses = [run.status for run in results.runs]
    assert statuses == ["ok", "crashed", "ok", "out-of-memory", "timeout", "ok"]
    assert [run.seed for run in results.runs] == list(range(6))
    assert [run.examples_per_second for run in results.runs if run.status == "ok"] == [0.5, 2.5, 5.5]
    assert all(run.message for run in results.runs if run.status != "ok")
    assert read_results(tmp_path) == results


def test_results_are_written_anew_after_each_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, recorder = run_fakes(["ok", "crash", "ok"], tmp_path, monkeypatch)
    assert recorder.stored == [0, 1, 2]
    assert [what for what, _ in recorder.told] == ["started", "ended"] * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arrays", "results.json"]


def test_a_run_holds_its_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results, recorder = run_fakes(["crash", "ok"], tmp_path, monkeypatch)
    assert [Cell.of(run.model_dump()) for run in results.runs] == recorder.begun


def test_resume_runs_what_is_missing_and_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_fakes(["ok", "crash", "ok"], tmp_path, monkeypatch)
    before = read_results(tmp_path)
    after, recorder = run_fakes(["crash", "ok", "crash", "ok"], tmp_path, monkeypatch, earlier=read_results(tmp_path))
    assert [cell.seed for cell in recorder.begun] == [1, 3]
    assert sorted((run.seed, run.status) for run in after.runs) == [(0, "ok"), (1, "ok"), (2, "ok"), (3, "ok")]
    assert after.created == before.created
    for run in before.runs:
        assert (run in after.runs) == (run.status == "ok")
    assert read_results(tmp_path) == after


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [("settings", "threads", 7), ("host", "cpu", "another"), ("settings", "data_sha256", "0")],
)
def test_a_run_is_not_resumed_under_other_conditions(field: str, name: str, value: Setting, tmp_path: Path) -> None:
    (cell,) = list_cells(["and-gate"], ["numpy"])
    options = Options(tmp_path, certify=False, settings={"threads": 2})
    earlier = run_cells([], options, Recorder(tmp_path))
    earlier = earlier.model_copy(update={field: getattr(earlier, field) | {name: value}})
    with pytest.raises(SideBySideError, match=f"had {name} {value}, this one has .*begin a new run"):
        run_cells([cell], options, Recorder(tmp_path), earlier)


def test_resume_of_a_whole_run_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = run_fakes(["ok", "ok"], tmp_path, monkeypatch)
    again, recorder = run_fakes(["crash", "crash"], tmp_path, monkeypatch, earlier=read_results(tmp_path))
    assert recorder.begun == []
    assert again == first


def test_a_cell_of_other_epochs_is_another_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results, _ = run_fakes(["ok"], tmp_path, monkeypatch)
    results.runs[0].epochs += 1
    _, recorder = run_fakes(["ok"], tmp_path, monkeypatch, earlier=results)
    assert len(recorder.begun) == 1


def test_a_missing_framework_is_skipped_and_the_next_cell_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "run_worker", partial(run_worker, command=fake('tell("result", status="ok")')))
    monkeypatch.setitem(sys.modules, "optax", None)  # as if it were not installed
    recorder = Recorder(tmp_path)
    cells = [make_cell(backend="jax"), make_cell()]
    results = run_cells(cells, Options(tmp_path, certify=False), recorder)
    assert [(run.backend, run.status) for run in results.runs] == [("jax", "skipped"), ("numpy", "ok")]
    assert results.runs[0].message == 'jax needs the package optax: pip install -e ".[jax]"'


class Interrupting(Recorder):
    """Raises KeyboardInterrupt as a cell starts, or as it has ended."""

    def __init__(self, folder: Path, when: str, seed: int) -> None:
        super().__init__(folder)
        self.when, self.seed = when, seed

    def started(self, cell: Cell, index: int, count: int) -> None:
        super().started(cell, index, count)
        self._interrupt("started", cell)

    def ended(self, cell: Cell, run: Run, certificate: Certificate | None) -> None:
        super().ended(cell, run, certificate)
        self._interrupt("ended", cell)

    def _interrupt(self, when: str, cell: Cell) -> None:
        if (when, cell.seed) == (self.when, self.seed):
            raise KeyboardInterrupt


@pytest.mark.parametrize(("when", "statuses"), [("started", ["ok", "interrupted"]), ("ended", ["ok", "ok"])])
def test_an_interrupt_is_stored_and_goes_on(
    when: str, statuses: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_fakes(["ok", "ok", "ok"], tmp_path, monkeypatch, recorder=Interrupting(tmp_path, when, 1))
    stored = read_results(tmp_path)
    assert [run.status for run in stored.runs] == statuses
    assert [run.seed for run in stored.runs] == [0, 1]
    _, recorder = run_fakes(["crash", "ok", "ok"], tmp_path, monkeypatch, earlier=stored)
    assert [cell.seed for cell in recorder.begun] == [seed for seed in (1, 2) if [*statuses, ""][seed] != "ok"]


def test_only_the_first_of_a_subject_gives_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = evidence_asked_for(["ok", "ok"], tmp_path, monkeypatch)
    assert asked == [True, False]


def test_the_next_of_a_subject_gives_evidence_where_the_first_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = evidence_asked_for(["crashed", "ok", "ok"], tmp_path, monkeypatch)
    assert asked == [True, True, False]


def evidence_asked_for(statuses: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each cell's request names a file for evidence; the evidence is not looked at."""
    requests: list[dict[str, Any]] = []

    def answer(request: dict[str, Any], **_: object) -> dict[str, Any]:
        requests.append(request)
        status = statuses[request["cell"]["seed"]]
        return {"status": status, **({"evidence": {}} if status == "ok" and request["evidence"] else {})}

    monkeypatch.setattr(runner, "run_worker", answer)
    monkeypatch.setattr(Certifier, "certify", lambda *_: None)
    run_cells([make_cell(seed=seed) for seed in range(len(statuses))], Options(folder), Recorder(folder))
    return [bool(request["evidence"]) for request in requests]
