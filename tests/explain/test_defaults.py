"""The defaults are those of the installed frameworks; each can be trained, and is certified as the reference's."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import backends
from backends.default import padded_on_both_sides, with_all
from backends.registry import defaults
from compare.executors.local import LocalExecutor
from compare.records.request import CallRequest
from tasks import load_task
from tasks.architecture import sequence
from tasks.layers import GELU, AveragePool2D, BatchNorm, Conv2D, Dense, Flatten, Layer, LayerNorm, LeakyReLU, Softmax
from tasks.schedules import Cosine
from tasks.task import Recipe
from tasks.training import (
    SGD,
    Adadelta,
    Adam,
    AdamW,
    DecoupledSGD,
    EpsilonHatAdam,
    EpsilonHatAdamW,
    EpsilonInsideRMSprop,
    Optimizer,
    RateInsideDecoupledSGD,
    RateInsideSGD,
    RMSprop,
)
from tests.certify.evidence import judge_twice, make_reference, remote_evidence
from tests.conftest import is_there
from tests.remote import RemoteBackend, RemoteError, task_of
from tests.samples import Sample, make_sample

RECORDED = Path(__file__).parent.parent / "data" / "defaults.json"
FRAMEWORKS = backends.framework_backends()


def read(framework: str) -> dict[str, str]:
    """The atlas of a framework, by what is set."""
    if not is_there(framework):
        pytest.skip(f"{framework} is not installed")
    with LocalExecutor(1).open(framework) as session:
        reply = session.ask(CallRequest(module="backends.atlas", function="read", arguments=(framework,)))
    assert reply.status == "ok", reply.message
    assert isinstance(reply.value, list)
    rows = [row for row in reply.value if isinstance(row, dict)]
    return {f"{row['kind']} {row['name']}: {row['argument']}": str(row["value"]) for row in rows}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_no_version_of_a_framework_has_changed_a_default(framework: str) -> None:
    """Where it fails, look at DEFAULTS of the framework, at KNOWN in its lessons, and then at the recorded value."""
    found, recorded = read(framework), json.loads(RECORDED.read_text())[framework]
    changed = {what: (recorded.get(what), value) for what, value in found.items() if recorded.get(what) != value}
    assert not changed, f"{framework} has changed: {changed}"
    assert set(found) == set(recorded)


def _recipe(layer: Layer | None = None, optimizer: Optimizer | None = None) -> Recipe:
    layers = (Conv2D(4), *([layer] if layer else []), Flatten(), Dense(3))
    return Recipe(sequence((8, 8, 2), layers), "cross_entropy", optimizer or SGD(0.1), 8, 1, True, "he")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_changes_are_what_the_framework_itself_says(framework: str) -> None:
    atlas, own = read(framework), [default for default in defaults(framework) if not default.mistake]

    def layer(kind: Layer) -> Layer:
        return with_all(_recipe(kind), own).architecture.nodes[1].layer

    norm = layer(BatchNorm(0.5, 0.5))
    assert isinstance(norm, BatchNorm)
    read_momentum = float(atlas["layer BatchNorm: momentum"])
    assert norm.momentum == pytest.approx(1 - read_momentum if framework == "pytorch" else read_momentum)
    assert norm.epsilon == float(atlas["layer BatchNorm: epsilon"])
    assert layer(LayerNorm(0.5)) == LayerNorm(float(atlas["layer LayerNorm: epsilon"]))
    assert layer(LeakyReLU(0.7)) == LeakyReLU(float(atlas["function LeakyReLU: slope"]))
    for given in (False, True):
        assert layer(GELU(given)) == GELU(atlas["function GELU: approximation"] == "True")
        pool = AveragePool2D((3, 3), (2, 2), "same", given)
        assert layer(pool) == replace(pool, count_padding=atlas["layer AveragePool2D: counts the padding"] == "True")
    for rule in (Adam(epsilon=0.5), AdamW(epsilon=0.5, weight_decay=0.5), RMSprop(decay=0.5, epsilon=0.5)):
        changed = with_all(_recipe(optimizer=rule), own).optimizer
        name = type(rule).__name__
        assert changed.epsilon == float(atlas[f"optimizer {name}: epsilon"]), name  # type: ignore[union-attr]
        if isinstance(changed, AdamW):
            assert changed.weight_decay == float(atlas["optimizer AdamW: weight decay"])
        if isinstance(changed, RMSprop):
            assert changed.decay == float(atlas["optimizer RMSprop: decay"])
    changed = with_all(_recipe(optimizer=Adadelta(decay=0.5)), own).optimizer
    assert isinstance(changed, Adadelta)
    assert changed.decay == float(atlas["optimizer Adadelta: decay"])


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_has_a_cause_and_stays_what_it_is(framework: str) -> None:
    own = defaults(framework)
    assert len({default.name for default in own}) == len(own)
    for name in ("mnist-mlp", "mnist-dense", "mnist-flax-example", "mnist-resnet"):
        recipe = load_task(name).recipe
        for default in own:
            assert default.cause.endswith(".")
            assert default.where
            once = default.change(recipe)
            assert default.change(once) == once, default.name
        assert with_all(recipe, own).architecture.parameter_shapes == recipe.architecture.parameter_shapes
    assert isinstance(with_all(load_task("mnist-mlp").recipe, own).architecture.nodes[-1].layer, Softmax)


def test_padding_on_both_sides_is_for_strides_that_would_have_it_otherwise() -> None:
    def padding(layer: Conv2D, length: int) -> object:
        layers = (layer, Flatten(), Dense(3))
        recipe = Recipe(sequence((length, length, 2), layers), "cross_entropy", SGD(0.1), 8, 1, True, "he")
        changed = padded_on_both_sides(recipe).architecture.nodes[0].layer
        assert isinstance(changed, Conv2D)
        return changed.padding

    assert padding(Conv2D(4, strides=(2, 2)), 8) == ((1, 1), (1, 1))
    assert padding(Conv2D(4, strides=(2, 2)), 9) == "same"  # there it is the same padding
    assert padding(Conv2D(4), 8) == "same"


def _sample(optimizer: Optimizer, **training: object) -> Sample:
    return make_sample((5,), (Dense(7), LeakyReLU(), Dense(3)), optimizer=optimizer, **training)


CONVENTIONS: dict[str, Sample] = {
    "epsilon before the correction": _sample(EpsilonHatAdam(0.01, epsilon=1e-3)),
    "the same with decoupled decay": _sample(EpsilonHatAdamW(0.01, epsilon=1e-3, weight_decay=0.1), decays_all=True),
    "epsilon inside of the root": _sample(EpsilonInsideRMSprop(0.01, epsilon=1e-3, momentum=0.5)),
    "epsilon inside under a schedule": _sample(
        EpsilonInsideRMSprop(0.01, epsilon=1e-3, momentum=0.5), schedule=Cosine()
    ),
    "epsilon before the correction with decay": _sample(EpsilonHatAdam(0.01, epsilon=1e-3, weight_decay=0.1)),
    "rate inside of the momentum with decay": _sample(RateInsideSGD(0.1, 0.9, weight_decay=0.1), schedule=Cosine()),
    "both of SGD": _sample(RateInsideDecoupledSGD(0.1, 0.9, weight_decay=0.1), schedule=Cosine()),
    "rate inside of the momentum": _sample(RateInsideSGD(0.1, 0.9), schedule=Cosine()),
    "decoupled decay of SGD": _sample(DecoupledSGD(0.1, 0.9, weight_decay=0.1)),
    "decay of all parameters": _sample(SGD(0.1, 0.9, weight_decay=0.1), decays_all=True),
    "decoupled decay of all parameters": _sample(AdamW(0.01, weight_decay=0.1), decays_all=True),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_framework_has_its_conventions_as_the_reference_computes_them(
    remote: RemoteBackend, name: str, tmp_path: Path
) -> None:
    sample = CONVENTIONS[name]
    convention = sample.recipe.optimizer.convention
    if convention and remote.name not in {*convention, "numpy"}:
        task = task_of(sample.recipe)
        with pytest.raises(RemoteError, match=rf"{remote.name} has no \w+, which is the convention of .*keras"):
            remote.build(task, task.parameters(0))
        return
    gathered = remote_evidence(remote, sample, tmp_path, brief=True, mode=None)
    certificate = judge_twice(gathered, make_reference(sample, tmp_path, brief=True), sample, tmp_path, brief=True)
    assert certificate.granted, certificate.failure


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_convention_is_another_rule_than_the_common_one(name: str, tmp_path: Path) -> None:
    """The twin: with the rule that all frameworks have, the certificate is refused."""
    from backends.numpy.noise import NoisyModel
    from tests.certify.evidence import judge, numpy_evidence

    sample = CONVENTIONS[name]
    rule = sample.recipe.optimizer
    common: dict[type, type[Optimizer]] = {
        EpsilonHatAdam: Adam,
        EpsilonHatAdamW: AdamW,
        EpsilonInsideRMSprop: RMSprop,
        RateInsideSGD: SGD,
        DecoupledSGD: SGD,
        RateInsideDecoupledSGD: SGD,
    }
    other = replace(sample.recipe, optimizer=common.get(type(rule), type(rule))(**vars(rule)), decays_all=False)
    gathered = numpy_evidence(NoisyModel, replace(sample, recipe=other), tmp_path, brief=True)
    assert not judge(gathered, make_reference(sample, tmp_path, brief=True)).granted
