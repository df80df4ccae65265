"""Arithmetic of fewer digits: what it rounds, that each framework computes in it, and what its certificate refuses."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import backends
from backends.numpy.lower import Rounding
from tasks import load_task
from tasks.arithmetic import ARITHMETICS, Arithmetic, split_recipe, with_arithmetic
from tasks.errors import UnknownNameError
from tasks.layers import Sigmoid, Tanh
from tasks.training import Adam
from tests.certify.evidence import CELL, judge, judge_twice, make_reference, remote_evidence
from tests.remote import RemoteBackend, RemoteError, task_of
from tests.samples import SAMPLES, Sample


@pytest.fixture(params=backends.framework_backends())
def framework(request: pytest.FixtureRequest, every_remote: dict[str, RemoteBackend]) -> RemoteBackend:
    if request.param not in every_remote:
        pytest.skip(f"{request.param} is not installed")
    return every_remote[request.param]


LOWER = CELL.model_copy(update={"recipe": "standard-bfloat16"})
ORDINARY = {("dense-adam", "tuned"), ("normalized", "stock")}
TRAINED = [
    pytest.param(name, mode, marks=[] if (name, mode) in ORDINARY else [pytest.mark.slow])
    for name in ("dense-adam", "convolution", "normalized", "dropped", "sequences", "more-branches-adam")
    for mode in ("tuned", "stock")
]


def in_bfloat16(name: str) -> Sample:
    sample = SAMPLES[name]
    return replace(sample, recipe=replace(sample.recipe, arithmetic="bfloat16"))


def is_bfloat16(array: Any) -> bool:
    return bool((array.astype(ml_dtypes.bfloat16).astype(np.float32) == array).all())


def test_numbers_are_rounded_as_bfloat16_is() -> None:
    drawn = np.random.default_rng(0).standard_normal(100_000, np.float32)
    numbers = np.concatenate([drawn, drawn * 1e30, drawn * 1e-30, [0, 1.00390625, 1.01171875, np.inf, -np.inf, np.nan]])
    numbers = numbers.astype(np.float32)
    expected = numbers.astype(ml_dtypes.bfloat16).astype(np.float32)
    np.testing.assert_array_equal(Rounding("bfloat16", 0)(numbers), expected)


@pytest.mark.parametrize(("arithmetic", "digits"), [("tf32", 11), ("bfloat16", 8)])
def test_chance_rounds_up_and_down(arithmetic: Arithmetic, digits: int) -> None:
    third = np.full(10_000, 1 / 3, np.float32)
    rounded = Rounding(arithmetic, 1)(third)
    step = 2.0 ** (-1 - digits)  # the last place of a number between 1/4 and 1/2
    assert len(np.unique(rounded)) == 2
    np.testing.assert_allclose(np.ptp(rounded), step)
    np.testing.assert_allclose(rounded.mean(), 1 / 3, atol=step / 20)
    assert not np.array_equal(rounded, Rounding(arithmetic, 2)(third))


def test_a_name_has_a_recipe_and_an_arithmetic() -> None:
    for recipe in ("standard", "as-written"):
        for arithmetic in ARITHMETICS:
            assert split_recipe(with_arithmetic(recipe, arithmetic)) == (recipe, arithmetic)
    task = load_task("mnist-mlp", "as-written-bfloat16")
    written = load_task("mnist-mlp", "as-written")
    assert task.recipe == replace(written.recipe, arithmetic="bfloat16")
    assert "as-written-bfloat16" not in written.recipes
    with pytest.raises(UnknownNameError):
        load_task("mnist-mlp", "unheard-of-bfloat16")


@pytest.mark.parametrize(("name", "mode"), TRAINED)
def test_each_framework_is_certified(framework: RemoteBackend, name: str, mode: str, tmp_path: Path) -> None:
    sample = in_bfloat16(name)
    gathered = remote_evidence(framework, sample, tmp_path, mode=mode)
    certificate = judge_twice(gathered, make_reference(sample, tmp_path), sample, tmp_path, cell=LOWER)
    assert certificate.granted, certificate.failure


@pytest.mark.parametrize("mode", ["tuned", pytest.param("stock", marks=pytest.mark.slow)])
def test_layers_compute_in_it_and_parameters_do_not(framework: RemoteBackend, mode: str, tmp_path: Path) -> None:
    for name in ("dense-adam", "convolution"):
        evidence, _ = remote_evidence(framework, in_bfloat16(name), tmp_path, mode=mode)
        outputs = [array for text, array in evidence.items() if text.startswith("output of")]
        assert outputs
        assert all(map(is_bfloat16, outputs))
        parameters = [array for text, array in evidence.items() if text.endswith("steps") and "/" in text]
        assert parameters
        assert not any(map(is_bfloat16, parameters))
        exact, _ = remote_evidence(framework, SAMPLES[name], tmp_path, mode=mode)
        assert not any(is_bfloat16(array) for text, array in exact.items() if text.startswith("logits"))


def test_faults_are_refused(framework: RemoteBackend, tmp_path: Path) -> None:
    sample = in_bfloat16("dense-adam")
    reference = make_reference(sample, tmp_path, again=True)
    assert judge(remote_evidence(framework, sample, tmp_path), reference, LOWER).granted
    recipe = sample.recipe
    nodes = [replace(n, layer=Sigmoid()) if n.layer == Tanh() else n for n in recipe.architecture.nodes]
    faulty = (
        replace(recipe, optimizer=Adam(1.1 * recipe.optimizer.learning_rate)),
        replace(recipe, optimizer=Adam(recipe.optimizer.learning_rate, beta_1=0.8)),
        replace(recipe, architecture=replace(recipe.architecture, nodes=tuple(nodes))),
        replace(recipe, label_smoothing=0.1),
    )
    for wrong in faulty:
        assert wrong != recipe
        assert not judge(remote_evidence(framework, replace(sample, recipe=wrong), tmp_path), reference, LOWER).granted


def test_what_a_cpu_has_not_is_one_line(framework: RemoteBackend) -> None:
    recipe = SAMPLES["dense-adam"].recipe
    task = task_of(replace(recipe, arithmetic="tf32"))
    with pytest.raises(RemoteError, match="a CPU has float32 and bfloat16") as raised:
        framework.build(task, task.parameters(0))
    assert raised.value.kind == "DeviceUnavailableError"


def test_tf32_is_allowed_and_forbidden_again(framework: RemoteBackend) -> None:
    task = task_of(SAMPLES["dense-adam"].recipe)
    framework.build(task, task.parameters(0))
    for allowed in (True, False):
        framework.call("backend.set_tf32", allowed=allowed)
        assert framework.call("apply", "tests.backends.tf32", "allowed") is allowed
