"""Clusters that are refused: addresses, schedulers, Dask workers and machines that will not do, each in one line."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from compare.executors import cluster as cluster_module
from compare.executors import remote
from compare.executors.address import ClusterError, check_address
from compare.executors.cluster import Cluster
from tests import cluster as dask
from tests.run.test_cluster import run


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dask.Cluster]:
    with dask.cluster(tmp_path_factory.mktemp("dask"), "a", "b") as started:
        yield started


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://192.0.2.1:8786", "is not protected: whoever reaches the scheduler can run code on its machines"),
        ("127.0.0.1:8786", "scheduler is '127.0.0.1:8786': give its address, as tcp://127.0.0.1:8786"),
        ("http://127.0.0.1:8786", "give its address, as tcp://127.0.0.1:8786 or tls://HOST:8786"),
        ("", "scheduler is '': give its address"),
        ("tcp://[::1:8786", "give its address"),
        ("tcp://127.0.0.1:abc", "give its address"),
        ("tcp://127.0.0.1", "give its address"),
    ],
)
def test_an_address_that_will_not_do_is_one_line(address: str, message: str) -> None:
    with pytest.raises(ClusterError) as error:
        check_address(address, insecure=False)
    assert message in str(error.value)
    for good in ("tls://192.0.2.1:8786", "tcp://127.0.0.1:1", "tcp://localhost:1"):
        check_address(good, insecure=False)
    check_address("tcp://192.0.2.1:8786", insecure=True)


def test_without_a_scheduler_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 1.0)
    with pytest.raises(ClusterError, match="no scheduler answers there"):
        run(tmp_path / "run", scheduler="tcp://127.0.0.1:9")
    assert not (tmp_path / "run").exists()


def other_sources(backends: Sequence[str]) -> remote.Description:
    return replace(remote.describe(backends), sources="0" * 64)


def fails(_: Sequence[str]) -> remote.Description:
    raise ModuleNotFoundError("No module named 'compare'")


@pytest.mark.parametrize(
    ("describe", "message"),
    [
        (other_sources, r"cannot be used: it has other sources of sidebyside \(0\.1\.0\): install this version there"),
        (fails, "No module named 'compare'; install sidebyside in its environment"),
    ],
)
def test_a_machine_without_this_package_is_one_line(describe: object, message: str, workers: dask.Cluster) -> None:
    with Cluster(workers.address, ["numpy"], describe) as cluster, pytest.raises(ClusterError, match=message):  # type: ignore[arg-type]
        cluster.wait()


def test_a_worker_without_the_resource_is_told_how_to_start(
    workers: dask.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "RESOURCE", "OTHER")
    with Cluster(workers.address, ["numpy"]) as cluster, pytest.raises(ClusterError, match="--resources OTHER=1"):
        cluster.wait()


def unlike(backends: Sequence[str]) -> remote.Description:
    """Describes each Dask worker of a machine with other versions."""
    from distributed import get_worker

    return replace(remote.describe(backends), versions={"numpy": {"numpy": str(get_worker().name)}})


def test_a_worker_that_is_unlike_the_others_of_its_machine_is_left_alone(workers: dask.Cluster) -> None:
    with Cluster(workers.address, ["numpy"], unlike) as cluster:
        cluster.wait()
        dask.wait_until(lambda: cluster.look() or bool(cluster.refused))
    (machine,) = cluster.machines.values()
    assert len(machine.addresses) == 1
    assert [*cluster.refused.values()] == [
        "another Dask worker of its machine has other packages or cores: make them alike"
    ]
