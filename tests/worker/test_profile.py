"""Where the time of a step goes, by each framework's own profiler."""

import numpy as np
import pytest

import backends
from backends.kernels import Kernel, covered
from compare.analysis.profiles import time_spent
from compare.executors.local import LocalExecutor
from compare.records.request import ProfileRequest
from compare.worker.profile import make_profile
from tasks.batches import Batches
from tests.conftest import is_there
from tests.worker.fakes import make_cell

ORDINARY = {("jax", "tuned"), ("pytorch", "stock")}
CASES = [
    pytest.param(name, mode, marks=[] if (name, mode) in ORDINARY else [pytest.mark.slow])
    for name in backends.framework_backends()
    for mode in ("tuned", "stock")
]


def test_time_of_several_kernels_counts_once() -> None:
    kernels = [
        Kernel("other", "a", 0.0, 4.0),
        Kernel("product", "b", 1.0, 3.0),  # beside a, on another thread
        Kernel("product", "c", 2.0, 3.5),
        Kernel("data", "d", 3.0, 3.25),
        Kernel("other", "a", 6.0, 7.0),
    ]
    assert covered(kernels) == {"data": 0.25, "product": 2.25, "other": 2.5}
    batches = Batches(np.zeros((1, 2, 3), np.int32), np.zeros((1, 0), np.int32))
    profile = make_profile(kernels, batches, 10.0)
    assert (profile.steps, profile.step_seconds, profile.kernels) == (2, 5.0, 2.0)
    assert (profile.data, profile.products, profile.others) == (0.025, 0.225, 0.25)
    assert profile.between == pytest.approx(0.5)
    assert [(kernel.name, kernel.calls) for kernel in profile.longest] == [("a", 1.0), ("b", 0.5), ("c", 0.5)]
    assert time_spent(profile) == (
        "of a step of 5e+03 ms under the profiler, 22 % in matrix products and convolutions, 25 % in other kernels, "
        "2 % in preparing batches, 50 % between kernels; 2 kernels a step, the longest a 59 %, b 24 %, c 18 %"
    )


@pytest.mark.parametrize(("backend", "mode"), CASES)
def test_each_framework_tells(backend: str, mode: str) -> None:
    if not is_there(backend):
        pytest.skip(f"{backend} is not installed")
    cell = make_cell(task="mnist-mlp", backend=backend, mode=mode, examples=640, epochs=1)
    reply = LocalExecutor(2).ask(backend, ProfileRequest(cell=cell))
    assert reply.status == "ok", reply.message
    profile = reply.profile
    assert profile is not None
    assert profile.steps == 10
    shares = (profile.data, profile.products, profile.others, profile.between)
    assert sum(shares) == pytest.approx(1.0, abs=1e-6)
    assert profile.products > 0.02  # nine products a step, of 400,000 weights
    assert profile.others > 0
    assert 9 <= profile.kernels < 300
    if mode == "tuned":
        assert profile.data == 0
    assert profile.data > 0.05 or (backend, mode) != ("pytorch", "stock")
    assert sum(kernel.share for kernel in profile.longest) > 0.5
    assert not any("::Execute" in kernel.name or "inference" in kernel.name for kernel in profile.longest)
