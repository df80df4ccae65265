"""The runner: each cell in a process of its own, whatever becomes of it, and results that are always whole."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file

import backends
import tasks
from backends.base import Setting
from backends.numpy.model import NumpyModel
from compare import process, runner
from compare.certify import Certifier
from compare.plan import Cell, list_cells
from compare.process import run_worker
from compare.results import Certificate, Results, Run, read_results
from compare.runner import Options, make_request, run_cells
from compare.worker import CellWork
from tasks.batches import Batches
from tasks.errors import SideBySideError

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 60.0
"""For what must happen; only a failing test waits that long."""
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals and process groups are POSIX's")

Event = dict[str, Any]


def make_cell(**replaced: Any) -> Cell:
    (cell,) = list_cells(["and-gate"], ["numpy"], epochs=20)
    return replace(cell, **replaced)


def fake(script: str) -> tuple[str, ...]:
    """The command of a worker that runs a small script; ``tell`` sends an event, ``request`` is what it was asked."""
    start = """
        import json, os, signal, subprocess, sys, time
        def tell(event, **values):
            print(json.dumps({"event": event, **values}), flush=True)
        request = json.loads(sys.stdin.readline())
    """
    return (sys.executable, "-I", "-S", "-c", textwrap.dedent(start) + textwrap.dedent(script))


def ask(
    script: str, *, timeout: float | None = None, on_event: Callable[[Event], None] = lambda event: None
) -> dict[str, Any]:
    """What ``run_worker`` makes of a fake worker."""
    request = make_request(make_cell(), Options(Path("nowhere"), threads=2))
    return run_worker(request, timeout=timeout, on_event=on_event, command=fake(script))


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that only waits for its parent to ask for its status has."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited in vain until {what}")
        time.sleep(0.02)


@contextmanager
def ended_afterwards(pids: list[int]) -> Iterator[None]:
    """Ends what a failing test would leave behind."""
    try:
        yield
    finally:
        for pid in pids:
            if not is_gone(pid):
                os.kill(pid, signal.SIGKILL)


# One worker


def test_events_are_passed_on_in_order_and_the_result_is_returned() -> None:
    events: list[Event] = []
    result = ask(
        """
        tell("phase", name="import")
        tell("epoch", epoch=1, loss=None)
        tell("result", status="ok", accuracy=1.0)
        """,
        on_event=events.append,
    )
    assert result == {"status": "ok", "accuracy": 1.0}
    assert events == [{"event": "phase", "name": "import"}, {"event": "epoch", "epoch": 1, "loss": None}]


def test_a_worker_is_asked_in_one_line_and_its_input_stays_open() -> None:
    result = ask(
        """
        import select
        open_still = not select.select([sys.stdin], [], [], 0)[0]
        tell("result", request=request, open_still=open_still)
        """
        if os.name == "posix"
        else 'tell("result", request=request, open_still=True)'
    )
    assert result["open_still"]
    assert Cell.of(result["request"]["cell"]) == make_cell()
    assert result["request"].pop("started") > 0
    assert result["request"] == make_request(make_cell(), Options(Path("nowhere"), threads=2))


def test_a_worker_gets_the_thread_budget_and_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    environment = ask('tell("result", **os.environ)')
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        assert environment[name] == "2"
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "elsewhere"]
    assert environment["KERAS_BACKEND"] == "tensorflow"
    assert environment["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert os.environ["OMP_NUM_THREADS"] == "77"  # ours is untouched


@posix_only
def test_a_worker_has_a_process_group_of_its_own() -> None:
    result = ask('tell("result", pid=os.getpid(), group=os.getpgid(0))')
    assert result["group"] == result["pid"] != os.getpgid(0)


def test_a_crash_is_told_with_its_status_and_last_words() -> None:
    result = ask('print("first\\n  last words  \\n\\n", file=sys.stderr); tell("phase", name="build"); sys.exit(3)')
    assert result == {"status": "crashed", "message": "the process ended with status 3: last words"}


def test_a_crash_in_silence() -> None:
    assert ask("sys.exit(4)") == {"status": "crashed", "message": "the process ended with status 4"}


def test_a_crash_at_once_that_reads_no_request() -> None:
    command = (sys.executable, "-I", "-S", "-c", "import os; os._exit(5)")
    result = run_worker(make_request(make_cell(), Options(Path("nowhere"))), command=command)
    assert result == {"status": "crashed", "message": "the process ended with status 5"}


def test_a_traceback_is_told_by_its_last_line() -> None:
    result = ask('raise ValueError("no such layer")')
    assert result["message"] == "the process ended with status 1: ValueError: no such layer"


def test_last_words_that_are_long_or_no_text_are_one_short_line() -> None:
    result = ask(r'sys.stderr.buffer.write(b"\xff\xfe" + b"x" * 5000 + b"\r\n"); sys.exit(1)')
    assert result["status"] == "crashed"
    assert "xxxxx" in result["message"]
    assert len(result["message"]) < 400
    assert len(result["message"].splitlines()) == 1


def test_success_without_a_result_is_a_crash() -> None:
    assert ask("pass") == {"status": "crashed", "message": "the process ended with status 0"}


def test_garbage_on_stderr_does_not_matter_however_much() -> None:
    result = ask(
        r"""
        sys.stderr.buffer.write(b'{"event": "result", "status": "crashed"}\n' + b"\xff\x00warning\n" * 200_000)
        sys.stderr.flush()
        tell("result", status="ok")
        """
    )
    assert result == {"status": "ok"}


@pytest.mark.parametrize("line", ['{"event": "result", "lo', "a framework was here", "[1]", '{"no": "event"}', ""])
def test_a_line_that_is_no_event_does_not_touch_the_runner(line: str) -> None:
    result = ask(f"print({line!r}, flush=True); sys.exit(6)")
    assert result["status"] == "crashed"
    assert "status 6" in result["message"]


@posix_only
def test_a_worker_killed_from_outside_is_told_as_out_of_memory() -> None:
    result = ask('tell("phase", name="build"); os.kill(os.getpid(), signal.SIGKILL)')
    assert result["status"] == "out-of-memory"
    assert "killed by the system" in result["message"]


@posix_only
def test_a_segmentation_fault_is_a_crash() -> None:
    result = ask("os.kill(os.getpid(), signal.SIGSEGV)")
    assert result["status"] == "crashed"
    assert f"status -{int(signal.SIGSEGV)}" in result["message"]


# Time limits; and nothing is left behind

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
WITH_CHILD = f"""
signal.signal(signal.SIGTERM, signal.{{on_term}})
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", {STUBBORN!r}], stdout=subprocess.PIPE)
child.stdout.readline()
tell("phase", name="up", pids=[os.getpid(), child.pid])
{{then}}
"""


@posix_only
def test_a_hang_is_ended_in_time_with_all_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.2)
    pids: list[int] = []
    with ended_afterwards(pids):
        result = ask(
            WITH_CHILD.format(on_term="SIG_IGN", then="time.sleep(600)"),
            timeout=2.5,
            on_event=lambda event: pids.extend(event["pids"]),
        )
        assert result["status"] == "timeout"
        assert "ended after 2.5 seconds; allow more with --timeout" in result["message"]
        assert len(pids) == 2
        for pid in pids:
            wait_until(partial(is_gone, pid), "the worker and its child have ended")


@posix_only
@pytest.mark.parametrize("then", ['tell("result", status="ok")', "sys.exit(1)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_children_of_a_worker_that_ended_are_ended_too(then: str) -> None:
    pids: list[int] = []
    with ended_afterwards(pids):
        ask(WITH_CHILD.format(on_term="SIG_DFL", then=then), on_event=lambda event: pids.extend(event["pids"]))
        assert len(pids) == 2
        for pid in pids:
            wait_until(partial(is_gone, pid), "the worker and its child have ended")


@posix_only
def test_a_worker_may_clean_up_when_it_is_asked_to_end(tmp_path: Path) -> None:
    ask(
        f"""
        def clean_up(*_):
            open({str(tmp_path / "cleaned")!r}, "w").close()
            sys.exit(0)
        signal.signal(signal.SIGTERM, clean_up)
        tell("phase", name="up")
        time.sleep(600)
        """,
        timeout=1.5,
    )
    assert (tmp_path / "cleaned").exists()


@posix_only
@pytest.mark.skipif(backends.missing("pytorch") is not None, reason="needs PyTorch")
def test_the_first_call_of_each_length_counts_as_compiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known: set[int] = set()
    train = NumpyModel.train

    def compile_first(model: NumpyModel, batches: Batches) -> Any:
        if batches.epochs not in known:
            time.sleep(0.5)
        known.add(batches.epochs)
        return train(model, batches)

    monkeypatch.setattr(NumpyModel, "train", compile_first)
    cell = make_cell(epochs=401)  # calls of one epoch and of four
    request = make_request(cell, Options(tmp_path, certify=False), started=time.monotonic())
    work = CellWork(request, lambda event, **values: None)
    work.run()
    assert 0.9 < work.result["compile_seconds"] < work.result["total_seconds"]


def test_pytorch_trains_without_a_compiler_that_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "g++"
    compiler.write_text(
        "#!/bin/sh\ncase $1 in --version|-v) echo g++ 12.2.0;; *) echo no Python.h >&2; exit 1;; esac\n"
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (cell,) = list_cells(["iris-mlp"], ["pytorch"], epochs=20)
    result = run_worker(make_request(cell, Options(tmp_path)), compile_cache=tmp_path / "cache")
    assert result["status"] == "ok", result["message"]
    assert result["settings"]["compiled"] == "no: eager, for the compiler failed"
    assert result["losses"][-1] < result["losses"][0]


def test_a_time_limit_that_is_not_reached_changes_nothing() -> None:
    assert ask('tell("result", status="ok")', timeout=PATIENCE_SECONDS) == {"status": "ok"}


@posix_only
def test_a_result_counts_though_the_process_does_not_end() -> None:
    assert ask('tell("result", status="ok"); time.sleep(600)', timeout=3) == {"status": "ok"}


MEASURED = 'tell("measured", result={"status": "ok", "accuracy": 0.5});'


@posix_only
@pytest.mark.parametrize(
    ("then", "why"),
    [
        ("time.sleep(600)", "ended after 1.5 seconds; allow more with --timeout"),
        ("sys.exit(8)", "the process ended with status 8"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed by the system, most likely for want of memory"),
        ('tell("result", status="crashed", message="no luck")', "no luck"),
    ],
)
def test_a_certificate_that_fails_costs_no_measurement(then: str, why: str) -> None:
    events: list[Event] = []
    result = ask(MEASURED + then, timeout=1.5, on_event=events.append)
    assert result == {"status": "ok", "accuracy": 0.5, "message": f"measured, but not certified: {why}"}
    assert events == []  # it is no news for the user yet


def test_a_cell_that_is_certified_counts_whole() -> None:
    assert ask(MEASURED + 'tell("result", status="ok", evidence={})') == {"status": "ok", "evidence": {}}


@posix_only
def test_the_time_limit_holds_after_the_pipe_has_closed() -> None:
    assert ask("os.close(1); time.sleep(5)", timeout=1)["status"] == "timeout"


@posix_only
def test_a_crash_is_seen_though_a_child_holds_the_pipe() -> None:
    result = ask('subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]); sys.exit(7)', timeout=5)
    assert result == {"status": "crashed", "message": "the process ended with status 7"}


@posix_only
def test_an_interrupt_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.2)
    pids: list[int] = []

    def interrupt(event: Event) -> None:
        pids.extend(event["pids"])
        raise KeyboardInterrupt

    with ended_afterwards(pids):
        with pytest.raises(KeyboardInterrupt):
            ask(WITH_CHILD.format(on_term="SIG_IGN", then="time.sleep(600)"), on_event=interrupt)
        assert len(pids) == 2
        for pid in pids:
            wait_until(partial(is_gone, pid), "the worker and its child have ended")


# Many cells, with fake workers


class Recorder:
    """A Progress that keeps what it is told, and reads ``results.json`` at each step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[tuple[str, Cell]] = []
        self.events: list[Event] = []
        self.notes: list[str] = []
        self.stored: list[int] = []

    def started(self, cell: Cell, index: int, count: int) -> None:
        self.told.append(("started", cell))
        self.stored.append(len(read_results(self.folder).runs))

    def event(self, cell: Cell, event: Event) -> None:
        self.events.append(event)
        read_results(self.folder)

    def ended(self, cell: Cell, run: Run, certificate: Certificate | None) -> None:
        self.told.append(("ended", cell))
        assert read_results(self.folder).runs[-1] == run

    def note(self, text: str) -> None:
        self.notes.append(text)

    @property
    def begun(self) -> list[Cell]:
        return [cell for what, cell in self.told if what == "started"]


