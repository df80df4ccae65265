"""Several devices train one model as one does: certified against the reference, and faults of theirs refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import backends
from tasks.layers import BatchNorm
from tests.certify.evidence import judge, make_reference, remote_evidence
from tests.conftest import start
from tests.remote import RemoteBackend, RemoteError, task_of
from tests.samples import SAMPLES

TRAINED = ("convolution", "sigmoid-squares", "dropped", "nesterov-warm-up", "squares-adadelta-exponential")
"""Between them the last, smaller batch of two examples (fewer than four devices), a sum as the loss, masks of dropout,
clipping by the norm of all gradients, a schedule and weight decay."""
FAULTS = ("summed", "last_share_dropped")


@pytest.fixture(scope="module", params=backends.framework_backends())
def divided(request: pytest.FixtureRequest) -> Iterator[RemoteBackend]:
    """Each framework in turn, on a CPU that it sees as four devices."""
    for remote in start(request.param):
        remote.call("backend.divide_cpu", 4)
        yield remote


CASES = [("cpu:0-1", "convolution")] + [("cpu:0-3", name) for name in TRAINED[1:]]


@pytest.mark.parametrize(("device", "name"), CASES)
def test_the_model_is_certified(divided: RemoteBackend, device: str, name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    gathered = remote_evidence(divided, sample, tmp_path, brief=True, device=device)
    certificate = judge(gathered, make_reference(sample, tmp_path, brief=True))
    assert certificate.granted, certificate.failure
    assert divided.call("parameter_devices") == {f"cpu:{index}" for index in range(int(device[-1]) + 1)}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused(divided: RemoteBackend, fault: str, tmp_path: Path) -> None:
    sample = SAMPLES["dense"]
    reference = make_reference(sample, tmp_path, brief=True)
    planted = "tests.planted_parallel", fault
    gathered = remote_evidence(divided, sample, tmp_path, planted, brief=True, device="cpu:0-1")
    certificate = judge(gathered, reference)
    assert not certificate.granted


def test_batch_normalization_is_that_of_the_whole_batch_or_refused(divided: RemoteBackend, tmp_path: Path) -> None:
    sample = SAMPLES["normalized"]
    assert any(isinstance(layer, BatchNorm) for layer in sample.recipe.architecture.layers)
    if divided.name == "jax":
        gathered = remote_evidence(divided, sample, tmp_path, brief=True, device="cpu:0-1")
        assert judge(gathered, make_reference(sample, tmp_path, brief=True)).granted
        return
    with pytest.raises(RemoteError, match="train a network with batch normalization on one device") as raised:
        remote_evidence(divided, sample, tmp_path, brief=True, device="cpu:0-1")
    assert raised.value.kind == "DeviceUnavailableError"


def test_there_is_no_stock_loop_for_several(divided: RemoteBackend) -> None:
    task = task_of(SAMPLES["dense"].recipe)
    with pytest.raises(RemoteError, match="unknown mode"):
        divided.build(task, task.parameters(0), device="cpu:0-1", mode="stock")


def test_a_process_that_fails_says_why(divided: RemoteBackend) -> None:
    if divided.name != "pytorch":
        pytest.skip("the others have one process")
    sample = SAMPLES["dense"]
    task = task_of(sample.recipe)
    divided.build(task, task.parameters(0), device="cpu:0-1")
    divided.place(sample.dataset)
    divided.call("apply", "tests.planted_parallel", "fails_elsewhere")
    with pytest.raises(RemoteError, match="on cpu:1: ValueError: out of memory, say"):
        divided.train(sample.batches)
    divided.build(task, task.parameters(0), device="cpu:0-1")  # the next model has processes of its own
    divided.place(sample.dataset)
    assert divided.train(sample.batches).shape == (sample.batches.epochs, sample.batches.steps)
