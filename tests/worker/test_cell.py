"""Real workers: what counts as compiling, PyTorch without a compiler, and the end when the parent is gone."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

import backends
from backends.numpy.model import NumpyModel
from compare.executors.environment import worker_environment
from compare.executors.local import COMMAND, LocalExecutor
from compare.records.request import CellRequest
from compare.records.weights import weights_in_arrays
from compare.worker.cell import run_cell
from tasks import load_task
from tasks.batches import Batches
from tests.sources import ROOT
from tests.worker.fakes import PATIENCE_SECONDS, ended_afterwards, make_cell, make_cells, posix_only, wait_until


def test_the_first_call_of_each_length_counts_as_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    known: set[int] = set()
    train = NumpyModel.train

    def compile_first(model: NumpyModel, batches: Batches) -> Any:
        if batches.epochs not in known:
            time.sleep(0.5)
        known.add(batches.epochs)
        return train(model, batches)

    monkeypatch.setattr(NumpyModel, "train", compile_first)
    cell = make_cell(epochs=401)  # calls of one epoch and of four
    run = run_cell(CellRequest(cell=cell, started_seconds=time.monotonic()), lambda event: None).run
    assert run is not None
    assert run.compile_seconds is not None
    assert run.total_seconds is not None
    assert 0.9 < run.compile_seconds < run.total_seconds


def test_a_cell_keeps_little_of_its_trained_parameters(tmp_path: Path) -> None:
    drawn = load_task("iris-mlp").parameters(0)
    path, model = tmp_path / "arrays", tmp_path / "model"
    cell = make_cell(task="iris-mlp", epochs=2)
    request = CellRequest(cell=cell, started_seconds=time.monotonic(), arrays=str(path), model=str(model))
    assert run_cell(request, lambda event: None).status == "ok"
    found, trained = weights_in_arrays(load_file(path)), load_file(model)
    assert list(found) == list(drawn)
    for name, summary in found.items():
        assert summary.mean == pytest.approx(trained[name].mean(dtype="float64"), rel=1e-12)
        assert summary.standard_deviation != pytest.approx(drawn[name].std(), rel=1e-6), name  # before the training
    kept = sum(array.nbytes for name, array in load_file(path).items() if name.startswith("weights_"))
    assert kept < 400 * len(found)


@posix_only
@pytest.mark.skipif(backends.missing("pytorch") is not None, reason="needs PyTorch")
@pytest.mark.parametrize("task", ["iris-mlp", pytest.param("mnist-mlp", marks=pytest.mark.slow)])
def test_pytorch_trains_without_a_compiler_that_works(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "g++"
    compiler.write_text(
        "#!/bin/sh\ncase $1 in --version|-v) echo g++ 12.2.0;; *) echo no Python.h >&2; exit 1;; esac\n"
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (cell,) = make_cells(task, "pytorch", epochs=3, examples=80)
    reply = LocalExecutor(2, compile_cache=tmp_path / "cache").ask("pytorch", CellRequest(cell=cell, race=True))
    assert reply.status == "ok", reply.message
    assert reply.run is not None
    assert reply.run.settings["compiled"] == "no: eager, for the compiler failed"
    assert reply.run.losses[-1] < reply.run.losses[0]


@pytest.mark.skipif(backends.missing("jax") is not None, reason="needs JAX")
@pytest.mark.parametrize("platforms", ["cuda", "banana"])
def test_jax_without_a_platform_that_it_may_use_is_skipped(platforms: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_PLATFORMS", platforms)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    (cell,) = make_cells("and-gate", "jax")
    reply = LocalExecutor(1).ask("jax", CellRequest(cell=cell))
    assert reply.status == "skipped"
    assert reply.message == f"jax finds no device here with JAX_PLATFORMS={platforms}: unset it, or set it to cpu"


def test_a_worker_ends_by_itself_when_its_input_closes(tmp_path: Path) -> None:
    """Without this, a worker whose parent was killed would go on until it next has something to report."""
    request = CellRequest(cell=make_cell(epochs=1_000_000), started_seconds=time.monotonic())
    told = tmp_path / "told"
    with told.open("wb") as out, (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            COMMAND,
            cwd=ROOT,
            env=worker_environment("numpy", 1, tmp_path),
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=log,
        )
        with worker, ended_afterwards([worker.pid]):
            assert worker.stdin is not None
            worker.stdin.write(request.model_dump_json().encode() + b"\n")
            worker.stdin.flush()
            wait_until(lambda: b'"epoch"' in told.read_bytes(), "the worker is at work")
            assert worker.poll() is None
            worker.stdin.close()
            worker.wait(PATIENCE_SECONDS)
    assert worker.returncode == 1
    assert b'"reply"' not in told.read_bytes()