BY_SEED = """
outcome = {outcomes}[request["cell"]["seed"]]
if outcome == "crash": sys.exit(1)
if outcome == "garbage": print("hello", file=sys.stderr)
if outcome == "kill": os.kill(os.getpid(), signal.SIGKILL)
if outcome == "hang": time.sleep(600)
tell("result", status="ok", accuracy=1.0, examples_per_second=request["cell"]["seed"] + 0.5)
"""


def run_fakes(
    outcomes: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    earlier: Results | None = None,
    recorder: Recorder | None = None,
    timeout: float | None = None,
) -> tuple[Results, Recorder]:
    """Runs a cell for each outcome, with its place as seed."""
    monkeypatch.setattr(runner, "run_worker", partial(run_worker, command=fake(BY_SEED.format(outcomes=outcomes))))
    recorder = recorder or Recorder(folder)
    cells = [make_cell(seed=seed) for seed in range(len(outcomes))]
    results = run_cells(cells, Options(folder, certify=False, timeout=timeout), recorder, earlier)
    return results, recorder


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


# Real workers


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results, Recorder]:
    """A certified run of the AND gate on the numpy backend, with an empty folder for kept references."""
    folder, cache = tmp_path_factory.mktemp("certified"), tmp_path_factory.mktemp("cache")
    recorder = Recorder(folder)
    options = Options(folder, threads=1, command="a test", settings={"preset": "quick"}, save_models=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_path", lambda *_, **__: cache)
        results = run_cells([make_cell()], options, recorder)
    return folder, results, recorder


def test_a_real_cell_is_measured(certified: tuple[Path, Results, Recorder]) -> None:
    folder, results, _ = certified
    (run,) = results.runs
    task = tasks.load_task("and-gate")
    assert (run.status, run.message) == ("ok", "")
    assert run.versions == {"numpy": np.__version__}
    assert run.settings["affinity"] == 1 or not hasattr(os, "sched_setaffinity")
    assert run.parameter_count == 3
    assert run.parameter_counts == {"0_dense": 3}
    assert run.parameters_sha256 == tasks.reproducible.sha256_of(task.parameters(0))
    assert run.batches_sha256 == task.batches(4, 0, epochs=20).sha256()
    assert run.data_sha256 == task.load(None).train_sha256
    assert len(run.losses) == 20
    assert run.losses == sorted(run.losses, reverse=True)
    assert run.accuracy in (0, 0.25, 0.5, 0.75, 1)
    assert run.accuracies[-1] == run.accuracy
    assert run.accuracy_epochs[-1] == 20
    for seconds in (run.import_seconds, run.build_seconds, run.first_epoch_seconds, run.total_seconds):
        assert seconds is not None
        assert seconds > 0
    for rate in (run.examples_per_second, run.inference_examples_per_second, run.matrix_operations_per_second):
        assert rate is not None
        assert rate > 0
    assert run.peak_memory_bytes is not None
    assert (results.command, results.settings) == ("a test", {"preset": "quick", "threads": 1})
    assert read_results(folder) == results


def test_a_real_cell_is_certified_beside_its_numbers(certified: tuple[Path, Results, Recorder]) -> None:
    _, results, recorder = certified
    (run,) = results.runs
    (certificate,) = results.certificates
    assert results.verified(run)
    assert certificate.granted
    assert certificate.failure == ""
    assert certificate.parameters_sha256 == run.parameters_sha256
    assert certificate.data_sha256 == run.data_sha256
    assert {"logits", "loss", "gradient of 0_dense/kernel", "0_dense/kernel after 100 steps"} <= {
        distance.quantity for distance in certificate.distances
    }
    assert any("the reference of and-gate" in note for note in recorder.notes)  # it is computed, as none was kept


def test_a_real_cell_reports_as_it_goes(certified: tuple[Path, Results, Recorder]) -> None:
    _, results, recorder = certified
    phases = [event["name"] for event in recorder.events if event["event"] == "phase"]
    assert phases == ["import", "build", "measure", "certify"]
    epochs = [event for event in recorder.events if event["event"] == "epoch"]
    assert [event["epoch"] for event in epochs] == results.runs[0].accuracy_epochs
    assert epochs[-1]["accuracy"] == results.runs[0].accuracy


def test_a_real_cell_keeps_its_arrays_and_model(certified: tuple[Path, Results, Recorder]) -> None:
    folder, results, recorder = certified
    (cell,) = recorder.begun
    arrays = load_file(folder / "arrays" / f"{cell.name}.safetensors")
    assert arrays["predictions"].shape == (4,)
    assert arrays["step_losses"].shape == (20, 1)
    np.testing.assert_allclose(arrays["step_losses"][:, 0], results.runs[0].losses, rtol=1e-6)
    trained = load_file(folder / "models" / f"{cell.name}.safetensors")
    task = tasks.load_task("and-gate")
    assert {name: array.shape for name, array in trained.items()} == task.architecture.parameter_shapes
    assert not np.array_equal(trained["0_dense/kernel"], task.parameters(0)["0_dense/kernel"])


@pytest.fixture(scope="module")
def resumed(certified: tuple[Path, Results, Recorder]) -> tuple[Path, Results, Recorder]:
    """The certified run resumed with a further cell, iris."""
    folder = certified[0].parent / "resumed"
    shutil.copytree(certified[0], folder)
    recorder = Recorder(folder)
    cells = [*certified[2].begun, *list_cells(["iris-mlp"], ["numpy"], epochs=20)]
    results = run_cells(cells, Options(folder, threads=1, certify=False), recorder, read_results(folder))
    return folder, results, recorder


def test_a_real_run_is_resumed(
    certified: tuple[Path, Results, Recorder], resumed: tuple[Path, Results, Recorder]
) -> None:
    _, results, recorder = resumed
    assert [cell.task for cell in recorder.begun] == ["iris-mlp"]
    assert results.runs[0] == certified[1].runs[0]
    assert results.certificates == certified[1].certificates
    assert results.command == "a test"
    run = results.runs[1]
    assert (run.status, run.parameter_count) == ("ok", 193)
    assert run.losses[-1] < 0.8 * run.losses[0]
    assert run.accuracy is not None
    assert run.accuracy > 0.5
    assert not results.verified(run)


def test_a_real_cell_whose_data_are_gone_is_a_crash_in_one_line(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    options = Options(tmp_path, data=tmp_path / "gone.npz", certify=False)
    results = run_cells(list_cells(["mnist-mlp"], ["numpy"], epochs=1), options, recorder)
    assert results.runs[0].status == "crashed"
    assert results.runs[0].message.startswith(f"{tmp_path / 'gone.npz'}: cannot be read")


# The real command, interrupted and killed

LONG = ("run", "and-gate", "--backend", "numpy", "--no-certify", "--epochs", "1000000", "--threads", "1")


def start_command(*arguments: str) -> subprocess.Popen[str]:
    """Starts ``python -m compare``, with Ctrl-C at work even where these tests run in the background of a shell."""
    script = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL);"
        " os.execv(sys.executable, [sys.executable, '-m', 'compare', *sys.argv[1:]])"
    )
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def busy_worker(command: subprocess.Popen[str]) -> int:
    """Waits until the command's worker is at work, and returns its process id."""
    found: list[int] = []

    def look() -> bool:
        assert command.poll() is None, command.communicate()
        try:
            for child in psutil.Process(command.pid).children():
                if "compare.worker" in child.cmdline() and child.cpu_times().user > 0.2:
                    found.append(child.pid)
        except psutil.Error:
            pass
        return bool(found)

    wait_until(look, "a worker is at work")
    return found[0]


