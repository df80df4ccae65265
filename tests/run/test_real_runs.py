"""Real runs: measured, certified, resumed, interrupted and killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file

import tasks
from compare.executors.local import LocalExecutor
from compare.records.event import EpochEnd, Phase
from compare.records.results import Results
from compare.run.options import make_options
from compare.run.reading import read_results
from compare.run.runner import Runner
from compare.run.store import Store
from tests.run.recorder import Recorder, make_runner
from tests.sources import ROOT
from tests.worker.fakes import (
    PATIENCE_SECONDS,
    ended_afterwards,
    is_gone,
    make_cell,
    make_cells,
    posix_only,
    wait_until,
)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results, Recorder]:
    """A certified run of the AND gate on the numpy backend, with an empty folder for kept references."""
    folder, cache = tmp_path_factory.mktemp("certified"), tmp_path_factory.mktemp("cache")
    recorder = Recorder(folder)
    options = make_options({"threads": 1, "save_models": True})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("compare.certify.reference.cache", lambda: SimpleNamespace(path=cache))
        results = Runner(options, Store(folder), LocalExecutor(1), recorder, command="a test").run([make_cell()])
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
    assert run.data_sha256 == task.source.load(None).train_sha256
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
    assert results.command == "a test"
    assert results.settings == {
        "preset": "quick",
        "certified": True,
        "rounds": 1,
        "order_seed": 0,
        "self_check": False,
        "threads": 1,
    }
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
    phases = [event.name for event in recorder.events if isinstance(event, Phase)]
    assert phases == ["import", "build", "train", "measure", "certify"]
    epochs = [event for event in recorder.events if isinstance(event, EpochEnd)]
    assert [event.epoch for event in epochs] == results.runs[0].accuracy_epochs
    assert epochs[-1].accuracy == results.runs[0].accuracy


def test_a_real_cell_keeps_its_arrays_and_model(certified: tuple[Path, Results, Recorder]) -> None:
    folder, results, recorder = certified
    (cell,) = recorder.begun
    arrays = load_file(folder / "arrays" / f"{cell.file_name}.safetensors")
    assert arrays["predictions"].shape == (4,)
    assert arrays["step_losses"].shape == (20, 1)
    np.testing.assert_allclose(arrays["step_losses"][:, 0], results.runs[0].losses, rtol=1e-6)
    trained = load_file(folder / "models" / f"{cell.file_name}.safetensors")
    task = tasks.load_task("and-gate")
    assert {name: array.shape for name, array in trained.items()} == task.architecture.parameter_shapes
    assert not np.array_equal(trained["0_dense/kernel"], task.parameters(0)["0_dense/kernel"])


@pytest.fixture(scope="module")
def resumed(certified: tuple[Path, Results, Recorder]) -> tuple[Path, Results, Recorder]:
    """The certified run resumed with a further cell, iris."""
    folder = certified[0].parent / "resumed"
    shutil.copytree(certified[0], folder)
    recorder = Recorder(folder)
    cells = [*certified[2].begun, *make_cells("iris-mlp", "numpy")]
    runner = make_runner(folder, LocalExecutor(1), recorder, threads=1)
    results = runner.run(cells)
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
    runner = make_runner(tmp_path, LocalExecutor(2), data=tmp_path / "gone.npz")
    results = runner.run(make_cells("mnist-mlp", "numpy", epochs=1))
    assert results.runs[0].status == "crashed"
    assert results.runs[0].message.startswith("gone.npz: cannot be read")


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
    workers: list[int] = []

    def look() -> bool:
        assert command.poll() is None, command.communicate()
        try:
            for child in psutil.Process(command.pid).children():
                if "compare.worker" in child.cmdline() and child.cpu_times().user > 0.2:
                    workers.append(child.pid)
        except psutil.Error:
            pass
        return bool(workers)

    wait_until(look, "a worker is at work")
    return workers[0]


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
        assert "and-gate" in out  # the table of what was done
        assert err.endswith(
            f"sidebyside: interrupted; what was done is kept; go on with: sidebyside run --resume {folder}\n"
        )
        assert is_gone(pids[1])
    stored = read_results(folder)
    assert stored.runs[:2] == resumed[1].runs
    assert [(run.seed, run.status, run.epochs) for run in stored.runs[2:]] == [(0, "interrupted", 1_000_000)]
    assert not [path for path in folder.rglob(".*") if path.name != ".lock"]


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
