"""The certificate of networks of every layer: granted to every framework, refused to every fault in a layer."""

from dataclasses import replace
from pathlib import Path

import pytest

from backends.numpy.model import NumpyModel
from compare.certify.judge import Reference
from tasks.layers import Conv2D, Dense, Flatten, LeakyReLU
from tests.certify.evidence import judge, judge_twice, make_reference, numpy_evidence, remote_evidence
from tests.planted_layers import FAULTS, GRAPH, KINK, SEQUENCE
from tests.remote import RemoteBackend
from tests.samples import SAMPLES, Sample, make_sample


def kink() -> Sample:
    """Half of each image empty and biases of 0, as in MNIST: LeakyReLU gets zeros."""
    layers = (Conv2D(4, (2, 2)), LeakyReLU(0.1), Flatten(), Dense(3))
    sample = make_sample((6, 5, 1), layers, initializer="keras")
    inputs = sample.dataset.train_inputs.copy()
    inputs[:, :3] = 0
    return replace(sample, dataset=replace(sample.dataset, train_inputs=inputs))


LAYER_SAMPLES = SAMPLES | {KINK: kink()}


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reference]:
    folder = tmp_path_factory.mktemp("references")
    names = {SEQUENCE, GRAPH, KINK, *(sample for sample, _, _ in FAULTS.values())}
    return {name: make_reference(LAYER_SAMPLES[name], folder) for name in names}


@pytest.mark.parametrize("name", [SEQUENCE, GRAPH, KINK])
def test_granted_to_every_framework(
    name: str, every_remote: dict[str, RemoteBackend], references: dict[str, Reference], tmp_path: Path
) -> None:
    sample = LAYER_SAMPLES[name]
    assert judge(numpy_evidence(NumpyModel, sample, tmp_path), references[name]).granted
    for remote in every_remote.values():
        for mode in ("tuned", "stock"):
            # The compiled steps are held against the reference in the contract; compiling takes a minute.
            preparations = ["without_compiler"] if remote.name == "pytorch" else []
            evidence = remote_evidence(remote, sample, tmp_path, *preparations, mode=mode)
            certificate = judge_twice(evidence, references[name], sample, tmp_path)
            assert certificate.failure == "", (remote.name, mode)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_layer_is_named(fault: str, references: dict[str, Reference], tmp_path: Path) -> None:
    name, model, quantity = FAULTS[fault]
    certificate = judge(numpy_evidence(model, LAYER_SAMPLES[name], tmp_path), references[name])
    assert not certificate.granted
    assert certificate.failure == quantity
