"""The certificate of networks with state: granted to every framework, refused to every fault in what a layer keeps."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.numpy import stateful
from backends.numpy.layers import LAYERS
from backends.numpy.model import NumpyModel
from compare.certify.judge import Reference
from tasks.layers import BatchNorm, Dropout
from tests.certify.evidence import judge, judge_twice, make_reference, numpy_evidence, remote_evidence
from tests.remote import RemoteBackend
from tests.samples import SAMPLES

STATE_SAMPLES = ("normalized", "dropped", "state-in-branches")


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reference]:
    folder = tmp_path_factory.mktemp("references")
    return {name: make_reference(SAMPLES[name], folder) for name in STATE_SAMPLES}


@pytest.mark.parametrize("name", STATE_SAMPLES)
def test_granted_to_every_framework(
    name: str, every_remote: dict[str, RemoteBackend], references: dict[str, Reference], tmp_path: Path
) -> None:
    sample = SAMPLES[name]
    assert judge(numpy_evidence(NumpyModel, sample, tmp_path), references[name]).outcome == "granted"
    for remote in every_remote.values():
        for mode in ("tuned", "stock"):
            preparations = ["without_compiler"] if remote.name == "pytorch" else []
            evidence = remote_evidence(remote, sample, tmp_path, *preparations, mode=mode)
            certificate = judge_twice(evidence, references[name], sample, tmp_path)
            assert certificate.failure == "", (remote.name, mode)


Pass = Callable[..., Any]


def otherwise(table: Mapping[type, Any], kind: type, change: Callable[[Any], Any]) -> Pass:
    """A function of a table that treats its layer as another."""
    function: Pass = table[kind]
    return lambda layer, *rest: function(change(layer), *rest)


def _frozen_in_training(layer: BatchNorm, x: Any, p: Any) -> Any:
    """By the running statistics, as a model that was left in inference."""
    factor = 1 / np.sqrt(p["variance"] + layer.epsilon)
    normal, axes = (x - p["mean"]) * factor, tuple(range(x.ndim - 1))
    return normal * p["scale"] + p["bias"], (normal, factor, p["scale"], x.mean(axes), x.var(axes))


def _not_rescaled(layer: Dropout, x: Any, p: Any) -> Any:
    y, factors = stateful.dropout_forward(layer, x, p)
    return y * (1 - layer.rate), factors * (1 - layer.rate)


def _always_the_first_rows(layer: Dropout, x: Any, p: Any) -> Any:
    return stateful.dropout_forward(layer, x, p | {"next_row": np.zeros(())})


LAYER, INFERENCE, STATE = "LAYERS", "INFERENCE", "STATE"
TABLES: dict[str, dict[type, Any]] = {LAYER: LAYERS, INFERENCE: stateful.INFERENCE, STATE: stateful.STATE}
FAULTS: dict[str, tuple[str, str, type, Any, str]] = {
    # what is wrong: sample, table, layer, the wrong function, the first quantity that must be named
    "inverted momentum": (
        "state-in-branches", STATE, BatchNorm,
        otherwise(stateful.STATE, BatchNorm, lambda layer: replace(layer, momentum=1 - layer.momentum)),
        "norm/mean after 1 steps",
    ),
    "unbiased for biased, and the other way round": (
        "state-in-branches", STATE, BatchNorm,
        otherwise(stateful.STATE, BatchNorm, lambda layer: replace(layer, unbiased=not layer.unbiased)),
        "norm/variance after 1 steps",
    ),
    "running statistics that stay": (
        "normalized", STATE, BatchNorm, lambda layer, kept, p: {"mean": p["mean"], "variance": p["variance"]},
        "1_batch_norm/mean after 1 steps",
    ),
    "Keras's epsilon in inference": (
        "state-in-branches", INFERENCE, BatchNorm,
        otherwise(stateful.INFERENCE, BatchNorm, lambda layer: replace(layer, epsilon=1e-3)),
        "output of layer norm",
    ),
    "the batch's statistics in inference": (
        "normalized", INFERENCE, BatchNorm, lambda layer, x, p: stateful.batch_norm_forward(layer, x, p)[0],
        "output of layer 1_batch_norm"
    ),
    "dropout in inference": (
        "dropped", INFERENCE, Dropout, lambda layer, x, p: stateful.dropout_forward(layer, x, p)[0],
        "output of layer 1_dropout"
    ),
    "the running variance left out in inference": (
        "normalized", INFERENCE, BatchNorm,
        lambda layer, x, p: stateful.batch_norm_inference(layer, x, p | {"variance": np.ones_like(p["variance"])}),
        "output of layer 1_batch_norm at step 100",
    ),
    "Keras's epsilon in training": (
        "normalized", LAYER, BatchNorm,
        (
            otherwise({BatchNorm: LAYERS[BatchNorm][0]}, BatchNorm, lambda layer: replace(layer, epsilon=1e-3)),
            LAYERS[BatchNorm][1],
        ),
        "loss",
    ),
    "running statistics in training": (
        "state-in-branches", LAYER, BatchNorm, (_frozen_in_training, LAYERS[BatchNorm][1]), "loss"
    ),
    "what is kept is not rescaled": ("dropped", LAYER, Dropout, (_not_rescaled, LAYERS[Dropout][1]), "loss"),
    "the rate is the share that is kept": (
        "dropped", LAYER, Dropout,
        (
            otherwise({Dropout: LAYERS[Dropout][0]}, Dropout, lambda layer: Dropout(1 - layer.rate)),
            LAYERS[Dropout][1],
        ),
        "loss",
    ),
    "the same masks for every batch": (
        "dropped", LAYER, Dropout, (_always_the_first_rows, LAYERS[Dropout][1]), "mean losses up to step 10"
    ),
    "masks that do not move on": (
        "dropped", STATE, Dropout, lambda layer, kept, p: {"seed": p["seed"], "next_row": p["next_row"]},
        "1_dropout/next_row after 1 steps",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_and_named(
    fault: str, references: dict[str, Reference], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, table, kind, wrong, quantity = FAULTS[fault]
    monkeypatch.setitem(TABLES[table], kind, wrong)
    certificate = judge(numpy_evidence(NumpyModel, SAMPLES[name], tmp_path), references[name])
    assert not certificate.granted
    assert certificate.failure == quantity
