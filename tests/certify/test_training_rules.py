"""Certificates of each optimizer with schedule, clipping, decay and smoothing: granted, and refused to each fault."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compare.certify.judge import Reference
from tasks.layers import Dense, ReLU, Tanh
from tasks.schedules import Cosine, Exponential, StepDecay, Warmup
from tasks.training import SGD, Adadelta, AdamW, RMSprop
from tests.certify.evidence import judge, judge_twice, make_reference, numpy_evidence, remote_evidence
from tests.planted_training import FAULTS
from tests.remote import RemoteBackend
from tests.samples import Sample, make_sample

NAMES = ["sgd", "adamw", "rmsprop", "adadelta"]


@pytest.fixture(scope="module")
def samples() -> dict[str, Sample]:
    """23 steps an epoch: all 46 steps of each schedule lie within the certificate's hundred."""
    size = {"count": 90, "batch_size": 4}
    several, one = (Dense(8), ReLU(), Dense(3)), (Dense(8), Tanh(), Dense(1))
    made = {
        "sgd": make_sample(
            (6,),
            several,
            optimizer=SGD(0.05, 0.9, nesterov=True, weight_decay=0.05),
            schedule=Warmup(0.2, Cosine(0.1)),
            clip_norm=0.4,
            label_smoothing=0.1,
            **size,
        ),
        "adamw": make_sample((6,), several, optimizer=AdamW(0.001, weight_decay=0.1), schedule=StepDecay(0.5), **size),
        "rmsprop": make_sample(
            (6,),
            one,
            loss="binary_cross_entropy",
            optimizer=RMSprop(0.001, momentum=0.5, weight_decay=0.01),
            schedule=Exponential(0.5),
            **size,
        ),
        "adadelta": make_sample(
            (6,),
            one,
            loss="mean_squared_error",
            optimizer=Adadelta(1.0, weight_decay=0.01),
            schedule=StepDecay(0.7),
            **size,
        ),
    }
    # Some inputs that hardly matter, as an image's dark corners: their gradients are small, which epsilon is about.
    dim = np.array([1, 1, 1, 1, 1e-4, 1e-5], np.float32)
    return {
        name: replace(sample, dataset=replace(sample.dataset, train_inputs=dim * sample.dataset.train_inputs))
        for name, sample in made.items()
    }


@pytest.fixture(scope="module")
def references(samples: dict[str, Sample], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reference]:
    folder = tmp_path_factory.mktemp("references")
    return {name: make_reference(sample, folder) for name, sample in samples.items()}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_named(
    fault: str, samples: dict[str, Sample], references: dict[str, Reference], tmp_path: Path
) -> None:
    sample, model, quantity = FAULTS[fault]
    certificate = judge(numpy_evidence(model, samples[sample], tmp_path), references[sample])
    assert not certificate.granted
    assert certificate.failure == quantity


@pytest.mark.parametrize("mode", ["tuned", "stock"])
@pytest.mark.parametrize("name", ["sgd", *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])])
def test_granted_to_every_framework(
    name: str,
    mode: str,
    every_remote: dict[str, RemoteBackend],
    samples: dict[str, Sample],
    references: dict[str, Reference],
    tmp_path: Path,
) -> None:
    for remote in every_remote.values():
        evidence = remote_evidence(remote, samples[name], tmp_path, mode=mode)
        certificate = judge_twice(evidence, references[name], samples[name], tmp_path)
        assert certificate.failure == "", remote.name
