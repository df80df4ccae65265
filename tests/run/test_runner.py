"""Many cells with fake workers: none touches another, a run is resumed, an interrupt keeps what is measured."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from backends.base import Setting
from compare.certify.certificates import Certificates
from compare.executors.base import Executor, Listener, ignore
from compare.records.cell import Cell
from compare.records.certificate import Certificate
from compare.records.event import EvidenceSummary, Reply
from compare.records.request import CellRequest, Request
from compare.records.run import Run
from compare.run.reading import read_results
from compare.run.references import References
from compare.run.store import Store
from tasks.errors import SideBySideError
from tests.run.recorder import Recorder, make_runner, run_fakes
from tests.run.results import make_certificate
from tests.worker.fakes import fake_executor, make_cell, posix_only


@posix_only
def test_cells_do_not_touch_each_other(tmp_path: Path) -> None:
    outcomes = ["ok", "crash", "garbage", "kill", "hang", "ok"]
    results, _ = run_fakes(outcomes, tmp_path, timeout=2.5)
    statuses = [run.status for run in results.runs]
    assert statuses == ["ok", "crashed", "ok", "crashed", "timeout", "ok"]
    assert [run.seed for run in results.runs] == list(range(6))
    assert [run.examples_per_second for run in results.runs if run.status == "ok"] == [0.5, 2.5, 5.5]
    assert all(run.message for run in results.runs if run.status != "ok")
    assert read_results(tmp_path) == results


def test_results_are_written_anew_after_each_cell(tmp_path: Path) -> None:
    _, recorder = run_fakes(["ok", "crash", "ok"], tmp_path)
    assert recorder.stored == [0, 1, 2]
    assert [what for what, _ in recorder.told] == ["started", "ended"] * 3
    names = ["cells", "results.json", "run.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_run_holds_its_cell(tmp_path: Path) -> None:
    results, recorder = run_fakes(["crash", "ok"], tmp_path)
    assert [run.cell for run in results.runs] == recorder.begun


def test_resume_runs_what_is_missing_and_what_failed(tmp_path: Path) -> None:
    run_fakes(["ok", "crash", "ok"], tmp_path)
    before = read_results(tmp_path)
    after, recorder = run_fakes(["crash", "ok", "crash", "ok"], tmp_path)
    assert [cell.seed for cell in recorder.begun] == [1, 3]
    assert sorted((run.seed, run.status) for run in after.runs) == [(0, "ok"), (1, "ok"), (2, "ok"), (3, "ok")]
    assert after.created == before.created
    for run in before.runs:
        assert (run in after.runs) == (run.status == "ok")
    assert read_results(tmp_path) == after


@pytest.mark.parametrize(
    ("field", "name", "value", "said"),
    [
        ("settings", "threads", 7, "threads 7, this one has threads 2"),
        ("host", "cpu", "another", "cpu another, this one has cpu "),
        ("host", "cpu_quota", 77.5, "cpu quota 77.5, this one has "),
        ("settings", "data_sha256", "0", "a data file, this one has MNIST's own data"),
    ],
)
def test_a_run_is_not_resumed_under_other_conditions(
    field: str, name: str, value: Setting, said: str, tmp_path: Path
) -> None:
    earlier = make_runner(tmp_path, fake_executor('tell("reply")')).run([])
    earlier = earlier.model_copy(update={field: getattr(earlier, field) | {name: value}})
    Store(tmp_path).begin(earlier, [])
    with pytest.raises(SideBySideError, match=f"the earlier run had {said}.*begin a new run"):
        make_runner(tmp_path, fake_executor('tell("reply")')).run([make_cell()])


def test_resume_of_a_whole_run_starts_nothing(tmp_path: Path) -> None:
    first, _ = run_fakes(["ok", "ok"], tmp_path)
    again, recorder = run_fakes(["crash", "crash"], tmp_path)
    assert recorder.begun == []
    assert again == first


def test_a_cell_of_other_epochs_is_another_cell(tmp_path: Path) -> None:
    run_fakes(["ok"], tmp_path)
    executor = fake_executor('tell("reply", run=run(status="ok"))')
    results = make_runner(tmp_path, executor).run([make_cell(seed=0), make_cell(seed=0, epochs=21)])
    assert [run.epochs for run in results.runs] == [20, 21]


def test_a_missing_framework_is_skipped_and_the_next_cell_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optax", None)  # as if it were not installed
    cells = [make_cell(backend="jax"), make_cell()]
    results = make_runner(tmp_path, fake_executor('tell("reply")')).run(cells)
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
        run_fakes(["ok", "ok", "ok"], tmp_path, recorder=Interrupting(tmp_path, when, 1))
    stored = read_results(tmp_path)
    assert [run.status for run in stored.runs] == statuses
    assert [run.seed for run in stored.runs] == [0, 1]
    _, recorder = run_fakes(["crash", "ok", "ok"], tmp_path)
    assert [cell.seed for cell in recorder.begun] == [seed for seed in (1, 2) if [*statuses, ""][seed] != "ok"]


MEASURED = 'tell("measured", run=run(status="ok", accuracy=0.5));'


@posix_only
@pytest.mark.parametrize(
    ("then", "why"),
    [
        ("time.sleep(600)", "ended after 1.5 seconds; allow more with --timeout"),
        ("sys.exit(8)", "the process ended with status 8"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "the process ended by signal SIGKILL (Killed)"),
        ('tell("reply", status="crashed", message="no luck")', "no luck"),
    ],
)
def test_a_certificate_that_fails_costs_no_measurement(then: str, why: str, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    results = make_runner(tmp_path, fake_executor(MEASURED + then), recorder, timeout=1.5).run([make_cell()])
    (run,) = results.runs
    assert (run.status, run.accuracy, run.message) == ("ok", 0.5, f"measured, but not certified: {why}")
    assert recorder.events == []  # it is no news for the user yet


def test_a_cell_that_is_certified_counts_whole(tmp_path: Path) -> None:
    script = MEASURED + 'tell("reply", run=run(status="ok", accuracy=0.75))'
    (run,) = make_runner(tmp_path, fake_executor(script)).run([make_cell()]).runs
    assert (run.accuracy, run.message) == (0.75, "")


class Scripted(Executor):
    """An executor that starts no worker, and answers each cell with the status of its seed."""

    def __init__(self, statuses: list[str]) -> None:
        self.statuses = statuses
        self.requests: list[CellRequest] = []

    def ask_all(self, backend: str, requests: Sequence[Request]) -> list[Reply]:
        raise NotImplementedError

    def ask(self, backend: str, request: Request, on_event: Listener = ignore, timeout: float | None = None) -> Reply:
        assert isinstance(request, CellRequest)
        self.requests.append(request)
        status = self.statuses[request.cell.seed]
        run = Run(**request.cell.model_dump(), status=status)
        return Reply(status=run.status, run=run, evidence=SUMMARY if status == "ok" and request.evidence else None)


SUMMARY = EvidenceSummary(
    quantities=(), parameters_sha256="0" * 64, data_sha256="0" * 64, batches_sha256="0" * 64,
    parameter_counts={}, parameter_count=0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("statuses", "asked"), [(["ok", "ok"], [True, False]), (["crashed", "ok", "ok"], [True, True, False])]
)
def test_the_first_of_a_subject_that_is_ok_gives_evidence(
    statuses: list[str], asked: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Certificates, "certify", lambda *_: make_certificate())
    monkeypatch.setattr(References, "of", lambda *_: None)
    executor = Scripted(statuses)
    make_runner(tmp_path, executor, certify=True).run([make_cell(seed=seed) for seed in range(len(statuses))])
    assert [request.evidence is not None for request in executor.requests] == asked
