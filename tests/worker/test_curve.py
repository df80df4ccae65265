"""The curve of a training: the recipe's loss and the accuracy on the whole test set, after each epoch."""

from dataclasses import replace

import numpy as np
import pytest

from backends import load_backend
from backends.numpy.model import NumpyModel
from compare.worker.calls import Calls
from compare.worker.training import Training, train_for_the_curve
from tasks.layers import Dense
from tasks.training import Loss
from tests.remote import task_of
from tests.samples import SAMPLES, Sample, make_sample

INITIAL_SEED = 0


def make_model(sample: Sample) -> NumpyModel:
    task = task_of(sample.recipe)
    model = load_backend("numpy").build(task, task.parameters(INITIAL_SEED))
    assert isinstance(model, NumpyModel)
    model.place(sample.dataset)
    return model


def test_a_tuned_loop_is_tested_after_each_of_its_calls_and_a_stock_loop_in_a_second_training() -> None:
    sample = SAMPLES["dense"]
    training = Training("tuned", 1.0, 0.0, lambda event: None, Calls(None))
    training.run(make_model(sample), sample.dataset, sample.batches)
    timed = training.curve()
    assert timed.epochs == list(range(1, sample.batches.epochs + 1))
    assert timed.accuracies == training.accuracies
    apart = train_for_the_curve(make_model(sample), sample.dataset, sample.batches)
    assert apart == timed.model_copy(update={"apart": True, "training_losses": training.losses})
    assert len(set(timed.losses)) == len(timed.losses)


@pytest.mark.parametrize("loss", ["cross_entropy", "sum_of_squared_errors"])
def test_tested_on_the_training_data_the_loss_is_that_of_one_batch_of_them_all(loss: Loss) -> None:
    sample = make_sample((5,), (Dense(1 if loss == "sum_of_squared_errors" else 3),), loss=loss, count=8, batch_size=8)
    data = replace(sample.dataset, test_inputs=sample.dataset.train_inputs, test_labels=sample.dataset.train_labels)
    model = make_model(sample)
    curve = train_for_the_curve(model, data, sample.batches[:1])
    expected, _ = model.loss_and_gradients(data.train_inputs, data.train_labels)
    assert curve.losses == [pytest.approx(expected, rel=1e-5)]


def test_a_curve_ends_where_its_loss_is_no_longer_finite() -> None:
    sample = SAMPLES["dense"]
    inputs = sample.dataset.train_inputs.copy()
    inputs[sample.batches.indices[1, 0, 0]] = np.nan
    model = make_model(sample)
    model.place(replace(sample.dataset, train_inputs=inputs))
    batches = sample.batches
    first = next(e for e in range(batches.epochs) if np.isin(sample.batches.indices[1, 0, 0], batches.indices[e]))
    assert train_for_the_curve(model, sample.dataset, batches).epochs == list(range(1, first + 1))
