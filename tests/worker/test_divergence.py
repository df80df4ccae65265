"""A training that diverges: the step is found, whether the loss or the parameters show it."""

from typing import Any

import numpy as np
import pytest

import backends
from backends.numpy.model import NumpyModel
from compare.worker.divergence import first_bad_step
from tests.faults import divergence
from tests.remote import RemoteBackend
from tests.samples import SAMPLES
from tests.worker.diverging import INITIAL, SAMPLE


@pytest.mark.parametrize("mode", [pytest.param("tuned", marks=pytest.mark.slow), "stock"])
def test_nan_in_the_data_is_found_at_its_step(remote: RemoteBackend, mode: Any) -> None:
    if mode not in backends.modes(remote.name):
        pytest.skip("the reference has one loop")
    divergence.check(remote, mode, [1, 58, 100])


class LosesParameters(NumpyModel):
    """Loses a parameter at the end of step 7, while that step's loss is still finite."""

    steps = 0

    def start(self) -> None:
        super().start()
        self.steps = 0

    def train_step(self, inputs: Any, labels: Any) -> float:
        loss = super().train_step(inputs, labels)
        self.steps += 1
        if self.steps == 7:
            self.network.parameters["0_dense/bias"][0] = np.nan
        return loss


def test_parameters_are_lost_a_step_before_the_loss() -> None:
    model = LosesParameters(SAMPLE.recipe, INITIAL, "cpu", "float32")
    model.place(SAMPLE.dataset)
    losses = model.train(SAMPLE.batches[:1])
    assert np.isfinite(losses[0, :7]).all()
    assert not np.isfinite(losses[0, 7])
    assert first_bad_step(model, INITIAL, SAMPLE.batches, 0, losses) == 7


def test_parts_are_the_steps_in_order_the_smaller_last_batch_included() -> None:
    batches = SAMPLES["dense"].batches  # two epochs of 5 full batches and a smaller one
    order = [list(indices) for epoch in range(2) for indices in batches.of_epoch(epoch)]
    for size in (1, 4, 12):
        some = [list(indices) for part in batches.parts(2, 11, size) for indices in part.of_epoch(0)]
        assert some == order[2:11]
