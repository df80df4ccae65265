"""A task: data, the recipes it is trained by, and how its inputs are prepared. Describes; knows no framework."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tasks.architecture import Architecture, Parameters
from tasks.batches import Batches, draw_batches
from tasks.dataset import Dataset
from tasks.errors import UnknownNameError
from tasks.initial import Initializer, draw_parameters
from tasks.training import Loss, Optimizer


@dataclass(frozen=True)
class Recipe:
    """How a task is trained.

    Attributes:
        architecture: the network.
        loss: what is minimised.
        optimizer: the rule by which the parameters are updated.
        batch_size: examples in one step.
        epochs: passes over the training data.
        shuffle: whether each epoch has an order of its own; otherwise the order of the data set is kept.
        initializer: how the initial parameters are drawn.
        flaw: what is wrong with this recipe, for those that are kept because their mistake is worth teaching.
    """

    architecture: Architecture
    loss: Loss
    optimizer: Optimizer
    batch_size: int
    epochs: int
    shuffle: bool
    initializer: Initializer
    flaw: str = ""


@dataclass(frozen=True)
class Preset:
    """How long a task is trained.

    Attributes:
        epochs: passes over the data.
        examples: training examples in one epoch; None for all of them.
    """

    epochs: int
    examples: int | None = None


@dataclass(frozen=True)
class Task:
    """A task, with one of its recipes chosen; ``tasks.load_task`` gives one by name.

    Attributes:
        name: as on the command line.
        summary: one line for people.
        recipes: by name; ``standard``, and for some tasks ``as-written``: a source's recipe with its mistake.
        target_accuracy: the test accuracy that "time to target" means for this task.
        load: returns the data set; takes a file to read in place of the task's own data, or None.
        classes: a name for each label.
        quick: the preset ``quick``; the preset ``full`` is the recipe as it stands.
        prepare: turns 8-bit images (n, 28, 28) into the network's inputs; None where the inputs are plain numbers.
        accepts_file: whether ``load`` can read another data set from a file.
        recipe_name: which of the recipes is chosen.
    """

    name: str
    summary: str
    recipes: Mapping[str, Recipe]
    target_accuracy: float
    load: Callable[[Path | None], Dataset]
    classes: tuple[str, ...] = ()
    quick: Preset = Preset(1)
    prepare: Callable[[NDArray[np.uint8]], NDArray[np.float32]] | None = None
    accepts_file: bool = False
    recipe_name: str = "standard"

    @property
    def recipe(self) -> Recipe:
        """The recipe that is chosen."""
        return self.recipes[self.recipe_name]

    @property
    def architecture(self) -> Architecture:
        """The network of the chosen recipe."""
        return self.recipe.architecture

    def with_recipe(self, name: str) -> Self:
        """The same task with another of its recipes.

        Raises:
            UnknownNameError: the task has no such recipe.
        """
        if name not in self.recipes:
            raise UnknownNameError(f"recipe of {self.name}", name, tuple(self.recipes))
        return replace(self, recipe_name=name)

    def with_learning_rate(self, rate: float | None) -> Self:
        """The same task, whose chosen recipe has another learning rate; None leaves the recipe's."""
        if rate is None:
            return self
        recipe = replace(self.recipe, optimizer=replace(self.recipe.optimizer, learning_rate=rate))
        return replace(self, recipes={**self.recipes, self.recipe_name: recipe})

    def parameters(self, seed: int) -> Parameters:
        """The initial parameters for a seed."""
        return draw_parameters(self.architecture, self.recipe.initializer, seed)

    def batches(
        self,
        example_count: int,
        seed: int,
        *,
        epochs: int | None = None,
        examples: int | None = None,
        batch_size: int | None = None,
    ) -> Batches:
        """The recipe's batches for a seed; see :func:`tasks.batches.draw_batches`."""
        recipe = self.recipe
        return draw_batches(
            example_count,
            batch_size or recipe.batch_size,
            recipe.epochs if epochs is None else epochs,
            seed,
            shuffle=recipe.shuffle,
            examples=examples,
        )
