"""Checks of runs: what the run that was timed left, held against what the reference makes of the same steps."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from compare.certify import curves, replay
from compare.certify.parts import Part, choose_parts, window_steps
from compare.executors.base import Executor
from compare.records.cell import Cell
from compare.records.check import Check, Window
from compare.records.event import TrainingCall
from compare.records.request import CellRequest, ReplayRequest
from compare.records.run import Run
from compare.run.options import RunOptions
from compare.run.references import References
from tasks import load_task
from tasks.dataset import Labels, predicted_labels, score
from tasks.task import Task
from tasks.training import Adam

SECOND_LOOKS = 6
"""The most runs that are trained again because their losses are too far from the others'."""


class Replays:
    """Checks the runs of one comparison.

    Args:
        options: of the comparison.
        references: has the reference compute.
    """

    def __init__(self, options: RunOptions, references: References) -> None:
        self.data = options.data_file
        self.references = references
        self._tuned: set[curves.Work] = set()
        self._measured: set[curves.Work] = set()

    def begin(self, cells: Iterable[Cell], runs: Iterable[Run]) -> None:
        """Takes note of all cells of the comparison, and of the runs that it has already."""
        self._tuned = {curves.work_of(cell) for cell in cells if cell.mode == "tuned"}
        self._measured = {curves.work_of(run) for run in runs if run.nudged_losses}

    def extended(self, request: CellRequest, folder: Path) -> CellRequest:
        """A cell's request, with what a check needs.

        Args:
            request: of a cell that is trained.
            folder: for what the training calls leave.
        """
        cell = request.cell
        tail_steps = self._window_steps(cell)
        # The first cell of its work shows how far rounding leads, one with a tuned loop where there is one.
        work = curves.work_of(cell)
        measures = work not in self._measured and (cell.mode == "tuned" or work not in self._tuned)
        nudges = curves.NUDGES if measures else 0
        update = {"calls": str(folder), "tail_steps": tail_steps, "nudges": nudges, "nudge": self._nudge(cell)}
        return request.model_copy(update=update)

    def check(self, run: Run, calls: Sequence[TrainingCall], folder: Path) -> Check:
        """Checks a run.

        Args:
            run: what its worker tells of it.
            calls: the training calls that the worker made.
            folder: what they left, and room for what the reference computes.

        Raises:
            ReferenceFailedError: the reference could not be computed.
        """
        if run.nudged_losses:
            self._measured.add(curves.work_of(run))
        task = self._task(run)
        count, labels = _labels(run.task, run.recipe, self.data)
        batches = task.batches(count, run.seed, epochs=run.epochs, examples=run.examples, batch_size=run.batch_size)
        steps = batches.epochs * batches.steps
        if failure := _plain_failure(run, calls, folder, batches.sha256(), steps, labels):
            return Check(outcome="refused", failure=failure, steps=steps)
        seed = secrets.randbits(32)
        parts = choose_parts(calls, steps, self._window_steps(run), seed)
        if not any(part.last_step == steps for part in parts):
            return Check(outcome="undecidable", failure="the last steps cannot be computed again", steps=steps)
        random = np.random.RandomState(seed)
        drawn = [random.permutation(len(labels))[: replay.TEST_EXAMPLES].tolist() for _ in parts]
        windows = self._windows(run, task, parts, drawn, calls, folder)
        outcome, failure = replay.outcome_of(task, windows, steps)
        return Check(outcome=outcome, failure=failure, steps=steps, seed=seed, windows=windows)

    def look_again(self, runs: Sequence[Run], executor: Executor) -> Iterator[Run]:
        """Runs that are too far from the others, each with the losses of trainings from moved parameters."""
        refused = [run for run in curves.check_curves(runs) if run.check is not None and not run.check.passed]
        for run in refused[:SECOND_LOOKS]:
            request = CellRequest(
                cell=run.cell,
                data=None if self.data is None else str(self.data),
                formulation=str(run.settings.get("formulation", "")) or None,
                nudges=curves.NUDGES,
                nudge=self._nudge(run),
            )
            again = executor.ask(run.backend, request).run
            (before,) = (other for other in runs if other.cell == run.cell)
            if again is not None and again.nudged_losses:
                yield before.model_copy(update={"second_losses": again.nudged_losses})

    def _nudge(self, cell: Cell) -> float:
        """How far parameters are moved at least, beyond their own rounding."""
        recipe = self._task(cell).recipe
        of_adam = curves.ADAM_NUDGE * recipe.optimizer.learning_rate if isinstance(recipe.optimizer, Adam) else 0.0
        return max(of_adam, curves.NUDGE[recipe.arithmetic])

    def _windows(
        self,
        run: Run,
        task: Task,
        parts: Sequence[Part],
        drawn: Sequence[list[int]],
        calls: Sequence[TrainingCall],
        folder: Path,
    ) -> list[Window]:
        """Has the windows computed and judges them; one in which the run is too far off is computed more often."""
        first = [
            replay.request_for(part, run.cell, task, examples, folder, folder)
            for part, examples in zip(parts, drawn, strict=True)
        ]
        windows = []
        for part, examples, copies in zip(parts, drawn, self._compute(run, first), strict=True):
            left = _left(part, calls, folder, examples)
            window = replay.judge_window(part, task, left, copies[0], copies[1:])
            for look, request in enumerate(replay.further_requests_for(part, run.cell, task, examples, folder, folder)):
                late = look == 0 or replay.parts_late(task, left, copies[0], copies[1:])
                if window.may_be_rounding and late:
                    copies += self._compute(run, [request])[0]
                    window = replay.judge_window(part, task, left, copies[0], copies[1:])
            windows.append(window)
        return windows

    def _compute(self, cell: Cell, requests: Sequence[ReplayRequest]) -> list[list[replay.Arrays]]:
        """What the reference computes for each request, a set of arrays a copy."""
        update = {"data": None if self.data is None else str(self.data)}
        self.references.compute(cell, [request.model_copy(update=update) for request in requests])
        return [[load_file(copy.path) for copy in request.copies] for request in requests]

    def _window_steps(self, cell: Cell) -> int:
        task = self._task(cell)
        return window_steps(task, cell.batch_size or task.recipe.batch_size)

    def _task(self, cell: Cell) -> Task:
        return load_task(cell.task, cell.recipe).with_learning_rate(cell.learning_rate)


