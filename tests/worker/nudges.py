"""Runs in a worker: how far the aligned model is from itself, from parameters a rounding error apart."""

import json
from pathlib import Path
from typing import Any

from backends import load_backend
from backends.numpy.noise import nudged
from compare.records.cell import Cell
from compare.records.request import EffectRequest
from compare.worker.effect import STEPS, Training
from tasks import load_task

COUNT = 50


def write(cell: dict[str, Any], aligned: str, answer: str) -> None:
    """Writes the steps, the noise that is taken for it, and the distances of fifty further trainings."""
    request = EffectRequest(cell=Cell(**cell), seeds=1, aligned=aligned)
    task = load_task(request.cell.task)
    training = Training(load_backend(request.cell.backend), task, request.cell, task.dataset())
    start = task.parameters(request.cell.seed)
    noise = training.write_aligned(start, Path(aligned))
    others = [nudged(task.architecture, start, seed) for seed in range(3, 3 + COUNT)]
    found = [training.distances_of(other, Path(aligned)) for other in others]
    Path(answer).write_text(json.dumps({"steps": list(STEPS), "noise": noise, "distances": found}))
