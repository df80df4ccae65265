"""A task: data, the recipes it is trained by, and how its inputs are prepared. Describes; knows no framework."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, floor
from pathlib import Path
from typing import Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tasks.architecture import Architecture, Parameters
from tasks.arithmetic import Arithmetic, split_recipe
from tasks.batches import Batches, draw_batches
from tasks.dataset import Dataset
from tasks.errors import FieldError, UnknownNameError
from tasks.initial import Initializer, draw_parameters
from tasks.layers import Dropout, OwnDropout
from tasks.schedules import CONSTANT, Schedule
from tasks.source import Source
from tasks.training import Adam, Loss, Optimizer, OptimizerState

RecipeName: TypeAlias = Literal["standard", "as-written", "as-published"]


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
        flaw: the mistake or the peculiarity of a source, for recipes that are kept to show it; empty for the others.
        schedule: how the learning rate changes in the course of the run.
        clip_norm: the largest norm that the gradients of all parameters have together; longer ones are scaled by
            ``clip_norm / norm``. None for no limit.
        label_smoothing: the share of each target that is spread evenly over all classes; for the cross-entropy.
        steps_an_epoch: training steps in an epoch; None until :meth:`Task.with_workload` has put it in.
        shuffle_buffer: the size of the buffer from which each next example is drawn where all are not shuffled at once;
            the buffer is filled in the order of the data set. None for a shuffle of them all.
        held_out: the share of the training examples, the last ones, that are not trained on.
        drop_remainder: whether the examples of an epoch that fill no batch are left out.
        test_batch_size: the test set is cut to whole batches of this size. None to keep all of it.
        decays_all: whether weight decay applies to all parameters; otherwise to kernels alone.
        arithmetic: ``tf32`` rounds the factors of matrix products and convolutions to 11 binary digits, as NVIDIA's
            GPUs can; with ``bfloat16`` layers compute with numbers of 8 digits, and parameters, normalizations, the
            loss and the optimizer's arithmetic stay in float32: what each framework calls mixed precision.
    """

    architecture: Architecture
    loss: Loss
    optimizer: Optimizer
    batch_size: int
    epochs: int
    shuffle: bool
    initializer: Initializer
    flaw: str = ""
    schedule: Schedule = CONSTANT
    clip_norm: float | None = None
    label_smoothing: float = 0.0
    steps_an_epoch: int | None = None
    shuffle_buffer: int | None = None
    held_out: float = 0.0
    drop_remainder: bool = False
    test_batch_size: int | None = None
    decays_all: bool = False
    arithmetic: Arithmetic = "float32"

    def __post_init__(self) -> None:
        if self.label_smoothing and self.loss != "cross_entropy":
            rule = f"is for the cross-entropy, not for {self.loss.replace('_', ' ')}"
            raise FieldError("recipe", "label_smoothing", rule)

    @cached_property
    def learning_rates(self) -> NDArray[np.float32] | None:
        """``(steps,)``: the learning rate of each step of the run; steps after these keep the last. None if constant.

        Raises:
            ValueError: the length of the run is not known.
        """
        if self.schedule == CONSTANT:
            return None
        if self.steps_an_epoch is None:
            raise ValueError("a schedule needs the length of the run: take the task from Task.with_workload")
        factors = self.schedule.factors(self.epochs * self.steps_an_epoch, self.steps_an_epoch)
        return (self.optimizer.learning_rate * factors).astype(np.float32)

    @cached_property
    def decayed(self) -> frozenset[str]:
        """The keys of the parameters to which weight decay applies."""
        return frozenset(p.key for p in self.architecture.parameters if self.decays_all or p.name.endswith("kernel"))

    def make_state(self, moments: Sequence[Parameters], steps: int) -> OptimizerState:
        """The optimizer's state in its canonical form, from the moments in the rule's order and the number of steps."""
        pairs = zip(self.optimizer.moments, moments, strict=True)
        state: OptimizerState = {f"{name}/{key}": array for name, of_one in pairs for key, array in of_one.items()}
        counts = isinstance(self.optimizer, Adam) or self.schedule != CONSTANT
        return state | {"steps": np.array(steps, np.int64)} if counts else state


