"""Each framework on a GPU, certified in both loops and in every formulation; skipped where there is none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import backends
from tests.certify.evidence import judge_twice, make_reference, remote_evidence
from tests.conftest import is_there
from tests.remote import RemoteBackend, task_of
from tests.samples import SAMPLES

NAMES = ("dense-adam", "convolution", "normalized", "dropped", "state-in-branches", "sequences", "nesterov-warm-up")


@pytest.fixture(scope="module", params=backends.framework_backends())
def on_gpu(request: pytest.FixtureRequest) -> Iterator[RemoteBackend]:
    if not is_there(request.param):
        pytest.skip(f"{request.param} is not installed")
    remote = RemoteBackend(request.param, gpu=True)
    if "gpu:0" not in remote.call("backend.devices"):
        remote.close()
        pytest.skip(f"{request.param} sees no GPU here")
    yield remote
    remote.close()


@pytest.mark.parametrize("mode", ["tuned", "stock"])
@pytest.mark.parametrize("name", NAMES)
def test_both_loops_are_certified(on_gpu: RemoteBackend, name: str, mode: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    reference = make_reference(sample, tmp_path)
    known = on_gpu.call("backend.formulations", task_of(sample.recipe), "gpu:0", mode)
    for formulation in known or (None,):
        gathered = remote_evidence(on_gpu, sample, tmp_path, mode=mode, device="gpu:0", formulation=formulation)
        certificate = judge_twice(gathered, reference, sample, tmp_path)
        assert certificate.granted, (formulation, certificate.failure)
        assert on_gpu.call("parameter_devices") == {"gpu:0"}


def test_its_peak_of_memory_is_the_devices_own(on_gpu: RemoteBackend) -> None:
    sample = SAMPLES["convolution"]
    task = task_of(sample.recipe)
    on_gpu.build(task, task.parameters(0), device="gpu:0")
    assert on_gpu.call("backend.peak_bytes", "gpu:0") > 0
