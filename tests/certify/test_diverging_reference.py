"""A training that diverges in the reference itself decides nothing; what differs before that is refused."""

import numpy as np
import pytest

from backends.numpy.model import NumpyModel
from compare.certify.distance import layer_size, size_of
from compare.certify.judge import Reference
from compare.records.certificate import Certificate
from tasks.layers import Dense, ReLU
from tasks.training import SGD
from tests.certify.evidence import Gathered, judge, make_reference, numpy_evidence
from tests.samples import make_sample


@pytest.fixture(scope="module")
def diverging(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gathered, Reference]:
    """A right run and its reference, whose float32 is no longer finite after some steps, nor then its float64."""
    sample = make_sample(
        (6,), (Dense(8), ReLU(), Dense(3)), loss="sum_of_squared_errors", optimizer=SGD(100.0), count=90
    )
    folder = tmp_path_factory.mktemp("diverging")
    return numpy_evidence(NumpyModel, sample, folder), make_reference(sample, folder)


def test_where_the_reference_diverges_the_certificate_is_undecidable(diverging: tuple[Gathered, Reference]) -> None:
    gathered, reference = diverging
    assert not all(np.isfinite(array).all() for array in reference.evidence.values())
    certificate = judge(gathered, reference)
    assert certificate.outcome == "undecidable"
    assert certificate.failure == "mean losses up to step 10: the reference itself diverges"
    assert Certificate.model_validate_json(certificate.model_dump_json()) == certificate


def test_what_differs_before_the_reference_diverges_is_refused(diverging: tuple[Gathered, Reference]) -> None:
    (evidence, summary), reference = diverging
    certificate = judge((evidence | {"logits": 2 * evidence["logits"]}, summary), reference)
    assert (certificate.outcome, certificate.failure) == ("refused", "logits")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, 1e30])
@pytest.mark.parametrize("name", ["logits", "gradient of 0_dense/kernel", "2_dense/bias after 1 steps"])
def test_a_number_of_the_reference_that_is_not_finite_is_never_an_error(
    name: str, value: float, diverging: tuple[Gathered, Reference]
) -> None:
    gathered, reference = diverging
    spoilt = reference.evidence[name].copy()
    spoilt.flat[0] = value
    certificate = judge(gathered, reference._replace(evidence={**reference.evidence, name: spoilt}))
    assert certificate.outcome == ("refused" if value == 1e30 else "undecidable")
    assert certificate.failure == (name if value == 1e30 else f"{name}: the reference itself diverges")


def test_a_float32_that_overflows_where_float64_does_not_is_undecidable(diverging: tuple[Gathered, Reference]) -> None:
    gathered, reference = diverging
    certificate = judge(gathered, reference._replace(noise={**reference.noise, "loss": (np.inf, np.inf)}))
    assert (certificate.outcome, certificate.failure) == ("undecidable", "loss: the reference itself diverges")


def test_the_size_of_a_layer_is_that_of_its_trained_parameters() -> None:
    parameters = {"a/kernel": np.array([3.0]), "a/bias": np.array([4.0]), "a/mean": np.ones(9), "ab/bias": np.ones(9)}
    sizes = [layer_size(parameters, key) for key in ("a/kernel", "a/bias", "a/mean", "ab/bias")]
    assert sizes == [5.0, 5.0, 0.0, 3.0]


def test_a_running_mean_is_as_large_as_the_deviation_and_a_variance_twice_its_size() -> None:
    parameters = {
        "a/mean": np.array([1e-9, -3.0]),
        "a/variance": np.array([4.0, 4.0]),
        "b/mean": np.array([1.0]),
        "b/bias": np.ones(1),
    }
    assert size_of(parameters, "a/mean").tolist() == [2.0, 3.0]
    assert size_of(parameters, "a/variance").tolist() == [8.0, 8.0]
    assert size_of(parameters, "b/mean").tolist() == [1.0]
