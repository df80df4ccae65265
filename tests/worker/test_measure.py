"""What is measured: work is done when a clock stops, memory has its peak, operations are counted as frameworks do."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends import cores
from backends.numpy.model import NumpyModel
from compare.host import describe_host
from compare.worker import clocks, load
from compare.worker.calls import Calls
from compare.worker.machine import machine_rate
from tasks import available_tasks, load_task
from tasks.architecture import Parameters
from tasks.batches import Batches
from tests.remote import RemoteBackend
from tests.samples import SAMPLES
from tests.sources import ROOT

SAMPLE = SAMPLES["dense"]


def make_model(kind: type[NumpyModel]) -> NumpyModel:
    parameters = {
        name: np.ones(shape, np.float32) for name, shape in SAMPLE.recipe.architecture.parameter_shapes.items()
    }
    model = kind(SAMPLE.recipe, parameters, "cpu", "float32")
    model.place(SAMPLE.dataset)
    return model


class ReturnsEarly(NumpyModel):
    """Returns invented losses at once, and trains in the background until somebody asks for its parameters."""

    worker: threading.Thread | None = None

    def train(self, batches: Batches) -> Any:
        def work() -> None:
            time.sleep(1)
            NumpyModel.train(self, batches)

        self.worker = threading.Thread(target=work)
        self.worker.start()
        return np.zeros((batches.epochs, batches.steps), np.float32)

    def parameters(self) -> Parameters:
        if self.worker is not None:
            self.worker.join()
        return super().parameters()


def test_a_loop_that_returns_early_gains_no_time() -> None:
    model = make_model(ReturnsEarly)
    assert clocks.clock(lambda: model.train(SAMPLE.batches)) < 0.5
    _, seconds = Calls(None).train(model, SAMPLE.batches)
    assert seconds > 0.9
    _, seconds = Calls(None).train(make_model(NumpyModel), SAMPLE.batches)
    assert seconds < 0.5


@pytest.mark.skipif(sys.platform != "linux", reason="measured on Linux alone")
def test_the_outside_load_is_that_of_others_alone() -> None:
    """The work of another group's process is outside load; that of a child is this process's own.

    In a process of a group of its own: other tests may run in the group of this one.
    """
    script = "from tests.worker.test_measure import check_outside_load; check_outside_load()"
    subprocess.run([sys.executable, "-c", script], check=True, start_new_session=True, cwd=ROOT)


def check_outside_load() -> None:
    burn = [sys.executable, "-c", "import time\nwhile time.process_time() < 1: pass"]
    before = load._own_seconds()
    subprocess.run(burn, check=True)
    assert load._own_seconds() - before > 0.9
    before, outside = load._own_seconds(), load.OutsideLoad()
    endless = [sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(endless, start_new_session=True) as other:
        try:
            time.sleep(1)
            cores = outside.cores()
            assert load._own_seconds() - before < 0.5
        finally:
            other.kill()
    assert cores is not None
    assert cores > 0.2


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "50000 100000"}, 0.5),
        ({"proc/self/cgroup": "0::/a/b", "sys/fs/cgroup/a/cpu.max": "150000 100000"}, 1.5),
        ({"proc/self/cgroup": "0::/a", "sys/fs/cgroup/a/cpu.max": "max 100000"}, None),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/docker/x",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "200000",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
            },
            2.0,
        ),
        ({"proc/self/cgroup": "1:cpu:/", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1"}, None),
        ({}, None),
    ],
)
def test_the_quota_of_a_container_is_read(files: dict[str, str], quota: float | None, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert cores.cpu_quota(tmp_path) == quota


def test_threads_and_host_heed_the_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "cpu_quota", lambda: 0.5)
    monkeypatch.setattr("compare.host.cpu_quota", lambda: 0.5)
    assert cores.usable_cores() == 1
    assert describe_host()["cpu_quota"] == 0.5


def test_the_rate_of_the_machine_is_that_of_its_products_and_copies() -> None:
    rate = machine_rate()
    assert 1e8 < rate.matrix_operations_per_second < 1e14
    assert 1e8 < rate.copied_bytes_per_second < 1e13


PEAK = """
import numpy as np
from compare.worker import memory
memory.forget_peak()
before = memory.peak_resident_bytes()
block = np.ones(50_000_000, np.uint8)
print(memory.peak_resident_bytes() - before)
del block
print(memory.peak_resident_bytes() - before)
"""


def test_the_peak_of_memory_is_seen() -> None:
    """In a new process: the memory of this one rises and falls by what other tests did."""
    ran = subprocess.run([sys.executable, "-c", PEAK], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(int(line) > 40_000_000 for line in ran.stdout.split())


def test_host_names_no_owner() -> None:
    host = describe_host()
    assert {"cpu", "cores", "memory_bytes", "python", "system"} <= set(host)
    assert str(Path.home().name) not in map(str, host.values())


def count_torch_operations(model: Any, inputs: Any, labels: Any) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model.loss_and_gradients(inputs, labels)
    return int(counter.get_total_flops())


def count_xla_operations(model: Any, inputs: Any, labels: Any) -> float:
    import jax
    from flax import nnx

    graph, state = nnx.split(model.network)

    def loss_of(state: Any) -> Any:
        return model.loss(nnx.merge(graph, state)(inputs), labels)

    analysis = jax.jit(jax.grad(loss_of)).lower(state).compile().cost_analysis()
    return float((analysis[0] if isinstance(analysis, list) else analysis)["flops"])


@pytest.mark.parametrize("name", available_tasks())
def test_operations_as_frameworks_count_them(name: str, every_remote: dict[str, RemoteBackend]) -> None:
    """Our arithmetic against torch's counter, which counts products as we do, and XLA's, which counts all else too."""
    task = load_task(name).with_workload(60_000)
    random = np.random.RandomState(0)
    inputs = random.standard_normal((32, *task.architecture.input_shape)).astype(np.float32)
    labels = random.randint(0, 2, 32).astype(np.int32)
    ours = 32 * task.architecture.training_operations()
    counted = {}
    for backend, count in (("pytorch", "count_torch_operations"), ("jax", "count_xla_operations")):
        # XLA's count takes the gradient of a function of parameters alone, so of networks without state.
        if backend in every_remote and not (backend == "jax" and task.architecture.state):
            every_remote[backend].build(task, task.parameters(0), mode="stock")
            counted[backend] = every_remote[backend].call("apply", "tests.worker.test_measure", count, inputs, labels)
    if "pytorch" in counted:
        assert counted["pytorch"] == ours
    if "jax" in counted and task.architecture.parameter_count > 100_000:
        assert ours <= counted["jax"] < 1.1 * ours
