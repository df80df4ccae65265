"""The training of a cell: by which calls, how long they take, and how the accuracy develops between them."""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.base import Model
from backends.numpy.training import loss_function
from compare.records.event import EpochEnd
from compare.records.run import Curve
from compare.worker.answers import outputs_of
from compare.worker.calls import Calls
from compare.worker.divergence import finite_parameters, first_bad_step
from tasks.batches import Batches
from tasks.dataset import Dataset, Measure, predicted_labels, score


@dataclass
class Training:
    """What a training came to; it fills up call by call, so that a failure loses nothing that came before.

    Attributes:
        mode: of the loop.
        target_accuracy: the test accuracy at which ``seconds_to_target`` stops.
        started_seconds: when this process was started, by the monotonic clock.
        tell: is told of each epoch at which a call ends.
        calls: makes the training calls.
        tail_steps: so many of the last steps are a call of their own; None for no such call.
        call_seconds: of each training call, with the number of its epochs.
        losses: the mean over each epoch's examples, as far as it is finite.
        step_losses: what each call of ``Model.train`` returned.
        accuracies: on the whole test set, after each call; of a regression R², as far as it is finite.
        accuracy_epochs: the number of epochs after which each accuracy was taken.
        evaluate_seconds: of each evaluation.
        first_epoch_end_seconds: from the start of the process to the end of the first epoch.
        total_seconds: from the start of the process to the last accuracy; of the evaluations only the last is counted.
        seconds_to_target: of training calls until the target accuracy was reached; None where it was not.
        diverged: the first step, from 1, whose loss or parameters were not finite; None where all were.
        apart: whether the last epoch has calls of its own; loops may be compiled anew for them, so their time is not
            counted.
        test_losses: on the whole test set, after each call.
        predictions: for the test set, ``(n,)``, after the last epoch.
    """

    mode: str
    target_accuracy: float
    started_seconds: float
    tell: Callable[[EpochEnd], None]
    calls: Calls
    tail_steps: int | None = None
    call_seconds: list[tuple[float, int]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    step_losses: list[NDArray[np.float32]] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    accuracy_epochs: list[int] = field(default_factory=list)
    evaluate_seconds: list[float] = field(default_factory=list)
    first_epoch_end_seconds: float | None = None
    total_seconds: float | None = None
    seconds_to_target: float | None = None
    diverged: int | None = None
    apart: bool = False
    test_losses: list[float] = field(default_factory=list)
    predictions: NDArray[Any] | None = None

    def run(self, model: Model, dataset: Dataset, batches: Batches) -> None:
        """Trains a model, in which the data are placed, by the recipe, and takes the accuracy after each call."""
        begin, initial = 0, model.parameters()
        for end in self._call_ends(batches):
            part = batches[begin:end]
            in_two = end == batches.epochs and part.epochs * part.steps > (self.tail_steps or math.inf)
            step_losses, seconds = self._train_in_two(model, part) if in_two else self.calls.train(model, part)
            if begin == 0:
                self.first_epoch_end_seconds = time.monotonic() - self.started_seconds
            self.call_seconds.append((seconds, end - begin))
            self.step_losses.append(step_losses)
            means, accuracy = part.epoch_means(step_losses), self.evaluate(model, dataset)
            self._note_epochs(end, batches.epochs, means, accuracy, dataset.measure)
            if not (np.isfinite(step_losses).all() and finite_parameters(model)):
                self.diverged = first_bad_step(model, initial, batches, begin, step_losses)
                break
            begin = end
        # Only the last evaluation is counted, because loops are evaluated differently often.
        self.total_seconds = time.monotonic() - self.started_seconds - sum(self.evaluate_seconds[:-1]) - self._surplus()

    def _call_ends(self, batches: Batches) -> list[int]:
        """The epochs after which the training calls end; the last epoch apart where the last steps are to be."""
        ends = call_ends(batches.epochs, self.mode)
        steps = (batches.epochs - ([0, *ends])[-2]) * batches.steps
        self.apart = self.tail_steps is not None and steps > self.tail_steps and batches.epochs > 1
        if not self.apart:
            return ends
        return [*call_ends(batches.epochs - 1, self.mode), batches.epochs]

    def _train_in_two(self, model: Model, epoch: Batches) -> tuple[NDArray[np.float32], float]:
        """Trains one epoch in two calls, of which the second has the last steps; returns its losses and the seconds."""
        first = epoch.steps - (self.tail_steps or 0)
        parts = [*epoch.parts(0, first, first), *epoch.parts(first, epoch.steps, epoch.steps)]
        losses, seconds = zip(*(self.calls.train(model, part) for part in parts), strict=True)
        if all(part.steps_a_loss == 1 for part in self.calls.made[-2:]):
            return np.concatenate(losses, axis=1), sum(seconds)
        means = [part.epoch_means(loss)[0] * part.examples for part, loss in zip(parts, losses, strict=True)]
        return np.array([[sum(means) / epoch.examples]], np.float32), sum(seconds)

    def _surplus(self) -> float:
        """The seconds that the last epoch took longer because it was two calls."""
        others = [seconds / epochs for seconds, epochs in self.sorted_calls()[1]]
        return max(self.call_seconds[-1][0] - statistics.median(others), 0.0) if self.apart and others else 0.0

    def _note_epochs(
        self, end: int, epochs: int, means: NDArray[np.float64], accuracy: float | None, measure: Measure
    ) -> None:
        self.losses += [float(loss) for loss in means if np.isfinite(loss)]
        if accuracy is not None:
            self.accuracies.append(accuracy)
            self.accuracy_epochs.append(end)
        # A stock loop is evaluated only after its first and its last epoch, so it has no time to the target.
        reached = accuracy is not None and accuracy >= self.target_accuracy
        if self.mode == "tuned" and reached and self.seconds_to_target is None:
            self.seconds_to_target = sum(seconds for seconds, _ in self.call_seconds)
        loss = float(means[-1]) if np.isfinite(means[-1]) else None
        self.tell(EpochEnd(epoch=end, epochs=epochs, loss=loss, accuracy=accuracy, measure=measure))

    def evaluate(self, model: Model, dataset: Dataset) -> float | None:
        """The accuracy on the whole test set; None if it is not finite."""
        start = time.perf_counter()
        outputs = outputs_of(model, dataset.test_inputs)
        self.evaluate_seconds.append(time.perf_counter() - start)
        self.calls.keep_outputs(outputs)
        self.test_losses.append(test_loss(model, outputs, dataset))
        self.predictions = predicted_labels(outputs, model.recipe.loss, dataset.measure)
        accuracy = score(self.predictions, dataset.test_labels)
        return accuracy if math.isfinite(accuracy) else None

    def curve(self) -> Curve:
        """The curve of this training."""
        return make_curve(self.accuracy_epochs, self.test_losses, self.accuracies, apart=False)

    def sorted_calls(self) -> tuple[list[tuple[float, int]], list[tuple[float, int]]]:
        """The calls that compiled and the steady ones, each with seconds and epochs.

        The first call of each length compiles; of a stock loop, only the very first call does.
        """
        lengths: set[int] = set()
        first: list[tuple[float, int]] = []
        steady: list[tuple[float, int]] = []
        for seconds, epochs in self.call_seconds[: -1 if self.apart and len(self.call_seconds) > 1 else None]:
            compiled = epochs in lengths or (bool(lengths) and self.mode == "stock")
            (steady if compiled else first).append((seconds, epochs))
            lengths.add(epochs)
        return first, steady


def train_for_the_curve(model: Model, dataset: Dataset, batches: Batches) -> Curve:
    """The curve of a training off the clock, tested after each epoch, or about a hundred times."""
    losses, accuracies, means = [], [], []
    for call in call_batches(batches, "tuned"):
        means.append(call.epoch_means(model.train(call)))
        outputs = outputs_of(model, dataset.test_inputs)
        losses.append(test_loss(model, outputs, dataset))
        predictions = predicted_labels(outputs, model.recipe.loss, dataset.measure)
        accuracies.append(score(predictions, dataset.test_labels))
    training_losses = [float(loss) for loss in np.concatenate(means) if np.isfinite(loss)]
    curve = make_curve(call_ends(batches.epochs, "tuned"), losses, accuracies, apart=True)
    return curve.model_copy(update={"training_losses": training_losses})


def make_curve(epochs: Sequence[int], losses: Sequence[float], accuracies: Sequence[float], *, apart: bool) -> Curve:
    """A curve as far as its loss is finite."""
    finite = next((at for at, loss in enumerate(losses) if not np.isfinite(loss)), len(losses))
    return Curve(
        epochs=list(epochs[:finite]), losses=list(losses[:finite]), accuracies=list(accuracies[:finite]), apart=apart
    )


def test_loss(model: Model, outputs: NDArray[np.floating], dataset: Dataset) -> float:
    """The recipe's loss on the whole test set, from the outputs for it; a sum is scaled to a batch, as in training."""
    recipe = model.recipe
    loss, _ = loss_function(recipe)(outputs.astype(np.float64), dataset.test_labels)
    share = recipe.batch_size / len(outputs) if recipe.loss == "sum_of_squared_errors" else 1.0
    return float(loss * share)


def call_batches(batches: Batches, mode: str) -> list[Batches]:
    """The batches of each training call."""
    ends = call_ends(batches.epochs, mode)
    return [batches[begin:end] for begin, end in zip([0, *ends[:-1]], ends, strict=True)]


def call_ends(epochs: int, mode: str) -> list[int]:
    """The epochs after which each training call ends.

    A tuned call holds one epoch, or a hundredth of them all, and the accuracy is taken between calls, off the clock.
    A stock loop gets all epochs after the first in one call, as its users would call it.
    """
    size = max(1, epochs // 100 if mode == "tuned" else epochs - 1)
    ends = [1, *range(1 + size, epochs + 1, size)]
    return ends + list(range(ends[-1] + 1, epochs + 1))  # single epochs, for which the loop is compiled already
