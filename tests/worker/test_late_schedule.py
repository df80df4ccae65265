"""The check of the run that is timed goes on inside a schedule; a schedule that goes wrong late is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.numpy.model import NumpyModel
from compare.records.check import Check
from tasks import registry
from tasks.batches import Batches
from tasks.schedules import Cosine, Exponential, Schedule, Warmup
from tasks.training import SGD, Adadelta, Optimizer
from tests.late_faults import EPOCHS, LATE, STEPS, Faulty
from tests.worker.test_late_faults import _quick, check

__all__ = ["_quick"]  # the fixture

RIGHT: dict[str, tuple[Optimizer, Schedule]] = {
    "sgd": (SGD(0.01, 0.9, nesterov=True), Warmup(5, Cosine())),
    "adadelta": (Adadelta(0.1), Exponential(0.97)),
}


@pytest.fixture
def recipe(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Iris with another optimizer, and with a schedule."""
    optimizer, schedule = RIGHT[getattr(request, "param", "sgd")]
    iris = registry.load_task("iris-mlp")
    changed = replace(iris.recipe, optimizer=optimizer, schedule=schedule, clip_norm=1.0, label_smoothing=0.1)
    monkeypatch.setitem(registry._TASKS, "iris-mlp", replace(iris, recipes={"standard": changed}))


@pytest.mark.parametrize("recipe", RIGHT, indirect=True)
def test_a_right_run_is_granted(recipe: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = check(NumpyModel, "tuned", tmp_path, monkeypatch)
    assert isinstance(checked, Check)
    assert (checked.outcome, checked.failure) == ("granted", "")
    assert any(LATE < window.first_step < EPOCHS * STEPS for window in checked.windows)


class ScheduleStopsLate(Faulty):
    """From then on the learning rate stays."""

    def one(self, batch: Any) -> float:
        rates = self.recipe.learning_rates
        assert rates is not None
        self.optimizer.learning_rate = lambda: float(rates[LATE])  # type: ignore[method-assign]
        return self.plain(batch)


class ScheduleIsAStepAheadLate(Faulty):
    def one(self, batch: Any) -> float:
        if self.done == LATE + 1:
            self.optimizer.steps += 1
        return self.plain(batch)


class ScheduleBeginsAnewAfterEachCall(Faulty):
    """And so does the count of the steps that it shows."""

    def train(self, batches: Batches) -> Any:
        losses = super().train(batches)
        self.optimizer.steps = 0
        return losses


class ScheduleIsThatOfALongerRun(Faulty):
    def start(self) -> None:
        super().start()
        longer = replace(self.recipe, epochs=2 * self.recipe.epochs)
        rates, optimizer = longer.learning_rates, self.optimizer
        assert rates is not None
        optimizer.learning_rate = lambda: float(rates[min(optimizer.steps, len(rates) - 1)])  # type: ignore


class ClippedLateByItself(Faulty):
    """Each parameter's gradient by its own norm, as Keras's clipnorm."""

    def one(self, batch: Any) -> float:
        loss, gradients = self.loss_and_gradients(self.inputs[batch], self.labels[batch])
        norms = {key: float(np.sqrt((g * g).sum())) for key, g in gradients.items()}
        each = {key: g * np.float32(min(1.0, 1.0 / norms[key])) for key, g in gradients.items()}
        self.optimizer.update(self.network.parameters, each)
        return loss


FAULTS = (
    ScheduleStopsLate,
    ScheduleIsAStepAheadLate,
    ScheduleBeginsAnewAfterEachCall,
    ScheduleIsThatOfALongerRun,
    ClippedLateByItself,
)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_late_fault_is_refused(
    fault: type[NumpyModel], recipe: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = check(fault, "tuned", tmp_path, monkeypatch)
    assert isinstance(checked, Check)
    assert checked.outcome == "refused"
    assert checked.failure
    print(f"{fault.__name__}: {checked.failure}")
