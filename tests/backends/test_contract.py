"""The contract of a backend, over all of them, against the float64 reference. Each check has a twin that must fail."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from backends import load_backend
from backends.numpy.model import NumpyModel
from tasks.architecture import Parameters
from tasks.initial import draw_parameters
from tasks.task import Recipe
from tasks.training import SGD, Adam, OptimizerState
from tests.remote import RemoteBackend, RemoteError, task_of
from tests.samples import COVERED, SAMPLES, Sample, make_sample

NUDGE = 1e-3


class Trained(NamedTuple):
    """What a model gives that trains two epochs at once, and then, loaded afresh, one epoch after the other."""

    losses: NDArray[np.float32]
    at_once: Parameters
    after_one: Parameters
    state_after_one: OptimizerState
    after_two: Parameters
    state_afresh: OptimizerState


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.slow) if name in COVERED else name for name in SAMPLES],
)
def sample(request: pytest.FixtureRequest) -> Sample:
    return SAMPLES[request.param]


@pytest.fixture(scope="module", params=["tuned", "stock"])
def trained(request: pytest.FixtureRequest, remote: RemoteBackend, sample: Sample) -> Trained:
    """Each backend and mode, trained on each sample: once for all tests, because a compilation takes seconds."""
    if remote.name == "numpy" and request.param == "stock":
        pytest.skip("the reference has one loop")
    remote.build(task_of(sample.recipe), initial(sample.recipe), mode=request.param)
    remote.place(sample.dataset)
    losses, at_once = remote.train(sample.batches), remote.parameters()
    remote.load_parameters(initial(sample.recipe))
    remote.train(sample.batches[:1])
    after_one, state_after_one = remote.parameters(), remote.call("optimizer_state")
    remote.train(sample.batches[1:])
    after_two = remote.parameters()
    remote.load_parameters(initial(sample.recipe))
    return Trained(losses, at_once, after_one, state_after_one, after_two, remote.call("optimizer_state"))


@pytest.fixture
def model(trained: Trained, remote: RemoteBackend, sample: Sample) -> RemoteBackend:
    """The model that was trained, with its initial parameters and its data."""
    remote.load_parameters(initial(sample.recipe))
    return remote


def initial(recipe: Recipe) -> Parameters:
    return draw_parameters(recipe.architecture, recipe.initializer, seed=3)


def reference(sample: Sample, parameters: Parameters | None = None) -> NumpyModel:
    backend = load_backend("numpy")
    parameters = initial(sample.recipe) if parameters is None else parameters
    model = backend.build(task_of(sample.recipe), parameters, dtype="float64")
    assert isinstance(model, NumpyModel)
    model.place(sample.dataset)
    return model


def nudged(parameters: Parameters) -> Parameters:
    """A copy with one weight of the first layer changed."""
    copy = {key: value.copy() for key, value in parameters.items()}
    next(iter(copy.values())).flat[0] += NUDGE
    return copy


def distance(found: Parameters, expected: Parameters) -> float:
    """The largest relative distance over the parameters."""
    assert list(found) == list(expected)
    return max(
        float(np.linalg.norm(found[key] - expected[key]) / (np.linalg.norm(expected[key]) or 1)) for key in expected
    )


def test_logits(model: RemoteBackend, sample: Sample) -> None:
    inputs = sample.dataset.test_inputs
    found = model.logits(inputs)
    assert found.dtype == np.float32
    assert np.abs(found - reference(sample).logits(inputs)).max() < 1e-5
    other = reference(sample, nudged(initial(sample.recipe)))
    assert np.abs(found - other.logits(inputs)).max() > 1e-5


def test_layer_outputs(model: RemoteBackend, sample: Sample) -> None:
    """Of every layer in the canonical layout, in inference; of layers that are fused, of the last of them."""
    inputs, architecture = sample.dataset.test_inputs, sample.recipe.architecture
    found = model.call("layer_outputs", inputs)
    names = [name for group in found for name in group.split(", ")]
    assert sorted(names) == sorted(node.name for node in architecture.nodes)
    expected = reference(sample).layer_outputs(inputs)
    other = reference(sample, nudged(initial(sample.recipe))).layer_outputs(inputs)
    for group, output in found.items():
        last = group.split(", ")[-1]
        assert output.dtype == np.float32
        assert output.shape == expected[last].shape
        assert np.abs(output - expected[last]).max() < 1e-5
    assert np.abs(output - other[last]).max() > 1e-5


def test_loss_and_gradients(model: RemoteBackend, sample: Sample) -> None:
    batch = sample.dataset.train_inputs[:8], sample.dataset.train_labels[:8]
    loss, gradients = model.loss_and_gradients(*batch)
    expected_loss, expected = reference(sample).loss_and_gradients(*batch)
    assert loss == pytest.approx(expected_loss, rel=1e-6, abs=1e-6)
    assert distance(gradients, expected) < 1e-5
    _, other = reference(sample, nudged(initial(sample.recipe))).loss_and_gradients(*batch)
    assert distance(gradients, other) > 1e-5


def test_training(trained: Trained, sample: Sample) -> None:
    """Two epochs, the smaller last batch included: losses and parameters as the reference's."""
    losses = trained.losses
    expected = reference(sample)
    expected_losses = expected.train(sample.batches)
    assert losses.dtype == np.float32
    if losses.shape[1] == 1:  # a loop that keeps each epoch's mean
        np.testing.assert_allclose(losses[:, 0], sample.batches.epoch_means(expected_losses), rtol=2e-5)
    else:
        np.testing.assert_allclose(losses, expected_losses, rtol=2e-5, atol=1e-6)
    assert distance(trained.at_once, expected.parameters()) < 2e-5
    other = reference(sample, nudged(initial(sample.recipe)))
    other.train(sample.batches)
    assert distance(trained.at_once, other.parameters()) > 2e-5


