"""Planted differences are named, alone and in pairs; where there is none, nothing is."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from backends.default import Default, with_all
from backends.numpy.noise import NoisyModel
from backends.registry import defaults
from compare.certify.judge import Reference
from compare.explain.diagnosis import Turn, candidates, diagnosis_lines, find_causes
from compare.records.effect import Diagnosis
from tasks.layers import (
    GELU,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Flatten,
    LayerNorm,
    LeakyReLU,
)
from tasks.training import SGD, Adadelta, Adam, AdamW, RMSprop
from tests.certify.evidence import CELL, Gathered, make_reference, numpy_evidence
from tests.samples import Sample, make_sample

NETWORK = (
    Conv2D(4, strides=(2, 2)),
    BatchNorm(0.8, 1e-2),
    LeakyReLU(0.1),
    AveragePool2D((3, 3), (2, 2), "same"),
    Flatten(),
    Dense(6),
    LayerNorm(1e-2),
    GELU(),
    Dense(3),
)
SAMPLES = {
    "layers": make_sample((8, 8, 2), NETWORK, optimizer=SGD(0.05, 0.9, weight_decay=0.1), count=27, batch_size=6),
    "adam": make_sample((5,), (Dense(7), LeakyReLU(0.1), Dense(3)), optimizer=Adam(0.01, epsilon=1e-3)),
    "adamw": make_sample((5,), (Dense(7), GELU(), Dense(3)), optimizer=AdamW(0.01, weight_decay=0.3, epsilon=1e-3)),
    "rmsprop": make_sample((5,), (Dense(7), GELU(), Dense(3)), optimizer=RMSprop(0.01, 0.8, 1e-3)),
    "adadelta": make_sample((5,), (Dense(7), GELU(), Dense(3)), optimizer=Adadelta(1.0, 0.8, 1e-3)),
}
PLANTED = [
    ("layers", "pytorch", "batch normalization"),
    ("layers", "keras", "batch normalization"),
    ("layers", "jax", "batch normalization"),
    ("layers", "pytorch", "layer normalization"),
    ("layers", "keras", "layer normalization"),
    ("layers", "pytorch", "padding with a stride"),
    ("layers", "pytorch", "average of the padding"),
    ("layers", "jax", "GELU"),
    ("layers", "pytorch", "slope of LeakyReLU"),
    ("layers", "keras", "slope of LeakyReLU"),
    ("layers", "pytorch", "weight decay"),
    ("layers", "keras", "weight decay"),
    ("layers", "pytorch", "softmax before the loss"),
    ("adam", "pytorch", "optimizer's epsilon"),
    ("adam", "keras", "optimizer's epsilon"),
    ("adamw", "keras", "weight decay"),
    ("rmsprop", "pytorch", "optimizer's decay rates"),
    ("rmsprop", "keras", "optimizer's epsilon"),
    ("adadelta", "keras", "optimizer's decay rates"),
]
PAIRS = [
    ("layers", ("pytorch", "padding with a stride"), ("keras", "layer normalization")),
    ("layers", ("jax", "GELU"), ("pytorch", "weight decay")),
    ("layers", ("keras", "batch normalization"), ("keras", "slope of LeakyReLU")),
    ("layers", ("pytorch", "average of the padding"), ("keras", "weight decay")),
    ("adam", ("keras", "optimizer's epsilon"), ("keras", "slope of LeakyReLU")),
    ("rmsprop", ("pytorch", "optimizer's decay rates"), ("jax", "GELU")),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("diagnosis")


def default_of(framework: str, name: str) -> Default:
    return next(default for default in defaults(framework) if default.name == name)


def changed(name: str, *turns: tuple[str, str]) -> Sample:
    """A sample with defaults in its recipe."""
    sample = SAMPLES[name]
    return replace(sample, recipe=with_all(sample.recipe, [default_of(*turn) for turn in turns]))


@cache
def reference_of(folder: Path, name: str, turns: tuple[tuple[str, str], ...]) -> Reference:
    return make_reference(changed(name, *turns), folder, brief=True)


def diagnosed(folder: Path, name: str, gathered: Gathered) -> Diagnosis:
    def compute(turns: "tuple[Turn, ...] | list[Turn]") -> Reference:
        return reference_of(folder, name, tuple((framework, default.name) for framework, default in turns))

    return find_causes(CELL, SAMPLES[name].recipe, gathered, compute)


def evidence_of(folder: Path, sample: Sample, rounding: float = 2e-7) -> Gathered:
    """What a right float32 backend of this recipe gives: with other roundings than the reference's copies have."""
    return numpy_evidence(NoisyModel, sample, folder, brief=True, rounding=rounding)


def same_recipe(name: str, framework: str, default: str, other: tuple[str, str]) -> bool:
    """Whether two frameworks' defaults are one change of the recipe: then either name is right."""
    recipe = SAMPLES[name].recipe
    return default_of(framework, default).change(recipe) == default_of(*other).change(recipe)


@pytest.mark.parametrize(("name", "framework", "default"), PLANTED)
def test_a_planted_default_is_named(name: str, framework: str, default: str, folder: Path) -> None:
    diagnosis = diagnosed(folder, name, evidence_of(folder, changed(name, (framework, default))))
    assert not diagnosis.granted
    (cause,) = diagnosis.causes
    assert same_recipe(name, framework, default, (cause.framework, cause.name)), (cause, diagnosis.failure)
    said = " ".join(diagnosis_lines(diagnosis))
    assert f"Explained by: {default}, as " in said
    assert "First to differ: " in said


@pytest.mark.parametrize(("name", "first", "second"), PAIRS)
def test_two_planted_defaults_are_both_named(
    name: str, first: tuple[str, str], second: tuple[str, str], folder: Path
) -> None:
    diagnosis = diagnosed(folder, name, evidence_of(folder, changed(name, first, second)))
    found = [(cause.framework, cause.name) for cause in diagnosis.causes]
    assert len(found) == 2, diagnosis
    for planted in (first, second):
        assert any(same_recipe(name, *planted, other) for other in found), (planted, found)


@pytest.mark.parametrize("name", SAMPLES)
def test_where_nothing_is_planted_nothing_is_named(name: str, folder: Path) -> None:
    for rounding in np.linspace(-3.9e-7, 3.9e-7, 10):  # fifty runs in all
        diagnosis = diagnosed(folder, name, evidence_of(folder, SAMPLES[name], float(rounding)))
        assert diagnosis.granted, (rounding, diagnosis.failure)
        assert not diagnosis.causes


def test_what_no_default_explains_is_said_so(folder: Path) -> None:
    sample = SAMPLES["adam"]
    other = replace(sample, recipe=replace(sample.recipe, optimizer=Adam(0.013, epsilon=1e-3)))
    diagnosis = diagnosed(folder, "adam", evidence_of(folder, other))
    assert not diagnosis.granted
    assert not diagnosis.causes
    assert diagnosis.tried >= len(candidates(sample.recipe))
    assert "that were tried explains it" in diagnosis_lines(diagnosis)[-1]


def test_weights_of_its_own_are_told_at_once(folder: Path) -> None:
    evidence, summary = evidence_of(folder, SAMPLES["adam"])
    own = summary.model_copy(update={"parameters_sha256": "0" * 64})
    diagnosis = diagnosed(folder, "adam", (evidence, own))
    assert diagnosis.tried == 0
    assert "does not hold the initial parameters that it was given" in " ".join(diagnosis_lines(diagnosis))
    assert np.isfinite(evidence["logits"]).all()
