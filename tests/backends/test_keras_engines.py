"""Keras on JAX and on PyTorch: held to what the contract says of every backend, by the same figures."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import backends
import compare
from tests.backends.test_contract import distance, initial, nudged, reference
from tests.conftest import is_there, start
from tests.remote import RemoteBackend, task_of
from tests.samples import SAMPLES

ENGINES = ("keras-jax", "keras-torch")
SAMPLED = ("softmax-in-logits", "normalized", "dropped", "nesterov-warm-up", "binary-rmsprop-steps")
"""Those of the ordinary suite: what Keras says in words of its engine, and what an engine may change in its place."""


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[RemoteBackend]:
    yield from start(request.param)


@pytest.mark.parametrize(
    "name", [name if name in SAMPLED else pytest.param(name, marks=pytest.mark.slow) for name in SAMPLES]
)
def test_an_engine_keeps_the_contract(engine: RemoteBackend, name: str) -> None:
    sample = SAMPLES[name]
    recipe, data = sample.recipe, sample.dataset
    model = engine.build(task_of(recipe), initial(recipe))
    model.place(data)
    exact, other = reference(sample), reference(sample, nudged(initial(recipe)))
    held = model.call("held_batches", sample.batches)
    assert held.sha256() == sample.batches.sha256()

    for layer, output in model.call("layer_outputs", data.test_inputs).items():
        assert np.abs(output - exact.layer_outputs(data.test_inputs)[layer]).max() < 1e-5
    found = model.logits(data.test_inputs)
    assert (
        np.abs(found - exact.logits(data.test_inputs)).max()
        < 1e-5
        < np.abs(found - other.logits(data.test_inputs)).max()
    )

    batch = data.train_inputs[:8], data.train_labels[:8]
    loss, gradients = model.loss_and_gradients(*batch)
    exact_loss, exact_gradients = exact.loss_and_gradients(*batch)
    assert loss == pytest.approx(exact_loss, rel=1e-6, abs=1e-6)
    assert distance(gradients, exact_gradients) < 1e-5 < distance(gradients, other.loss_and_gradients(*batch)[1])
    assert distance(model.parameters(), initial(recipe)) == 0  # nothing has moved

    losses = model.train(sample.batches)
    np.testing.assert_allclose(losses[:, 0], sample.batches.epoch_means(exact.train(sample.batches)), rtol=2e-5)
    other.train(sample.batches)
    assert distance(model.parameters(), exact.parameters()) < 2e-5 < distance(model.parameters(), other.parameters())

    model.load_parameters(initial(recipe))
    model.train(sample.batches[:1])
    exact = reference(sample)
    exact.train(sample.batches[:1])
    state, expected = model.call("optimizer_state"), exact.optimizer_state()
    assert list(state) == list(expected)
    assert all(np.linalg.norm(state[key] - expected[key]) <= 5e-5 * np.linalg.norm(expected[key]) for key in state)
    model.train(sample.batches[1:])
    exact.train(sample.batches[1:])
    assert distance(model.parameters(), exact.parameters()) < 2e-5
    assert model.call("parameter_count") == recipe.architecture.parameter_count
    assert model.call("parameter_devices") == {"cpu"}


def test_engines_stand_beside_the_others(tmp_path: Path) -> None:
    """Certified, and in the report with Keras on TensorFlow."""
    names = [name for name in ("keras", *ENGINES) if is_there(name)]
    comparison = compare.compare(
        "iris-mlp", backends=names, modes="stock", epochs=3, probe=False, output=tmp_path / "run"
    )
    results = comparison.results
    assert {run.backend: run.check and run.check.outcome for run in results.runs} == dict.fromkeys(names, "granted")
    assert {each.backend for each in results.certificates if each.granted} == set(names)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert all(f"{name} stock" in page for name in names)


def test_nobody_gets_them_unasked() -> None:
    assert set(ENGINES) < set(backends.available_backends())
    assert not set(ENGINES) & set(backends.framework_backends())