def test_training_goes_on(trained: Trained) -> None:
    """Two calls of one epoch are one call of two: the optimizer's state stays; loading parameters starts it afresh."""
    assert distance(trained.after_one, trained.at_once) > 1e-4
    assert distance(trained.after_two, trained.at_once) < 1e-6


def test_the_optimizer_carries_what_the_reference_carries(trained: Trained, sample: Sample) -> None:
    """After an epoch, and from there on the reference itself trains the second one to the same end."""
    expected = reference(sample)
    expected.train(sample.batches[:1])
    state, expected_state = trained.state_after_one, expected.optimizer_state()
    assert list(state) == list(expected_state)
    for name, array in state.items():
        assert array.shape == expected_state[name].shape
        assert np.linalg.norm(array - expected_state[name]) <= 2e-5 * np.linalg.norm(expected_state[name])
    for from_state, near in ((state, True), ({name: 0 * array for name, array in state.items()}, not state)):
        expected.load_state(trained.after_one, from_state)
        expected.train(sample.batches[1:])
        assert (distance(trained.after_two, expected.parameters()) < 2e-5) == near
    assert not any(array.any() for array in trained.state_afresh.values())


def test_parameters_return_unchanged(model: RemoteBackend, sample: Sample) -> None:
    parameters = nudged(initial(sample.recipe))
    model.load_parameters(parameters)
    found = model.parameters()
    assert list(found) == list(parameters)
    assert all(np.array_equal(found[key], parameters[key]) for key in parameters)
    assert not all(np.array_equal(found[key], value) for key, value in initial(sample.recipe).items())


def test_answers_change_nothing(model: RemoteBackend, sample: Sample) -> None:
    model.logits(sample.dataset.test_inputs)
    model.loss_and_gradients(sample.dataset.train_inputs, sample.dataset.train_labels)
    assert distance(model.parameters(), initial(sample.recipe)) == 0


def test_counts_and_device(model: RemoteBackend, sample: Sample) -> None:
    assert model.call("parameter_count") == sample.recipe.architecture.parameter_count
    assert model.call("parameter_devices") == {"cpu"}


def test_holds_what_it_was_given(model: RemoteBackend, sample: Sample) -> None:
    inputs, labels = model.call("held_data")
    assert np.array_equal(inputs, sample.dataset.train_inputs)
    assert np.array_equal(labels, sample.dataset.train_labels)
    held = model.call("held_batches", sample.batches)
    assert held.sha256() == sample.batches.sha256()
    assert held.sha256() != sample.batches[1:].sha256()


def test_save_and_load(model: RemoteBackend, sample: Sample, tmp_path: Path) -> None:
    """What a backend saves, the reference reads, and the other way round."""
    model.call("save", tmp_path / "theirs.safetensors")
    expected = reference(sample, nudged(initial(sample.recipe)))
    expected.load(tmp_path / "theirs.safetensors")
    assert distance(expected.parameters(), initial(sample.recipe)) == 0
    ours = load_backend("numpy").build(task_of(sample.recipe), nudged(initial(sample.recipe)))
    ours.save(tmp_path / "ours.safetensors")
    model.call("load", tmp_path / "ours.safetensors")
    assert distance(model.parameters(), nudged(initial(sample.recipe))) == 0
    assert distance(model.parameters(), initial(sample.recipe)) > 0


@pytest.mark.parametrize("optimizer", [SGD(0.1), SGD(0.1, 0.9), Adam(0.01), Adam(0.01, 0.8, 0.99, 1e-3)], ids=str)
def test_one_step(remote: RemoteBackend, optimizer: SGD | Adam) -> None:
    """One step of the optimizer, by its formula, from the gradient that the backend itself reports."""
    base = SAMPLES["dense"]
    sample = make_sample((5,), base.recipe.architecture.layers, optimizer=optimizer, count=4)
    before = initial(sample.recipe)
    remote.build(task_of(sample.recipe), before)
    remote.place(sample.dataset)
    indices = sample.batches.indices[0, 0]
    _, gradients = remote.loss_and_gradients(sample.dataset.train_inputs[indices], sample.dataset.train_labels[indices])
    remote.train(sample.batches[:1])
    after = remote.parameters()
    for key, gradient in gradients.items():
        g = gradient.astype(np.float64)
        if isinstance(optimizer, SGD):
            step = optimizer.learning_rate * g
        else:  # the first step of Adam: both corrected moments are the gradient's own
            step = optimizer.learning_rate * g / (np.abs(g) + optimizer.epsilon)
        np.testing.assert_allclose(after[key], before[key] - step, atol=2e-7)
        assert not np.allclose(after[key], before[key] - 1.01 * step, atol=2e-7)


def test_wrong_words(remote: RemoteBackend) -> None:
    sample = SAMPLES["dense"]
    task, parameters = task_of(sample.recipe), initial(sample.recipe)
    with pytest.raises(RemoteError, match=r"DeviceUnavailableError.*has no device gpu:7"):
        remote.build(task, parameters, device="gpu:7")
    with pytest.raises(RemoteError, match=r"UnknownNameError.*unknown mode"):
        remote.build(task, parameters, mode="fast")  # type: ignore[arg-type]
    with pytest.raises(RemoteError, match=r"UnknownNameError.*unknown dtype"):
        remote.build(task, parameters, dtype="float16")  # type: ignore[arg-type]
    with pytest.raises(RemoteError, match="2_dense/bias is missing"):
        remote.build(task, {key: value for key, value in parameters.items() if key != "2_dense/bias"})
    with pytest.raises(RemoteError, match="0_dense/kernel has shape"):
        remote.build(task, parameters | {"0_dense/kernel": parameters["0_dense/kernel"].T})
