"""Reads the arrays that a run left in its folder: predictions, the losses of each step, first-layer weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from compare.analysis.rows import Row
from compare.plan import Cell
from compare.results import Run

LARGEST_FILE = 64_000_000
KINDS = {"predictions": "iu", "step_losses": "f", "first_kernel": "f"}
"""The arrays that a report shows, and the kinds of numbers that each may hold."""


def read_arrays(run: Run, folder: Path | None) -> dict[str, NDArray[Any]]:
    """The run's arrays by name; empty if there are none, or if the file is not what it should be."""
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
    return {name: array for name, array in arrays.items() if array.size and array.dtype.kind in KINDS.get(name, "")}


def first_arrays(rows: Sequence[Row], folder: Path | None) -> list[dict[str, NDArray[Any]]]:
    """For each row the arrays of its first completed run."""
    return [read_arrays(row.completed[0], folder) if row.completed else {} for row in rows]
