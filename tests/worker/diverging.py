"""Trainings that diverge at a step of choice, in the process that holds the framework."""

import time
from dataclasses import replace
from typing import Any

import numpy as np

from backends.base import Model
from compare.worker.calls import Calls
from compare.worker.training import Training
from tasks.initial import draw_parameters
from tasks.layers import Dense, ReLU
from tests.samples import make_sample

STEPS = 100
SAMPLE = make_sample((5,), (Dense(4), ReLU(), Dense(3)), count=4 * STEPS, batch_size=4)
"""Two epochs of 100 steps, so that in the first no example comes twice."""
INITIAL = draw_parameters(SAMPLE.recipe.architecture, SAMPLE.recipe.initializer, seed=0)


def diverged_steps(model: Model, mode: str, steps: list[int]) -> list[int | None]:
    """In the framework's process: the step that is found for each at which an example holds NaN."""
    return [_diverged_step(model, mode, step) for step in steps]


def _diverged_step(model: Model, mode: str, step: int) -> int | None:
    inputs = SAMPLE.dataset.train_inputs.copy()
    inputs[SAMPLE.batches.indices[0, step - 1, 0]] = np.nan
    dataset = replace(SAMPLE.dataset, train_inputs=inputs)
    model.load_parameters(INITIAL)
    model.place(dataset)
    training = Training(mode, 1.0, time.monotonic(), _ignore, Calls(None))
    training.run(model, dataset, SAMPLE.batches)
    return training.diverged


def _ignore(event: Any) -> None: ...
