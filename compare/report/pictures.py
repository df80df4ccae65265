"""Pictures of a run's arrays: confusion matrices, digits that a model gets wrong, first-layer weights."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compare.analysis.rows import Row
from compare.analysis.sections import Section
from compare.report.arrays import first_arrays
from compare.report.images import png, weights_picture
from tasks import load_task
from tasks.dataset import score
from tasks.errors import SideBySideError

ROWS = 6
"""Rows of a task whose confusion matrices, digits and weights are shown."""
FIRST_DIGITS = 16
"""Digits that are shown, right or wrong."""
WRONG_DIGITS = 24
"""Digits that are shown; of more, only the number is told."""


@dataclass(frozen=True)
class EvaluationSet:
    """The test set of a run.

    Attributes:
        labels: shape (n,).
        classes: a name for each label.
        images: by index, those that are at hand, shape (height, width); empty for a task that has no images.
    """

    labels: NDArray[Any]
    classes: tuple[str, ...]
    images: Mapping[int, NDArray[np.uint8]] = field(default_factory=dict)


@dataclass(frozen=True)
class AnsweredDigit:
    """A test image, and what the models make of it.

    Attributes:
        index: of the image in the test set.
        label: its class.
        image: a data URI.
        predictions: names of models, each with the class that it predicts.
    """

    index: int
    label: str
    image: str
    predictions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix.

    Attributes:
        names: models that have it.
        classes: names of the classes.
        counts: examples of each label (rows) by prediction (columns).
        shades: 0 to 4 for each count: more mistakes are darker; the diagonal, which would drown them, is not shaded.
    """

    names: str
    classes: tuple[str, ...]
    counts: list[list[int]]
    shades: list[list[int]]


@dataclass(frozen=True)
class Pictures:
    """What is shown of the arrays of a task's rows.

    Attributes:
        seed: of the runs whose arrays these are.
        more: number of rows that are not shown.
        confusions: one for each set of models with the same confusion matrix.
        first_digits: the first test images.
        digits: test images that a model gets wrong.
        digit_count: how many such images there are in all.
        weights: of each model's first layer: name, data URI, width and height.
        weights_apart: largest difference between a model's first-layer weights and those of the first model.
        omitted: whether digits and weights were left out to keep the page small.
    """

    seed: int
    more: int
    confusions: list[Confusion]
    first_digits: list[AnsweredDigit]
    digits: list[AnsweredDigit]
    digit_count: int
    weights: list[tuple[str, str, int, int]]
    weights_apart: float | None
    omitted: bool = False

    @property
    def characters(self) -> int:
        """The length of all digits and weights in a page."""
        digits = [*self.first_digits, *self.digits]
        return sum(len(digit.image) for digit in digits) + sum(len(image) for _, image, _, _ in self.weights)


def section_pictures(section: Section, folder: Path | None, *, own_data: bool) -> Pictures:
    """What the arrays in the run's folder show, as far as there are any, for the seed that most rows have.

    Args:
        section: the task's rows.
        folder: of the run.
        own_data: whether the run had the task's own data, and not those of a file.
    """
    seeds = Counter(seed for row in section.rows for seed in dict.fromkeys(run.seed for run in row.completed))
    seed = seeds.most_common(1)[0][0] if seeds else 0
    rows = [Row(tuple(run for run in row.completed if run.seed == seed), row.certificate) for row in section.rows]
    rows = [row for row in rows if row.runs][:ROWS]
    more = sum(bool(row.completed) for row in section.rows) - len(rows)
    kernels: dict[str, NDArray[Any]] = {}
    predictions: dict[str, NDArray[Any]] = {}
    test_set: EvaluationSet | None = None
    for row, arrays in zip(rows, first_arrays(rows, folder), strict=True):
        name = section.label(row)
        if "first_kernel" in arrays:
            kernels[name] = arrays["first_kernel"]
        if (answered := evaluation_set_of(row, arrays, own_data=own_data)) is None:
            continue
        if test_set is None or np.array_equal(test_set.labels, answered.labels):
            predictions[name] = arrays["predictions"]
            images = answered.images if test_set is None else {**answered.images, **test_set.images}
            test_set = replace(answered, images=images)
    largest = max((float(abs(kernel).max()) for kernel in kernels.values()), default=0.0)
    tiles = {name: weights_picture(kernel, largest) for name, kernel in kernels.items()}
    weights = [(name, *tile) for name, tile in tiles.items() if tile is not None]
    apart = None
    if len(kernels) > 1 and len({kernel.shape for kernel in kernels.values()}) == 1:
        first, *others = kernels.values()
        apart = max(float(abs(kernel - first).max()) for kernel in others)
    if test_set is None:
        return Pictures(seed, more, [], [], [], 0, weights, apart)
    digits, digit_count = wrong_digits(list(predictions), list(predictions.values()), test_set)
    first_digits = _answered(range(FIRST_DIGITS), list(predictions), list(predictions.values()), test_set)
    confusions = _confusions(predictions, test_set)
    return Pictures(seed, more, confusions, first_digits, digits, digit_count, weights, apart)


