"""Data in files, as a user might have them."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from PIL import Image

from tasks.array_files import IDX, NPZ, NumPyFolder
from tasks.file_source import FileSource
from tasks.idx import IDX_NAMES


def arrays(**changed: Any) -> dict[str, Any]:
    random = np.random.RandomState(0)
    return {
        "x_train": random.randint(0, 256, (12, 4, 5), np.uint8),
        "y_train": np.arange(12) % 3,
        "x_test": random.randint(0, 256, (6, 4, 5), np.uint8),
        "y_test": np.arange(6) % 3,
    } | changed


def write_idx(folder: Path, content: dict[str, Any], *, packed: bool) -> None:
    for name, key in IDX_NAMES.items():
        array = content[key].astype(np.uint8)
        head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
        data = head + array.tobytes()
        (folder / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(data) if packed else data)


def source_of(kind: str, folder: Path, content: dict[str, Any]) -> FileSource:
    if kind == "npz":
        np.savez_compressed(folder / "mine.npz", **content)
        return NPZ("mine.npz")
    if kind == "numpy":
        for key, array in content.items():
            np.save(folder / f"{key}.npy", array)
        return NumPyFolder(".")
    write_idx(folder, content, packed=kind == "idx.gz")
    return IDX(".")


def table(path: Path, rows: int = 30) -> pandas.DataFrame:
    random = np.random.RandomState(1)
    frame = pandas.DataFrame(random.normal(5, 3, (rows, 3)), columns=["length", "width", "height"])
    frame["constant"] = 0.1
    frame["kind"] = np.array(["oak", "ash", "elm"])[np.arange(rows) % 3]
    frame["note"] = 'said, "so"'
    frame.to_csv(path / "trees.csv", index_label="id")
    return frame


def pictures(folder: Path, *, parts: tuple[str, ...] = ("",)) -> None:
    for part in parts:
        for at, name in enumerate(("black", "white")):
            (folder / part / name).mkdir(parents=True)
            for index in range(4):
                image = Image.new("RGB", (9, 7), (at * 255, at * 255, at * 200))
                ending = "png" if index % 2 else "jpg"
                image.save(folder / part / name / f"{index}.{ending}")
            (folder / part / name / "notes.txt").write_text("no picture")
