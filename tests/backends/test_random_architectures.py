"""Random architectures: every framework computes them as the reference does, by the certificate's measure."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

import pytest

import tasks.layers
from backends.about import Mode
from compare.records.certificate import Certificate
from tasks.layers import (
    GELU,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Flatten,
    Layer,
    MaxPool2D,
    OwnDropout,
    ReLU,
    Softmax,
    Tanh,
)
from tasks.schedules import Schedule
from tasks.training import SGD, Adam, Loss, Optimizer
from tests.backends.drawn import drawn
from tests.certify.evidence import judge_twice, make_reference, remote_evidence
from tests.conftest import start_all
from tests.remote import RemoteBackend, RemoteError
from tests.samples import Sample, make_sample

MODES: tuple[Mode, ...] = ("tuned", "stock")
ORDINARY = range(95, 125)
"""The numbers of the ordinary tests' networks, chosen so that every layer, rule and form of them is drawn."""
A_PROCESS = 20
"""Networks that one process computes at most: after some 120 compilations XLA could allocate no more memory for its
code."""

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


@pytest.fixture(scope="module")
def own_remotes() -> Iterator[dict[str, RemoteBackend]]:
    """Processes of these tests alone."""
    yield from start_all()


def certificates_of(
    sample: Sample,
    every_remote: dict[str, RemoteBackend],
    folder: Path,
    modes: Sequence[Mode] = MODES,
    *,
    compiled: bool = False,
    brief: bool = False,
) -> Iterator[tuple[str, Certificate]]:
    """The certificate of each loop of each framework, by its name; ``brief``: over 19 steps instead of 100."""
    reference = make_reference(sample, folder, brief=brief)
    for remote in every_remote.values():
        for mode in modes:
            preparations = ["without_compiler"] if remote.name == "pytorch" and not compiled else []
            try:
                evidence = remote_evidence(remote, sample, folder, *preparations, mode=mode, brief=brief)
            except RemoteError as error:
                raise AssertionError(f"{remote.name} {mode}: {error}") from error
            yield f"{remote.name} {mode}", judge_twice(evidence, reference, sample, folder, brief=brief)


def check_random(
    sample: Sample,
    every_remote: dict[str, RemoteBackend],
    folder: Path,
    modes: Sequence[Mode] = MODES,
    **how: bool,
) -> None:
    """Loops of every framework; PyTorch's tuned one operation by operation, unless it is to be ``compiled``."""
    for who, certificate in certificates_of(sample, every_remote, folder, modes, **how):
        worst = [distance for distance in certificate.distances if not distance.passed]
        assert certificate.outcome != "refused", (who, certificate.failure, worst[:1])


@pytest.mark.parametrize("number", ORDINARY)
def test_random_architectures(number: int, own_remotes: dict[str, RemoteBackend], tmp_path: Path) -> None:
    """Each in one of the loops, in turn, and for 19 steps: XLA compiles a loop anew for every number of epochs.

    The slow test takes both loops for every network, and 100 steps.
    """
    check_random(drawn(number), own_remotes, tmp_path, [MODES[number % 2]], brief=True)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 300, A_PROCESS))
def test_many_random_architectures(first: int, fresh_remotes: dict[str, RemoteBackend], tmp_path: Path) -> None:
    """300 of them, of which PyTorch compiles its tuned loop for every tenth."""
    for number in range(first, first + A_PROCESS):
        check_random(drawn(number), fresh_remotes, tmp_path, compiled=number % 10 == 0)


def _layers(samples: list[Sample]) -> list[Layer]:
    return [node.layer for sample in samples for node in sample.recipe.architecture.nodes]


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return [drawn(number) for number in ORDINARY]


def test_every_kind_of_layer_is_drawn(samples: list[Sample]) -> None:
    kinds = {kind for kind in vars(tasks.layers).values() if isinstance(kind, type) and hasattr(kind, "kind")}
    drawn_kinds = {type(layer) for layer in _layers(samples)}
    assert kinds - drawn_kinds == {OwnDropout}, "a framework's own randomness alone is never certified"


def test_every_form_of_a_layer_is_drawn(samples: list[Sample]) -> None:
    layers = _layers(samples)
    for kind in (Conv2D, MaxPool2D, AveragePool2D):
        paddings = [layer.padding for layer in layers if isinstance(layer, kind)]
        assert {"same", "valid"} <= set(paddings)
        assert any(isinstance(padding, tuple) for padding in paddings), kind
    assert {layer.padding for layer in layers if isinstance(layer, ConvTranspose2D)} == {"same", "valid"}
    assert {layer.bias for layer in layers if isinstance(layer, Conv2D)} == {True, False}
    assert any(layer.groups > 1 for layer in layers if isinstance(layer, Conv2D))
    assert {layer.approximate for layer in layers if isinstance(layer, GELU)} == {True, False}
    assert {layer.count_padding for layer in layers if isinstance(layer, AveragePool2D)} == {True, False}
    assert {layer.unbiased for layer in layers if isinstance(layer, BatchNorm)} == {True, False}


def test_every_rule_of_training_is_drawn(samples: list[Sample]) -> None:
    recipes = [sample.recipe for sample in samples]
    optimizers = [recipe.optimizer for recipe in recipes]
    assert {recipe.loss for recipe in recipes} == set(get_args(Loss))
    assert {type(optimizer) for optimizer in optimizers} == set(get_args(Optimizer))
    assert {type(recipe.schedule) for recipe in recipes} == set(get_args(Schedule))
    assert any(isinstance(optimizer, SGD) and optimizer.nesterov for optimizer in optimizers)
    assert {type(optimizer) for optimizer in optimizers if optimizer.weight_decay} == set(get_args(Optimizer))
    assert {recipe.clip_norm is None for recipe in recipes} == {True, False}
    assert {recipe.label_smoothing > 0 for recipe in recipes} == {True, False}
    assert {sample.batches.rest > 0 for sample in samples} == {True, False}
