"""Random architectures: every framework computes them as the reference does, by the certificate's measure."""

from pathlib import Path

import hypothesis
import pytest

from tasks.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Softmax, Tanh
from tasks.training import SGD, Adam
from tests.backends.drawn import drawn_samples
from tests.certify.evidence import judge, make_reference, remote_evidence
from tests.remote import RemoteBackend, RemoteError
from tests.samples import Sample, make_sample

REFUSED_ONCE = {
    # A gradient of exactly 0, half of the labels being 0 and half 1: Adam makes a step of what rounding leaves of it.
    "labels in balance": make_sample(
        (7, 6, 2),
        (
            Conv2D(6, (2, 1), (2, 2), "valid"), Tanh(), Conv2D(1, (3, 3), (1, 2), "valid"), ReLU(), Flatten(),
            Dense(2), Softmax(),
        ),
        loss="negative_log_likelihood", optimizer=Adam(0.001), count=57, batch_size=8, seed=58,
    ),
    # XLA computed what is pooled twice, with other roundings: a value was not equal to its maximum.
    "maximum computed twice": make_sample(
        (9, 7, 3),
        (Conv2D(5, (2, 1), (1, 2)), Tanh(), Conv2D(4, (3, 2), (2, 2)), ReLU(), MaxPool2D((1, 2)), Flatten(), Dense(1)),
        loss="sum_of_squared_errors", optimizer=SGD(0.01, 0.9), count=40, batch_size=3, seed=134,
    ),
}  # fmt: skip
"""Random architectures that were refused once."""


@pytest.mark.parametrize("name", REFUSED_ONCE)
def test_refused_once(name: str, every_remote: dict[str, RemoteBackend], tmp_path: Path) -> None:
    check_random(REFUSED_ONCE[name], every_remote, tmp_path)


@pytest.mark.parametrize("seed", [77, 87])
def test_terms_that_cancel(seed: int, every_remote: dict[str, RemoteBackend], tmp_path: Path) -> None:
    """With the ReLU dead, a bias's gradient is the difference of two equal terms: its own size says nothing."""
    layers = (Dense(1), ReLU(), Dense(2), Softmax())
    sample = make_sample(
        (1,), layers, loss="negative_log_likelihood", optimizer=SGD(0.01), count=20, batch_size=2, seed=seed
    )
    check_random(sample, every_remote, tmp_path)


def check_random(sample: Sample, every_remote: dict[str, RemoteBackend], folder: Path) -> None:
    reference = make_reference(sample, folder)
    for remote in every_remote.values():
        preparations = ["without_compiler"] if remote.name == "pytorch" else []
        try:
            certificate = judge(remote_evidence(remote, sample, folder, *preparations), reference)
        except RemoteError as error:
            raise AssertionError(f"{remote.name}: {error}") from error
        worst = [distance for distance in certificate.distances if not distance.passed]
        assert certificate.outcome != "refused", (remote.name, certificate.failure, worst[:1])


SETTINGS = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "phases": [hypothesis.Phase.explicit, hypothesis.Phase.generate],  # to shrink a failing network takes minutes
    "suppress_health_check": list(hypothesis.HealthCheck),
}


@hypothesis.settings(max_examples=8, **SETTINGS)  # type: ignore[arg-type]
@hypothesis.given(sample=drawn_samples())
def test_random_architectures(
    sample: Sample, every_remote: dict[str, RemoteBackend], tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_random(sample, every_remote, tmp_path_factory.mktemp("random"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(15))
def test_many_random_architectures(
    seed: int, fresh_remotes: dict[str, RemoteBackend], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """300 of them, in processes that are renewed: after some 120 XLA could allocate no more memory for its code."""

    @hypothesis.seed(seed)
    @hypothesis.settings(max_examples=20, **{**SETTINGS, "derandomize": False})  # type: ignore[arg-type]
    @hypothesis.given(sample=drawn_samples())
    def check(sample: Sample) -> None:
        check_random(sample, fresh_remotes, tmp_path_factory.mktemp("random"))

    check()
