"""A driver on a Dask cluster whose workers and scheduler are killed, and that is interrupted."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from compare.run.reading import read_results
from tests import cluster as dask
from tests.run.test_cluster import results_of, run
from tests.sources import ROOT


def start_driver(folder: Path, address: str, seeds: int, *more: str) -> "subprocess.Popen[str]":
    words = ("run", "and-gate", "iris-mlp", "--backend", "numpy", "--seeds", str(seeds), "--threads", "1")
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "compare", *words, *more, "--scheduler", address],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(folder: Path) -> int:
    return len(list((folder / "run" / "cells").glob("*.json")))


@pytest.mark.parametrize("cells", [8, pytest.param(60, marks=pytest.mark.slow)])
def test_killed_workers_and_a_killed_scheduler_cost_no_cell(cells: int, tmp_path: Path) -> None:
    names = ("a", "b", "c", "d")
    with dask.cluster(tmp_path, *names) as workers:
        over = threading.Event()

        def kill() -> None:
            turn = 0
            while not over.wait(4.0):
                workers.kill_worker(names[turn % len(names)])
                turn += 1

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            driver = start_driver(tmp_path, workers.address, cells // 2, "--output", "run")
            dask.wait_until(lambda: finished(tmp_path) >= cells // 4, seconds=10.0 * cells)
            workers.restart_scheduler()
            _, err = driver.communicate(timeout=120)
            assert driver.returncode == 2, err
            (line,) = [line for line in err.splitlines() if line.startswith("sidebyside: ")]
            assert "does not answer any more" in line
            assert "once that is mended, go on with: sidebyside run --resume run" in line
            done = {run.file_name for run in read_results(tmp_path / "run").runs if run.status == "ok"}
            assert cells // 4 <= len(done) < cells
            driver = start_driver(tmp_path, workers.address, cells // 2, "--resume", "run")
            _, err = driver.communicate(timeout=600)
            assert driver.returncode == 0, err
        finally:
            over.set()
            killer.join()
    results = read_results(tmp_path / "run")
    assert len(results.runs) == len({run.file_name for run in results.runs}) == cells
    assert done <= {run.file_name for run in results.runs}
    assert all(run.status == "ok" and results.verified(run) for run in results.runs)
    if cells == 60:
        here = run(tmp_path / "here", seeds=30)
        assert results_of(results.runs) == results_of(here.runs)


def test_an_interrupt_ends_the_cell_on_the_other_machine(tmp_path: Path) -> None:
    with dask.cluster(tmp_path, "a") as workers:
        driver = start_driver(tmp_path, workers.address, 1, "--output", "run", "--epochs", "200000")
        dask.wait_until(lambda: bool(_our_workers(workers)))
        driver.send_signal(signal.SIGTERM)  # Ctrl-C is ignored where the tests run in the background
        driver.communicate(timeout=150)
        assert driver.returncode == 143
        dask.wait_until(lambda: not _our_workers(workers))


def _our_workers(workers: dask.Cluster) -> list[int]:
    children = psutil.Process(workers.workers["a"].pid).children(recursive=True)
    return [child.pid for child in children if "compare.worker" in " ".join(child.cmdline())]
