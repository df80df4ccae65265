"""Real workers: what counts as compiling, PyTorch without a compiler, and the end when the parent is gone."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import backends
from backends.numpy.model import NumpyModel
from compare.plan import list_cells
from compare.process import run_worker
from compare.runner import Options, make_request
from compare.worker import CellWork
from tasks.batches import Batches
from tests.sources import ROOT
from tests.worker.fakes import PATIENCE_SECONDS, ended_afterwards, make_cell, posix_only, wait_until


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


@posix_only
@pytest.mark.skipif(backends.missing("pytorch") is not None, reason="needs PyTorch")
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
