"""Runs on a Dask cluster: a real scheduler and real workers on loopback, which are killed."""

import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from compare.api import run_comparison
from compare.executors import remote
from compare.executors.cluster import Cluster
from compare.executors.machine import MachineExecutor
from compare.records.request import CallRequest
from compare.records.results import Results
from compare.records.run import Run
from compare.run.machines import Machines
from compare.run.options import make_options
from compare.run.plan import list_cells
from compare.run.store import Store
from tests import cluster as dask
from tests.run.recorder import Recorder
from tests.sources import ROOT

TIMES = {
    name
    for name in Run.model_fields
    if "second" in name
    or "bytes" in name
    or name in ("epochs_a_call", "load_average", "machine", "outside_load", "runner_cpu_share")
}
"""What differs from run to run."""


def two_machines(backends: Sequence[str]) -> remote.Description:
    """Describes each Dask worker as a machine of its own, of the worker's name."""
    from distributed import get_worker

    return replace(remote.describe(backends), identity=str(get_worker().name))


def nap(seconds: float) -> list[float]:
    """Sleeps; when it began and ended, by the clock of all processes."""
    begin = time.monotonic()
    time.sleep(seconds)
    return [begin, time.monotonic()]


def variables(*names: str) -> list[str | None]:
    return [os.environ.get(name) for name in names]


def nothing() -> None: ...


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dask.Cluster]:
    with dask.cluster(tmp_path_factory.mktemp("dask"), "a", "b") as started:
        yield started


@pytest.fixture
def connected(workers: dask.Cluster) -> Iterator[Cluster]:
    """A connection to which both workers are known, as those of one machine."""
    with Cluster(workers.address, ["numpy"]) as cluster:
        cluster.wait()
        (machine,) = cluster.machines.values()
        dask.wait_until(lambda: cluster.look() or len(machine.addresses) == 2)
        yield cluster


def run(folder: Path, **options: object) -> Results:
    given = {"tasks": ["and-gate", "iris-mlp"], "backends": "numpy", "seeds": 2, "threads": 1, "output": folder}
    return run_comparison(make_options(given | options), "a test").results


def results_of(runs: Sequence[Run]) -> list[dict[str, object]]:
    """Runs without what differs from one to the next."""
    checks = [run.check.model_copy(update={"seed": 0, "windows": []}) if run.check else None for run in runs]
    plain = [run.model_copy(update={"check": check, "host": ""}) for run, check in zip(runs, checks, strict=True)]
    kept = [run.model_dump(exclude=TIMES | {"settings"}) for run in plain]
    return sorted(kept, key=lambda run: (run["task"], run["seed"], run["round"]))


def test_a_run_on_a_cluster_is_the_run_on_this_machine_but_for_times(workers: dask.Cluster, tmp_path: Path) -> None:
    there = run(tmp_path / "there", scheduler=workers.address)
    here = run(tmp_path / "here")
    assert len(there.runs) == 4
    assert results_of(there.runs) == results_of(here.runs)
    assert all(there.verified(run) for run in there.runs)
    assert {run.host for run in there.runs} == set(there.hosts)
    assert list(there.hosts.values()) == [here.host]
    assert workers.address not in there.model_dump_json()
    for kind in ("arrays", "evidence"):
        assert [p.name for p in sorted((tmp_path / "there" / kind).iterdir())] == [
            p.name for p in sorted((tmp_path / "here" / kind).iterdir())
        ]


def test_own_data_and_own_tasks_travel(workers: dask.Cluster, tmp_path: Path) -> None:
    for name in ("my-leaves.toml", "leaves.csv"):
        shutil.copy(ROOT / "tests" / "data" / "tasks" / name, tmp_path)
    results = run(tmp_path / "run", tasks=str(tmp_path / "my-leaves.toml"), scheduler=workers.address, seeds=1)
    (row,) = results.runs
    assert (row.status, row.message, results.verified(row)) == ("ok", "", True)


def test_two_machines_work_side_by_side_and_each_comparison_stays_on_one(workers: dask.Cluster, tmp_path: Path) -> None:
    options = make_options({"tasks": ["and-gate", "iris-mlp"], "backends": "numpy", "rounds": 3, "threads": 1})
    with Cluster(workers.address, ["numpy"], two_machines) as cluster:
        cluster.wait()
        dask.wait_until(lambda: cluster.look() or len(cluster.machines) == 2)
        recorder = Recorder(tmp_path)
        results = Machines(options, Store(tmp_path), cluster, recorder).run(list_cells(options))
    by_task = {task: {run.host for run in results.runs if run.task == task} for task in options.tasks}
    assert all(len(hosts) == 1 for hosts in by_task.values())
    assert by_task["and-gate"] != by_task["iris-mlp"]
    assert set(results.hosts) == by_task["and-gate"] | by_task["iris-mlp"]
    assert [run.status for run in results.runs] == ["ok"] * 6


def test_what_another_machine_has_measured_is_measured_again(workers: dask.Cluster, tmp_path: Path) -> None:
    def run_on(*identities: str, seeds: int) -> Results:
        options = make_options({"tasks": ["and-gate", "iris-mlp"], "backends": "numpy", "seeds": seeds, "threads": 1})
        with Cluster(workers.address, ["numpy"], two_machines) as cluster:
            cluster.wait()
            dask.wait_until(lambda: cluster.look() or len(cluster.machines) == 2)
            for identity in {*cluster.machines} - {*identities}:
                del cluster.machines[identity]
            monkeypatched = cluster.look
            cluster.look = lambda: None  # type: ignore[method-assign]
            try:
                return Machines(options, Store(tmp_path), cluster, Recorder(tmp_path)).run(list_cells(options))
            finally:
                cluster.look = monkeypatched  # type: ignore[method-assign]

    first = run_on("a", seeds=1)
    assert len({run.host for run in first.runs}) == 1
    assert run_on("b", seeds=1).runs == first.runs  # complete: nothing is to be done
    second = run_on("b", seeds=2)
    assert len({run.host for run in second.runs}) == 1
    assert second.runs[0].host != first.runs[0].host


def test_one_cell_runs_on_a_machine_at_a_time_with_the_threads_that_were_asked_for(connected: Cluster) -> None:
    (identity,) = connected.machines
    executor = MachineExecutor(connected, identity, "x", threads=2)
    spans: list[list[float]] = []

    def ask() -> None:
        request = CallRequest(module=__name__, function="nap", arguments=(0.3,))
        spans.append(executor.ask("numpy", request).value)  # type: ignore[arg-type]

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ordered = sorted(spans)
    assert len(ordered) == 4
    assert all(first[1] <= second[0] for first, second in pairwise(ordered))
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    reply = executor.ask("numpy", CallRequest(module=__name__, function="variables", arguments=names))
    assert reply.value == ["2", "2", "2"]


def test_a_request_whose_worker_is_killed_is_sent_again(connected: Cluster, workers: dask.Cluster) -> None:
    (identity,) = connected.machines
    first = min(connected.machines[identity].addresses)
    name = connected._client.scheduler_info()["workers"][first]["id"]
    executor = MachineExecutor(connected, identity, "x", threads=1)
    killer = threading.Timer(1.0, workers.kill_worker, [name])
    killer.start()
    reply = executor.ask("numpy", CallRequest(module=__name__, function="nap", arguments=(3.0,)))
    killer.join()
    assert reply.status == "ok"
    assert isinstance(reply.value, list)
