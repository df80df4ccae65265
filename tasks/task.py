"""What is learned: tasks, data sets, recipes, losses and optimizers, described without a framework."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.architecture import Architecture, Initializer, Parameters, draw_parameters
from tasks.batches import Batches, draw_batches
from tasks.reproducible import sha256_of

Loss = Literal["cross_entropy", "negative_log_likelihood", "sum_of_squared_errors"]
"""The loss of a batch, from the network's outputs ``z`` (n, outputs) and the labels ``y`` (n,).

``cross_entropy``: the mean of ``logsumexp(z) - z[y]``: z are logits.
``negative_log_likelihood``: the mean of ``-z[y]``: z should be log-probabilities.
``sum_of_squared_errors``: the sum of ``(z - y)**2``, for one output.
"""


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum: ``v = momentum * v + g; p -= learning_rate * v``."""

    learning_rate: float
    momentum: float = 0.0


@dataclass(frozen=True)
class Adam:
    """Adam as in Kingma and Ba (2015), algorithm 1: epsilon is added to the bias-corrected root.

    ``m = beta_1 m + (1 - beta_1) g; v = beta_2 v + (1 - beta_2) g**2;``
    ``p -= learning_rate * (m / (1 - beta_1**t)) / (sqrt(v / (1 - beta_2**t)) + epsilon)``
    """

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8


Optimizer = SGD | Adam


@dataclass(frozen=True)
class Recipe:
    """How a task is trained.

    Attributes:
        flaw: what is wrong with this recipe, for those kept because their mistake is worth teaching.
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
class Pixels:
    """The training images before normalisation, for input pipelines that normalise as they go.

    Attributes:
        images: uint8, ``(n, height, width)``.
        mean: subtracted from ``images / 255``.
        std: divides the difference.
    """

    images: NDArray[np.uint8]
    mean: float
    std: float


@dataclass(frozen=True)
class Dataset:
    """Examples ready for training.

    Attributes:
        train_inputs: float32, ``(n, *input_shape)``; images NHWC.
        train_labels: int32, ``(n,)``.
        test_inputs: float32, ``(m, *input_shape)``.
        test_labels: int32, ``(m,)``.
        classes: a name for each label.
        pixels: where ``train_inputs`` are normalised images, the images they come from.
    """

    train_inputs: NDArray[np.float32]
    train_labels: NDArray[np.int32]
    test_inputs: NDArray[np.float32]
    test_labels: NDArray[np.int32]
    classes: tuple[str, ...]
    pixels: Pixels | None = None

    @cached_property
    def train_sha256(self) -> str:
        """The hash of the training inputs and labels."""
        return sha256_of({"inputs": self.train_inputs, "labels": self.train_labels})


@dataclass(frozen=True)
class Task:
    """A task with the recipe that was chosen for it; ``tasks.load_task`` makes one.

    Attributes:
        name: as on the command line.
        summary: one line for people.
        recipe_name: ``standard`` or ``as-written``.
        recipe: how it is trained.
        target_accuracy: the test accuracy that "time to target" means for this task.
        load: gives the data set; takes a file to read in place of the task's own data, or None.
        classes: a name for each label.
        prepare: from 8-bit images (n, 28, 28) to the network's inputs; None where the inputs are plain numbers.
    """

    name: str
    summary: str
    recipe_name: str
    recipe: Recipe
    target_accuracy: float
    load: Callable[[Path | None], Dataset]
    classes: tuple[str, ...] = ()
    prepare: Callable[[NDArray[np.uint8]], NDArray[np.float32]] | None = None

    @property
    def architecture(self) -> Architecture:
        return self.recipe.architecture

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


def predicted_labels(outputs: NDArray[np.floating]) -> NDArray[np.int64]:
    """The labels that outputs (n, outputs) stand for: the largest; with a single output, whether it exceeds 1/2."""
    return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(np.int64)


def check_parameters(architecture: Architecture, parameters: Mapping[str, NDArray[Any]]) -> None:
    """Raises ValueError, naming the first difference, unless names and shapes are the architecture's."""
    expected = architecture.parameter_shapes
    for name in [*expected, *parameters]:
        if name not in parameters:
            raise ValueError(f"parameter {name} is missing")
        if name not in expected:
            raise ValueError(f"parameter {name} is not in the architecture")
        if parameters[name].shape != expected[name]:
            raise ValueError(f"parameter {name} has shape {parameters[name].shape}, not {expected[name]}")
