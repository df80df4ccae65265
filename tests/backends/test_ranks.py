"""Layers of inputs that are neither vectors nor images: the last axis is the one that is normalized and merged."""

import numpy as np
import pytest

import backends
from backends import load_backend
from backends.about import Mode
from tasks.architecture import INPUT, Architecture, Node
from tasks.initial import draw_parameters
from tasks.layers import Concatenate, Dense, Dropout, Flatten, LayerNorm, Shape, Softmax, Tanh
from tests.remote import RemoteBackend, task_of
from tests.samples import sample_of


@pytest.mark.parametrize("mode", ["tuned", "stock"])
@pytest.mark.parametrize("shape", [(4,), (3, 4), (3, 2, 4), (2, 3, 2, 4)], ids=str)
def test_layers_of_any_rank(remote: RemoteBackend, mode: Mode, shape: Shape) -> None:
    if mode not in backends.modes(remote.name):
        pytest.skip("the reference has one loop")
    nodes = (
        Node("bend", Tanh(), (INPUT,)),
        Node("shares", Softmax(), ("bend",)),
        Node("normal", LayerNorm(), ("bend",)),
        Node("dropped", Dropout(0.5), ("normal",)),
        Node("both", Concatenate(), ("shares", "dropped")),
        Node("flat", Flatten(), ("both",)),
        Node("out", Dense(3), ("flat",)),
    )
    sample = sample_of(Architecture(shape, nodes))
    initial = draw_parameters(sample.recipe.architecture, sample.recipe.initializer, seed=3)
    remote.build(task_of(sample.recipe), initial, mode=mode)
    expected = load_backend("numpy").build(task_of(sample.recipe), initial, dtype="float64")
    inputs, labels = sample.dataset.train_inputs[:8], sample.dataset.train_labels[:8]
    np.testing.assert_allclose(remote.logits(inputs), expected.logits(inputs), atol=1e-5)
    loss, gradients = remote.loss_and_gradients(inputs, labels)
    expected_loss, expected_gradients = expected.loss_and_gradients(inputs, labels)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    for key, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected_gradients[key], atol=1e-5)