@dataclass(frozen=True)
class Preset:
    """How long a task is trained.

    Attributes:
        epochs: passes over the data.
        examples: training examples in one epoch; None for all of them.
        learning_rate: in place of the recipe's, where that is too low for so few steps.
        batch_size: in place of the recipe's, where its steps are so large that certifying takes minutes.
    """

    epochs: int
    examples: int | None = None
    learning_rate: float | None = None
    batch_size: int | None = None


@dataclass(frozen=True)
class Task:
    """A task, with one of its recipes chosen; ``tasks.load_task`` gives one by name.

    Attributes:
        name: as on the command line.
        summary: one line for people.
        recipes: by name; ``standard``, and for some tasks ``as-written``, a source's recipe with its mistake, or
            ``as-published``, an example of a framework to the letter.
        target_accuracy: the test accuracy that "time to target" means for this task.
        source: the whole data set, of which :meth:`dataset` gives what a recipe takes.
        quick: the preset ``quick``; the preset ``full`` is the recipe as it stands.
        recipe_name: which of the recipes is chosen.
    """

    name: str
    summary: str
    recipes: Mapping[str, Recipe]
    target_accuracy: float
    source: Source
    quick: Preset = Preset(1)
    recipe_name: str = "standard"

    @property
    def recipe(self) -> Recipe:
        """The recipe that is chosen."""
        return self.recipes[self.recipe_name]

    @property
    def architecture(self) -> Architecture:
        """The network of the chosen recipe."""
        return self.recipe.architecture

    def dataset(self, file: Path | None = None) -> Dataset:
        """The examples that the chosen recipe trains on and tests with: the task's own, or those of a file.

        Raises:
            DataError: they cannot be read.
        """
        whole, recipe = self.source.load(file), self.recipe
        trained, tested = len(whole.train_labels), len(whole.test_labels)
        if recipe.test_batch_size:
            tested = tested // recipe.test_batch_size * recipe.test_batch_size or tested
        return whole.first(ceil(trained * (1 - recipe.held_out)), tested)

    def with_recipe(self, name: str) -> Self:
        """The same task with another of its recipes; ``standard-bfloat16`` is ``standard`` in another arithmetic.

        Raises:
            UnknownNameError: the task has no such recipe.
        """
        if name not in self.recipes:
            first, arithmetic = split_recipe(name)
            if first in self.recipes:
                recipe = replace(self.recipes[first], arithmetic=arithmetic)
                return replace(self, recipes={**self.recipes, name: recipe}, recipe_name=name)
            raise UnknownNameError(f"recipe of {self.name}", name, tuple(self.recipes))
        return replace(self, recipe_name=name)

    def with_learning_rate(self, rate: float | None) -> Self:
        """The same task, whose chosen recipe has another learning rate; None leaves the recipe's."""
        if rate is None:
            return self
        recipe = replace(self.recipe, optimizer=replace(self.recipe.optimizer, learning_rate=rate))
        return replace(self, recipes={**self.recipes, self.recipe_name: recipe})

    def with_own_randomness(self) -> Self:
        """The same task, in whose chosen recipe each framework draws the masks of dropout for itself."""
        recipe = self.recipe
        nodes = [
            replace(node, layer=OwnDropout(node.layer.rate)) if isinstance(node.layer, Dropout) else node
            for node in recipe.architecture.nodes
        ]
        recipe = replace(recipe, architecture=replace(recipe.architecture, nodes=tuple(nodes)))
        return replace(self, recipes={**self.recipes, self.recipe_name: recipe})

    def with_workload(
        self,
        example_count: int,
        *,
        epochs: int | None = None,
        examples: int | None = None,
        batch_size: int | None = None,
    ) -> Self:
        """The same task, whose chosen recipe knows how long its run is; the arguments are those of ``batches``."""
        recipe = self.recipe
        count = min(example_count, examples or example_count)
        steps = count / min(batch_size or recipe.batch_size, count)
        recipe = replace(
            recipe,
            epochs=recipe.epochs if epochs is None else epochs,
            batch_size=batch_size or recipe.batch_size,
            steps_an_epoch=floor(steps) if recipe.drop_remainder else ceil(steps),
        )
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
        batches = draw_batches(
            example_count,
            batch_size or recipe.batch_size,
            recipe.epochs if epochs is None else epochs,
            seed,
            shuffle=recipe.shuffle,
            buffer=recipe.shuffle_buffer,
            examples=examples,
        )
        return replace(batches, remainder=batches.remainder[:, :0]) if recipe.drop_remainder else batches
