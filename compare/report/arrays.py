"""Reads the arrays that a run left in its folder: predictions, the losses of each step, weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from compare.analysis.rows import Row
from compare.records.run import Run
from compare.records.weights import HISTOGRAM, SHAPE, STATISTICS
from tasks.errors import SideBySideError

LARGEST_FILE = 64_000_000
KINDS = {
    "predictions": "iuf",
    "labels": "iuf",
    "wrong_indices": "iu",
    "wrong_images": "u",
    "first_images": "u",
    "step_losses": "f",
    "first_kernel": "f",
    SHAPE: "i",
    STATISTICS: "f",
    HISTOGRAM: "i",
}
"""The first words of the names of the arrays that a report shows, and the kinds of numbers that each may hold."""


class ArraysError(SideBySideError):
    """A run's arrays cannot be read; the message is the reason."""


def _load(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        if path.stat().st_size > LARGEST_FILE or not path.is_file():
            raise ArraysError("too large" if path.is_file() else "not a regular file")
        arrays = load(path.read_bytes())
    except FileNotFoundError as error:
        raise ArraysError("missing") from error
    except OSError as error:
        raise ArraysError((error.strerror or "unreadable").lower()) from error
    except (SafetensorError, ValueError, LookupError) as error:  # the last: types that NumPy lacks
        raise ArraysError("damaged") from error
    return {
        name: array
        for name, array in arrays.items()
        if array.size and array.dtype.kind in KINDS.get(name.partition(" ")[0], "")
    }


def _path(run: Run, folder: Path) -> Path:
    path = folder / "arrays" / f"{run.file_name}.safetensors"
    earlier = path.with_name(f"{run.short_file_name}.safetensors")
    return earlier if earlier.exists() and not path.exists() else path


def read_arrays(run: Run, folder: Path | None) -> dict[str, NDArray[Any]]:
    """The run's arrays by name; empty if there are none, or if the file is not what it should be."""
    try:
        return {} if folder is None else _load(_path(run, folder))
    except ArraysError:
        return {}


def unread_arrays(rows: Sequence[Row], folder: Path | None) -> list[str]:
    """The files of the rows' first completed runs that cannot be read, each with the reason."""
    unread = []
    for path in [_path(row.completed[0], folder) for row in rows if row.completed and folder is not None]:
        try:
            _load(path)
        except ArraysError as reason:
            unread.append(f"{path.name} ({reason})")
    return unread


def first_arrays(rows: Sequence[Row], folder: Path | None) -> list[dict[str, NDArray[Any]]]:
    """For each row the arrays of its first completed run."""
    return [read_arrays(row.completed[0], folder) if row.completed else {} for row in rows]