def _confusions(predictions: Mapping[str, NDArray[Any]], test_set: EvaluationSet) -> list[Confusion]:
    """The confusion matrices of the models' predictions, each once."""
    matrices: dict[bytes, tuple[list[str], NDArray[np.int64]]] = {}
    for name, predicted in predictions.items():
        counts = confusion(predicted, test_set)
        matrices.setdefault(counts.tobytes(), ([], counts))[0].append(name)
    confusions = []
    for names, counts in matrices.values():
        mistakes = counts * (1 - np.eye(len(counts), dtype=np.int64))
        shades = -(-4 * mistakes // max(int(mistakes.max()), 1))
        confusions.append(Confusion(", ".join(names), test_set.classes, counts.tolist(), shades.tolist()))
    return confusions


def evaluation_set_of(row: Row, arrays: Mapping[str, NDArray[Any]], *, own_data: bool) -> EvaluationSet | None:
    """The test set of a row's predictions, as the run kept it beside them; of older runs the task's own.

    None if it is not at hand, if the predictions do not fit it, or if their accuracy is not the one that was recorded.
    """
    predictions = arrays.get("predictions")
    test_set = _kept_evaluation_set(row, arrays)
    if test_set is None and own_data:
        test_set = _load_evaluation_set(row.first.task, row.first.recipe)
    if predictions is None or test_set is None or predictions.shape != test_set.labels.shape or not row.completed:
        return None
    for labels in (predictions, test_set.labels):
        if labels.dtype.kind == "f" or labels.min() < 0 or labels.max() >= len(test_set.classes):
            return None
    recorded = row.completed[0].accuracy
    return test_set if recorded is not None and abs(score(predictions, test_set.labels) - recorded) < 1e-9 else None


def _kept_evaluation_set(row: Row, arrays: Mapping[str, NDArray[Any]]) -> EvaluationSet | None:
    try:
        classes = load_task(row.first.task, row.first.recipe).source.classes
    except SideBySideError:
        return None
    if "labels" not in arrays:
        return None
    indices, images = (arrays.get(name, np.empty(0)) for name in ("wrong_indices", "wrong_images"))
    by_index: dict[int, NDArray[np.uint8]] = {}
    first = arrays.get("first_images", np.empty(0))
    for numbers, pictures in ((np.arange(len(first)), first), (indices, images)):
        if numbers.shape == pictures.shape[:1] and pictures.ndim == 3 and pictures.dtype == np.uint8:
            by_index |= dict(zip(numbers.tolist(), pictures, strict=True))
    return EvaluationSet(arrays["labels"], classes, by_index)


@lru_cache(maxsize=16)
def _load_evaluation_set(task: str, recipe: str) -> EvaluationSet | None:
    try:
        dataset = load_task(task, recipe).dataset()
    except SideBySideError:
        return None
    images = {} if dataset.test_images is None else dict(enumerate(dataset.test_images))
    return EvaluationSet(dataset.test_labels, dataset.classes, images)


def confusion(predictions: NDArray[Any], test_set: EvaluationSet) -> NDArray[np.int64]:
    """How many examples of each label (rows) are predicted as each label (columns), shape (classes, classes)."""
    counts = np.zeros((len(test_set.classes),) * 2, np.int64)
    np.add.at(counts, (test_set.labels.astype(np.int64), predictions.astype(np.int64)), 1)
    return counts


def wrong_digits(
    names: Sequence[str], predictions: Sequence[NDArray[Any]], test_set: EvaluationSet
) -> tuple[list[AnsweredDigit], int]:
    """Digits that any model gets wrong, first those on which the models disagree; and how many there are in all.

    Shown are those whose images are at hand.
    """
    if not test_set.images:
        return [], 0
    all_predictions = np.stack(predictions)
    wrong = (all_predictions != test_set.labels).any(axis=0)
    disputed = (all_predictions != all_predictions[0]).any(axis=0)
    indices = [*np.flatnonzero(wrong & disputed), *np.flatnonzero(wrong & ~disputed)]
    return _answered(indices, names, predictions, test_set), len(indices)


def _answered(
    indices: Iterable[int], names: Sequence[str], predictions: Sequence[NDArray[Any]], test_set: EvaluationSet
) -> list[AnsweredDigit]:
    """The digits whose images are at hand, with every model's answer."""
    return [
        AnsweredDigit(
            int(index),
            test_set.classes[test_set.labels[index]],
            png(255 - test_set.images[int(index)]),
            tuple((name, test_set.classes[int(all_[index])]) for name, all_ in zip(names, predictions, strict=True)),
        )
        for index in islice((index for index in indices if int(index) in test_set.images), WRONG_DIGITS)
    ]