@lru_cache(maxsize=1)
def _labels(task: str, recipe: str, file: Path | None) -> tuple[int, Labels]:
    """The number of training examples, and the labels of the test set."""
    dataset = load_task(task, recipe).dataset(file)
    return len(dataset.train_labels), dataset.test_labels


def _plain_failure(
    run: Run, calls: Sequence[TrainingCall], folder: Path, batches_sha256: str, steps: int, labels: Labels
) -> str:
    """What is wrong with a run and needs no computation of the reference to be seen; empty if nothing is."""
    if run.batches_sha256 != batches_sha256:
        return "hash of the batches of the run"
    if not any(call.last_step == steps for call in calls):
        return f"steps: the recipe has {steps}"
    if run.test_examples != len(labels):
        return f"test examples: {run.test_examples} of {len(labels)}"
    task = load_task(run.task, run.recipe)
    for epoch, accuracy in zip(run.accuracy_epochs, run.accuracies, strict=True):
        number = next(at for at, call in enumerate(calls, 1) if call.last_step == epoch * steps // run.epochs)
        outputs = load_file(folder / f"{number}.outputs.safetensors")["outputs"]
        predicted = predicted_labels(outputs, task.recipe.loss, task.source.measure)
        if predicted.shape != labels.shape or score(predicted, labels) != accuracy:
            return f"test accuracy after epoch {epoch}"
    return ""


def _left(part: Part, calls: Sequence[TrainingCall], folder: Path, examples: Sequence[int]) -> dict[str, NDArray[Any]]:
    """What a run did in a window, and held at its end."""
    losses, steps = [], []
    arrays: dict[str, NDArray[Any]] = {}
    for number in part.calls:
        arrays = load_file(folder / f"{number + 1}.safetensors")
        values = arrays["losses"].ravel()
        losses.append(values)
        steps.append(np.full(len(values), calls[number].steps_a_loss))
    left = {replay.LOSSES: np.concatenate(losses), "steps": np.concatenate(steps)}
    if not part.ends_call:
        return {name: array[: part.steps // calls[part.calls[0]].steps_a_loss] for name, array in left.items()}
    left |= {name: array for name, array in arrays.items() if name.startswith(replay.PARAMETER)}
    outputs = folder / f"{part.calls[-1] + 1}.outputs.safetensors"
    if outputs.exists():
        left[replay.OUTPUTS] = load_file(outputs)["outputs"][list(examples)]
    return left
