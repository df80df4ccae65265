"""What a run's arrays show: the loss of each step, confusions, wrong digits, first-layer weights."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compare.analysis.rows import Row
from compare.records.cell import Cell
from compare.records.run import Run
from tasks import load_task
from tasks.errors import SideBySideError

LARGEST_FILE = 64_000_000
WRONG_DIGITS = 24
UNITS = 16
"""Units of a dense first layer that are drawn; of a convolution all filters are, up to 64."""


@dataclass(frozen=True)
class EvaluationSet:
    """Labels and, for digits, images (n, 28, 28) of a task's test set."""

    labels: NDArray[Any]
    classes: tuple[str, ...]
    images: NDArray[np.uint8] | None


@dataclass(frozen=True)
class WrongDigit:
    """A digit that at least one model gets wrong."""

    index: int
    label: str
    image: str
    predictions: tuple[tuple[str, str], ...]


def read_arrays(run: Run, folder: Path | None) -> dict[str, NDArray[Any]]:
    """The arrays that the run left; none where there are none, or where the file is not what it should be."""
    if folder is None:
        return {}
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / "arrays" / f"{Cell.of(run.model_dump()).name}.safetensors"
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            return {}
        arrays = load_file(path)
    except (OSError, SafetensorError, ValueError, TypeError, AttributeError):  # the last two: types that NumPy lacks
        return {}
    kinds = {"predictions": "iu", "step_losses": "f", "first_kernel": "f"}
    return {name: array for name, array in arrays.items() if array.size and array.dtype.kind in kinds.get(name, "")}


def first_arrays(rows: Sequence[Row], folder: Path | None) -> list[dict[str, NDArray[Any]]]:
    """For each row the arrays of its first run that ended well."""
    return [read_arrays(row.completed[0], folder) if row.completed else {} for row in rows]


def evaluation_set_of(row: Row, predictions: NDArray[Any]) -> EvaluationSet | None:
    """The test set that the predictions are of, proved by the accuracy; None where it is not at hand."""
    found = _load_evaluation_set(row.first.task, row.first.recipe)
    if found is None or predictions.shape != found.labels.shape or not row.completed:
        return None
    if predictions.min() < 0 or predictions.max() >= len(found.classes):
        return None
    accuracy = float((predictions == found.labels).mean())
    recorded = row.completed[0].accuracy
    return found if recorded is not None and abs(accuracy - recorded) < 1e-9 else None


@lru_cache(maxsize=16)
def _load_evaluation_set(task: str, recipe: str) -> EvaluationSet | None:
    try:
        if load_task(task, recipe).prepare is not None:
            labels, images = _digits()
            return EvaluationSet(labels, tuple("0123456789"), images)
        dataset = load_task(task, recipe).load(None)
    except SideBySideError:
        return None
    return EvaluationSet(dataset.test_labels, dataset.classes, None)


@lru_cache(maxsize=1)
def _digits() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    from tasks.mnist import read_digits

    arrays = read_digits()
    return arrays["y_test"], arrays["x_test"]


def confusion(predictions: NDArray[Any], test_set: EvaluationSet) -> NDArray[np.int64]:
    """``(classes, classes)``: how many examples of each label (rows) were given each label (columns)."""
    counts = np.zeros((len(test_set.classes),) * 2, np.int64)
    np.add.at(counts, (test_set.labels.astype(np.int64), predictions.astype(np.int64)), 1)
    return counts


def wrong_digits(
    names: Sequence[str], predictions: Sequence[NDArray[Any]], test_set: EvaluationSet
) -> tuple[list[WrongDigit], int]:
    """The digits that any model gets wrong, those on which models disagree first; and how many there are in all."""
    if test_set.images is None:
        return [], 0
    all_predictions = np.stack(predictions)
    wrong = (all_predictions != test_set.labels).any(axis=0)
    disputed = (all_predictions != all_predictions[0]).any(axis=0)
    indices = [*np.flatnonzero(wrong & disputed), *np.flatnonzero(wrong & ~disputed)]
    found = [
        WrongDigit(
            int(index),
            test_set.classes[test_set.labels[index]],
            png(255 - test_set.images[index]),
            tuple((name, test_set.classes[int(given[index])]) for name, given in zip(names, predictions, strict=True)),
        )
        for index in indices[:WRONG_DIGITS]
    ]
    return found, len(indices)


def weights_picture(kernel: NDArray[Any], largest: float) -> tuple[str, int, int] | None:
    """A PNG of first-layer weights, with its width and height: each filter a tile, blue below 0 and orange above."""
    if kernel.ndim == 4:
        tiles = np.moveaxis(kernel[..., :64].mean(axis=2), -1, 0)
    elif kernel.ndim == 2 and kernel.shape[0] == 784:
        tiles = kernel[:, :UNITS].T.reshape(-1, 28, 28)
    elif kernel.ndim == 2 and kernel.size <= 4096:
        tiles = kernel[None]
    else:
        return None
    columns = min(len(tiles), 8)
    rows = -(-len(tiles) // columns)
    height, width = tiles.shape[1:]
    grid = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), 128, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = (index // columns) * (height + 1), (index % columns) * (width + 1)
        grid[top : top + height, left : left + width] = _diverging(tile / (largest or 1.0))
    return png(grid), grid.shape[1], grid.shape[0]


def _diverging(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Blue for -1, white for 0, orange for 1: told apart by every kind of colour vision."""
    low, high = np.array([0, 90, 181]), np.array([220, 100, 0])
    share = np.clip(np.nan_to_num(values), -1, 1)[..., None]
    colors = 255 + np.where(share < 0, -share * (low - 255), share * (high - 255))
    pixels: NDArray[np.uint8] = colors.astype(np.uint8)
    return pixels


def png(pixels: NDArray[Any]) -> str:
    """An image as a data URI; colours are reduced to 64, which keeps noise small."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels, np.uint8))
    if pixels.ndim == 3:
        image = image.quantize(64)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
