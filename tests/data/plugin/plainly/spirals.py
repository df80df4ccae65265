"""A task of another package, with data that are computed."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from tasks.architecture import sequence
from tasks.dataset import Dataset
from tasks.layers import Dense, Shape, Tanh
from tasks.source import Source
from tasks.task import Recipe, Task
from tasks.training import Adam


@dataclass(frozen=True)
class Spirals(Source):
    """Points on two spirals."""

    kind: ClassVar[str] = "spirals"
    classes = ("left", "right")

    @property
    def input_shape(self) -> Shape:
        return (2,)

    def load(self, file: Path | None) -> Dataset:
        turn, side = np.repeat(np.linspace(0.5, 3, 60), 2), np.tile([0, 1], 60)
        angle = turn + np.pi * side
        points = np.stack([turn * np.cos(angle), turn * np.sin(angle)], 1).astype(np.float32)
        labels = side.astype(np.int32)
        return Dataset(points, labels, points[::3], labels[::3], self.classes)


def make_task() -> Task:
    network = sequence((2,), [Dense(16), Tanh(), Dense(2)])
    recipe = Recipe(network, "cross_entropy", Adam(0.02), 20, 30, shuffle=True, initializer="pytorch")
    return Task("spirals", "two spirals", {"standard": recipe}, 0.9, Spirals())
