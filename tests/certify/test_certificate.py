"""The certificate: granted to every backend, refused to every planted fault, with the quantity named."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.numpy.model import NumpyModel
from compare.certify.distance import FACTOR, FLOOR
from compare.certify.judge import Reference, compare_pairs
from compare.records.certificate import Certificate
from tasks.architecture import Parameters
from tasks.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Tanh
from tasks.training import SGD, Adam
from tests.certify.evidence import judge, make_reference, numpy_evidence, remote_evidence
from tests.planted import FAULTS
from tests.remote import RemoteBackend
from tests.samples import Sample, make_sample


@pytest.fixture(scope="module")
def samples() -> dict[str, Sample]:
    convolution = make_sample(
        (8, 6, 2), (Conv2D(5), ReLU(), MaxPool2D(), Flatten(), Dense(6), ReLU(), Dense(3)), count=90, batch_size=4,
        optimizer=SGD(0.05, 0.9),
    )  # fmt: skip
    adam = make_sample(
        (6,), (Dense(8), Tanh(), Flatten(), Dense(8), ReLU(), Dense(3)), optimizer=Adam(0.001), count=90, batch_size=4
    )
    # Some inputs that hardly matter, as an image's dark corners: their gradients are small, which epsilon is about.
    dim = adam.dataset.train_inputs * np.array([1, 1, 1, 1, 1e-4, 1e-5], np.float32)
    return {"convolution": convolution, "adam": replace(adam, dataset=replace(adam.dataset, train_inputs=dim))}


@pytest.fixture(scope="module")
def references(samples: dict[str, Sample], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reference]:
    folder = tmp_path_factory.mktemp("references")
    return {name: make_reference(sample, folder) for name, sample in samples.items()}


@pytest.mark.parametrize("name", ["convolution", "adam"])
def test_granted_to_the_reference_itself(
    name: str, samples: dict[str, Sample], references: dict[str, Reference], tmp_path: Path
) -> None:
    certificate = judge(numpy_evidence(NumpyModel, samples[name], tmp_path), references[name])
    assert certificate.granted
    assert certificate.failure == ""
    assert all(distance.passed for distance in certificate.distances)
    assert len(certificate.distances) == len(references[name].noise)


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_named(
    fault: str, samples: dict[str, Sample], references: dict[str, Reference], tmp_path: Path
) -> None:
    sample, model, quantity = FAULTS[fault]
    certificate = judge(numpy_evidence(model, samples[sample], tmp_path), references[sample])
    assert not certificate.granted
    assert certificate.failure == quantity


@pytest.mark.parametrize("mode", ["tuned", "stock"])
@pytest.mark.parametrize("name", ["convolution", "adam"])
def test_granted_to_every_framework(
    name: str,
    mode: str,
    every_remote: dict[str, RemoteBackend],
    samples: dict[str, Sample],
    references: dict[str, Reference],
    tmp_path: Path,
) -> None:
    for remote in every_remote.values():
        certificate = judge(remote_evidence(remote, samples[name], tmp_path, mode=mode), references[name])
        assert certificate.failure == "", remote.name


def test_the_real_keras_adam_is_refused(
    every_remote: dict[str, RemoteBackend],
    samples: dict[str, Sample],
    references: dict[str, Reference],
    tmp_path: Path,
) -> None:
    if "keras" not in every_remote:
        pytest.skip("keras is not installed")
    evidence = remote_evidence(every_remote["keras"], samples["adam"], tmp_path, "use_keras_adam", mode="stock")
    assert judge(evidence, references["adam"]).failure == "0_dense/kernel after 1 steps"


def test_not_finite_is_refused(samples: dict[str, Sample], references: dict[str, Reference], tmp_path: Path) -> None:
    evidence, summary = numpy_evidence(NumpyModel, samples["adam"], tmp_path)
    certificate = judge((evidence | {"loss": np.array([np.nan])}, summary), references["adam"])
    assert certificate.failure == "loss"
    Certificate.model_validate_json(certificate.model_dump_json())


def test_a_missing_quantity_is_refused(
    samples: dict[str, Sample], references: dict[str, Reference], tmp_path: Path
) -> None:
    evidence, summary = numpy_evidence(NumpyModel, samples["adam"], tmp_path)
    less = {name: array for name, array in evidence.items() if name != "logits"}
    assert judge((less, summary), references["adam"]).failure == "logits: missing"
    fewer_losses = {name: array for name, array in evidence.items() if not name.startswith("losses")}
    assert judge((fewer_losses, summary), references["adam"]).granted


def test_pairs_name_the_worst_quantity() -> None:
    first = {"logits": np.ones(4), "loss": np.array([1.0])}
    second = {"logits": np.ones(4) * 1.5, "loss": np.array([1.1])}
    (pair,) = compare_pairs({"a": first, "b": second}, "t", "standard")
    assert (pair.first, pair.second, pair.quantity, pair.relative) == ("a", "b", "logits", 0.5)


class LossByDifference(NumpyModel):
    """Cross-entropy as logsumexp(z) - z[y], in float32: right, but rounded as z is, however small the loss."""

    def loss_and_gradients(self, inputs: Any, labels: Any) -> tuple[float, Parameters]:
        _, gradients = super().loss_and_gradients(inputs, labels)
        z = self.logits(inputs)
        high = z.max(axis=1)
        sums = high + np.log(np.exp(z - high[:, None]).sum(axis=1))
        return float((sums - z[np.arange(len(z)), labels]).mean()), gradients


def test_a_loss_near_zero_is_measured_by_the_size_of_the_outputs(tmp_path: Path) -> None:
    sample = make_sample((4,), (Dense(3),), optimizer=SGD(0.01), count=1, batch_size=1, seed=0)
    sample = replace(sample, dataset=replace(sample.dataset, train_inputs=8 * sample.dataset.train_inputs))
    certificate = judge(numpy_evidence(LossByDifference, sample, tmp_path), make_reference(sample, tmp_path))
    assert certificate.failure == ""
    (losses,) = [distance for distance in certificate.distances if distance.quantity == "losses up to step 100"]
    assert losses.relative > FACTOR * losses.reference_relative + FLOOR  # what would be allowed by the loss's own size
