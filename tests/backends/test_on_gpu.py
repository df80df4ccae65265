"""Each framework on a GPU, certified in both loops and in every formulation; skipped where there is none."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import backends
from tasks.arithmetic import Arithmetic
from tests.certify.evidence import CELL, judge_twice, make_reference, remote_evidence
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


@pytest.mark.parametrize("arithmetic", ["tf32", "bfloat16"])
def test_fewer_digits_are_certified_and_fewer(on_gpu: RemoteBackend, arithmetic: Arithmetic, tmp_path: Path) -> None:
    for name in ("more-layers", "dense-adam", "normalized"):
        sample = SAMPLES[name]
        fewer = replace(sample, recipe=replace(sample.recipe, arithmetic=arithmetic))
        remote = RemoteBackend(on_gpu.name, gpu=True)  # NVIDIA's libraries read once whether they may use TF32
        try:
            gathered = remote_evidence(remote, fewer, tmp_path, device="gpu:0")
        finally:
            remote.close()
        cell = CELL.model_copy(update={"recipe": f"standard-{arithmetic}"})
        certificate = judge_twice(gathered, make_reference(fewer, tmp_path), fewer, tmp_path, cell=cell)
        assert certificate.granted, certificate.failure
        exact, _ = remote_evidence(on_gpu, sample, tmp_path, device="gpu:0")
        apart = np.abs(gathered[0]["logits"] - exact["logits"]).max() / np.abs(exact["logits"]).max()
        assert apart > 1e-5


def test_its_peak_of_memory_is_the_devices_own(on_gpu: RemoteBackend) -> None:
    sample = SAMPLES["convolution"]
    task = task_of(sample.recipe)
    on_gpu.build(task, task.parameters(0), device="gpu:0")
    assert on_gpu.call("backend.peak_bytes", "gpu:0") > 0