@posix_only
def test_ctrl_c_ends_with_130_whole_results_and_no_worker(
    resumed: tuple[Path, Results, Recorder], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(resumed[0], folder)
    pids: list[int] = []
    with start_command(*LONG, "--seeds", "2", "--resume", str(folder)) as command, ended_afterwards(pids):
        pids.append(command.pid)
        pids.append(busy_worker(command))
        os.kill(command.pid, signal.SIGINT)
        out, err = command.communicate(timeout=PATIENCE_SECONDS)
        assert command.returncode == 130
        assert out == ""
        assert err == "sidebyside: interrupted\n"
        assert is_gone(pids[1])
    stored = read_results(folder)
    assert stored.runs[:2] == resumed[1].runs
    assert [(run.seed, run.status, run.epochs) for run in stored.runs[2:]] == [(0, "interrupted", 1_000_000)]
    assert sorted(path.name for path in folder.iterdir()) == ["arrays", "models", "results.json"]


@posix_only
def test_a_worker_ends_by_itself_when_the_command_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    pids: list[int] = []
    with start_command(*LONG, "--output", str(folder)) as command, ended_afterwards(pids):
        pids.append(command.pid)
        pids.append(busy_worker(command))
        os.kill(command.pid, signal.SIGKILL)
        command.wait(PATIENCE_SECONDS)
        wait_until(partial(is_gone, pids[1]), "the worker has ended by itself")
    assert read_results(folder).runs == []
    assert json.loads((folder / "results.json").read_text())["runs"] == []


def test_a_worker_ends_by_itself_when_its_input_closes(tmp_path: Path) -> None:
    """Without this, a worker whose parent was killed would go on until it next has something to report."""
    request = make_request(make_cell(epochs=1_000_000), Options(tmp_path, threads=1), started=time.monotonic())
    told = tmp_path / "told"
    with told.open("wb") as out, (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "compare.worker"], cwd=ROOT, stdin=subprocess.PIPE, stdout=out, stderr=log
        )
        with worker, ended_afterwards([worker.pid]):
            assert worker.stdin is not None
            worker.stdin.write(json.dumps(request).encode() + b"\n")
            worker.stdin.flush()
            wait_until(lambda: b'"epoch"' in told.read_bytes(), "the worker is at work")
            assert worker.poll() is None
            worker.stdin.close()
            worker.wait(PATIENCE_SECONDS)
    assert worker.returncode == 1
    assert b'"result"' not in told.read_bytes()
