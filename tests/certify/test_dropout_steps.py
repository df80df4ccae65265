"""A hundred steps with dropout by given masks agree with the reference as a hundred without dropout do."""

from pathlib import Path

import numpy as np
import pytest

from compare.certify.judge import Reference
from compare.records.certificate import Certificate
from compare.records.quantity import Quantity
from tasks.layers import Dense, Dropout, Layer, Tanh
from tasks.training import SGD
from tests.certify.evidence import judge_twice, make_reference, remote_evidence
from tests.remote import RemoteBackend
from tests.samples import Sample, make_sample

ROUNDING = float(np.finfo(np.float32).eps)
FURTHER = 4
"""How many times as far from float64 training with dropout may end as training without. Seen: 4.4 to 8.1 float32
roundings without, 2.9 to 4.2 with."""


def sample(*dropout: Layer) -> Sample:
    layers = (Dense(16), Tanh(), *dropout, Dense(3))
    return make_sample((5,), layers, optimizer=SGD(0.05, 0.9), count=22, batch_size=4)


SAMPLES = {"without": sample(), "with": sample(Dropout(0.3))}


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reference]:
    return {name: make_reference(sample, tmp_path_factory.mktemp(name)) for name, sample in SAMPLES.items()}


def furthest(certificate: Certificate) -> float:
    """The largest relative distance of a parameter from float64 after 100 steps."""
    last = [d for d in certificate.distances if (q := Quantity.of(d.quantity)).kind == "parameter" and q.step == 100]
    return max(distance.relative for distance in last)


def test_dropout_trains_another_network(references: dict[str, Reference]) -> None:
    name = Quantity(kind="parameter", name="0_dense/kernel", step=100).text
    without, dropped = (references[which].evidence[name] for which in SAMPLES)
    assert np.linalg.norm(dropped - without) > 0.1 * np.linalg.norm(without)


@pytest.mark.parametrize("mode", ["tuned", "stock"])
def test_a_hundred_steps_agree_as_without_dropout(
    mode: str, every_remote: dict[str, RemoteBackend], references: dict[str, Reference], tmp_path: Path
) -> None:
    for remote in every_remote.values():
        preparations = ["without_compiler"] if remote.name == "pytorch" else []
        apart = {}
        for name, sample in SAMPLES.items():
            evidence = remote_evidence(remote, sample, tmp_path, *preparations, mode=mode)
            certificate = judge_twice(evidence, references[name], sample, tmp_path)
            assert (certificate.outcome, certificate.failure) == ("granted", ""), (remote.name, name)
            apart[name] = furthest(certificate)
        assert apart["with"] <= FURTHER * max(apart["without"], ROUNDING), (remote.name, apart)
