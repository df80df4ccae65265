"""Trains a model with defaults of a framework turned on: its first steps, and its whole run from several seeds."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from backends import load_backend
from backends.base import Backend, Model
from backends.numpy.noise import nudged
from compare.records.cell import Cell
from compare.records.effect import EffectFigures
from compare.records.event import Reply
from compare.records.request import EffectRequest
from compare.worker.answers import outputs_of
from compare.worker.evidence import load_cell_task
from compare.worker.turned import turned_on
from tasks.architecture import Parameters
from tasks.batches import Batches
from tasks.dataset import Dataset, predicted_labels, score
from tasks.reproducible import random_stream
from tasks.task import Task

STEPS = (*range(11), *range(20, 101, 10))
"""The numbers of steps after which parameters are compared."""
LARGEST = 1e9
"""A distance that is larger, relative to the parameters' size, is of a model that diverges."""
NUDGES = 2
"""So many trainings of the aligned model from parameters a rounding error apart show how far rounding leads."""


def measure_effect(request: EffectRequest) -> Reply:
    """Does what the request asks."""
    backend = load_backend(request.cell.backend)
    backend.configure(request.threads)
    cell = request.cell
    task, dataset = load_cell_task(cell, request.data)
    dataset = part_of(dataset, cell.examples)
    task = turned_on(task, request.turned)
    task = task.with_workload(len(dataset.train_labels), epochs=cell.epochs, batch_size=cell.batch_size)
    work = Training(backend, task, cell, dataset)
    file, start = Path(request.aligned), task.parameters(cell.seed)
    figures = EffectFigures(
        steps=list(STEPS),
        distances=work.distances_of(start, file) if request.turned else [],
        noise=[] if request.turned else work.write_aligned(start, file),
        accuracies=[work.accuracy(seed) for seed in range(request.seeds)],
        measure=dataset.measure,
        test_examples=len(dataset.test_labels),
    )
    return Reply(effect=figures)


def part_of(dataset: Dataset, examples: int | None) -> Dataset:
    """A data set with so many of the training examples, drawn once; all of them where None are asked for.

    A preset that takes a part of the data in each epoch takes other examples in each, or the same ones where their
    order is kept. Here all recipes have the same ones, so that a change of the order is no change of the examples.
    """
    count = len(dataset.train_labels)
    if examples is None or examples >= count:
        return dataset
    chosen = np.sort(random_stream(0, "batches").random_sample(count).argsort()[:examples])
    inputs, labels = dataset.train_inputs[chosen], dataset.train_labels[chosen]
    return replace(dataset, train_inputs=inputs, train_labels=labels, raw_images=None)


class Training:
    """The trainings of one recipe, by one model that is built once."""

    def __init__(self, backend: Backend, task: Task, cell: Cell, dataset: Dataset) -> None:
        self.task, self.seed, self.cell, self.dataset = task, cell.seed, cell, dataset
        # In the first of its loops, the tuned one.
        self.model: Model = backend.build(task, task.parameters(cell.seed), device=cell.device)
        self.model.place(self.dataset)

    def batches(self, seed: int, epochs: int) -> Batches:
        """The batches of a seed, of all examples that there are."""
        count, size = len(self.dataset.train_labels), self.cell.batch_size
        return self.task.batches(count, seed, epochs=epochs, batch_size=size)

    def trajectory(self, start: Parameters) -> Iterator[tuple[int, Parameters]]:
        """The parameters after each of ``STEPS`` steps from some parameters, without the state of layers."""
        self.model.load_parameters(start)
        steps = self.batches(self.seed, 1).steps
        batches = self.batches(self.seed, math.ceil(STEPS[-1] / steps))
        trained = self.task.architecture.parameter_shapes
        for step in range(STEPS[-1] + 1):
            if step:
                self.model.train(next(batches.parts(step - 1, step, 1)))
            if step in STEPS:
                parameters = self.model.parameters()
                yield step, {key: parameters[key] for key in trained}

    def write_aligned(self, start: Parameters, file: Path) -> list[float]:
        """Keeps the first steps in a file; returns how far rounding alone leads from them."""
        arrays: dict[str, NDArray[np.floating]] = {}
        for step, parameters in self.trajectory(start):
            arrays |= {f"{step} {key}": np.ascontiguousarray(array) for key, array in parameters.items()}
        save_file(arrays, file)
        noise = [0.0] * len(STEPS)
        for seed in range(1, NUDGES + 1):
            found = self.distances_of(nudged(self.task.architecture, start, seed), file)
            noise = [max(pair) for pair in zip(noise, found, strict=False)]
        return noise

    def distances_of(self, start: Parameters, file: Path) -> list[float]:
        """The distances from the aligned model's first steps, until they are no longer finite, or beyond all bounds."""
        found = []
        with safe_open(file, framework="numpy") as aligned:
            for step, parameters in self.trajectory(start):
                squares, sizes = 0.0, 0.0
                for key, array in parameters.items():
                    beside = aligned.get_tensor(f"{step} {key}").astype(np.float64)
                    squares += float(((array - beside) ** 2).sum())
                    sizes += float((beside**2).sum())
                distance = math.sqrt(squares / sizes) if sizes else math.sqrt(squares)
                if not distance < LARGEST:  # nor is it a number
                    break
                found.append(distance)
        return found

    def accuracy(self, seed: int) -> float | None:
        """The accuracy on the test set after the whole run from a seed; None where it is not finite."""
        self.model.load_parameters(self.task.parameters(seed))
        self.model.train(self.batches(seed, self.cell.epochs))
        outputs = outputs_of(self.model, self.dataset.test_inputs)
        if not np.isfinite(outputs).all():
            return None
        predicted = predicted_labels(outputs, self.task.recipe.loss, self.dataset.measure)
        accuracy = score(predicted, self.dataset.test_labels)
        return float(accuracy) if math.isfinite(accuracy) else None
