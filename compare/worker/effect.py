"""Trains a model with defaults of a framework turned on: its first steps, and its whole run from several seeds."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from backends import load_backend
from backends.base import Backend, Model
from backends.numpy.noise import nudged
from compare.records.effect import EffectFigures
from compare.records.event import Reply
from compare.records.request import EffectRequest
from compare.worker.answers import outputs_of
from compare.worker.evidence import load_cell_task
from compare.worker.turned import turned_on
from tasks.architecture import Parameters
from tasks.dataset import Dataset, predicted_labels, score
from tasks.task import Task

STEPS = (*range(11), *range(20, 101, 10))
"""The numbers of steps after which parameters are compared."""
NUDGES = 2
"""So many trainings of the aligned model from parameters a rounding error apart show how far rounding leads."""


def measure_effect(request: EffectRequest) -> Reply:
    """Does what the request asks."""
    backend = load_backend(request.cell.backend)
    backend.configure(request.threads)
    task, dataset = load_cell_task(request.cell, request.data)
    task = turned_on(task, request.turned)
    work = Training(backend, task, request.cell.seed, dataset, request)
    file = Path(request.aligned)
    distances, noise = work.distances(file) if request.turned else ([], work.write_aligned(file))
    figures = EffectFigures(
        steps=list(STEPS),
        distances=distances,
        noise=noise,
        accuracies=[work.accuracy(seed) for seed in range(request.seeds)],
        measure=dataset.measure,
    )
    return Reply(effect=figures)


class Training:
    """The trainings of one recipe, by one model that is built once."""

    def __init__(self, backend: Backend, task: Task, seed: int, dataset: Dataset, request: EffectRequest) -> None:
        self.task, self.seed, self.cell = task, seed, request.cell
        recipe = task.recipe
        cut = recipe.held_out or recipe.test_batch_size
        self.dataset = task.dataset(Path(request.data) if request.data else None) if cut else dataset
        # In the first of its loops, the tuned one.
        self.model: Model = backend.build(task, task.parameters(seed), device=self.cell.device)
        self.model.place(self.dataset)

    def parameters(self, seed: int) -> Parameters:
        return self.task.parameters(seed)

    def trajectory(self, start: Parameters) -> Iterator[tuple[int, Parameters]]:
        """The parameters after each of ``STEPS`` steps from some parameters, without the state of layers."""
        self.model.load_parameters(start)
        cell, examples = self.cell, len(self.dataset.train_labels)
        workload = {"examples": cell.examples, "batch_size": cell.batch_size}
        steps = self.task.batches(examples, self.seed, epochs=1, **workload).steps
        batches = self.task.batches(examples, self.seed, epochs=math.ceil(STEPS[-1] / steps), **workload)
        trained = self.task.architecture.parameter_shapes
        for step in range(STEPS[-1] + 1):
            if step:
                self.model.train(next(batches.parts(step - 1, step, 1)))
            if step in STEPS:
                parameters = self.model.parameters()
                yield step, {key: parameters[key] for key in trained}

    def write_aligned(self, file: Path) -> list[float]:
        """Keeps the first steps in a file; returns how far rounding alone leads from them."""
        arrays: dict[str, NDArray[np.floating]] = {}
        start = self.parameters(self.seed)
        for step, parameters in self.trajectory(start):
            arrays |= {f"{step} {key}": np.ascontiguousarray(array) for key, array in parameters.items()}
        save_file(arrays, file)
        noise = [0.0] * len(STEPS)
        for seed in range(1, NUDGES + 1):
            found = self.distances_of(nudged(self.task.architecture, start, seed), file)
            noise = [max(pair) for pair in zip(noise, found, strict=False)]
        return noise

    def distances(self, file: Path) -> tuple[list[float], list[float]]:
        return self.distances_of(self.parameters(self.seed), file), []

    def distances_of(self, start: Parameters, file: Path) -> list[float]:
        """The distances from the aligned model's first steps, as far as they are finite."""
        found = []
        with safe_open(file, framework="numpy") as aligned:
            for step, parameters in self.trajectory(start):
                squares, sizes = 0.0, 0.0
                for key, array in parameters.items():
                    beside = aligned.get_tensor(f"{step} {key}").astype(np.float64)
                    squares += float(((array - beside) ** 2).sum())
                    sizes += float((beside**2).sum())
                distance = math.sqrt(squares / sizes) if sizes else math.sqrt(squares)
                if not math.isfinite(distance):
                    break
                found.append(distance)
        return found

    def accuracy(self, seed: int) -> float | None:
        """The accuracy on the test set after the whole run from a seed; None where it is not finite."""
        cell = self.cell
        self.model.load_parameters(self.parameters(seed))
        self.model.train(
            self.task.batches(
                len(self.dataset.train_labels),
                seed,
                epochs=cell.epochs,
                examples=cell.examples,
                batch_size=cell.batch_size,
            )
        )
        outputs = outputs_of(self.model, self.dataset.test_inputs)
        predicted = predicted_labels(outputs, self.task.recipe.loss, self.dataset.measure)
        accuracy = score(predicted, self.dataset.test_labels)
        return float(accuracy) if math.isfinite(accuracy) else None
