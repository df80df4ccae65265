"""Hostile files of Keras's own form, HDF5, are refused in one line."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends import native
from tests.backends.hostile_files import IRIS, Capture, Maker, lay, refused
from tests.conftest import is_there


def h5_of(change: Callable[[Any, Path], object]) -> Maker:
    """A maker of iris's weights as Keras lays them out, changed."""

    def make_h5(path: Path) -> None:
        import h5py

        with h5py.File(path, "w") as file:
            for name, shape in native("keras").shapes(IRIS.architecture).items():
                file[name] = np.zeros(shape, "<f4")
            file.create_group("vars")
            change(file, path)

    return make_h5


KERNEL = "layers/dense/vars/0"


def replaced(**options: Any) -> Maker:
    """The first kernel made in another way."""

    def change(file: Any, path: Path) -> None:
        del file[KERNEL]
        file.create_dataset(KERNEL, **options)

    return h5_of(change)


def linked(kind: str, *arguments: str) -> Maker:
    def change(file: Any, path: Path) -> None:
        import h5py

        del file[KERNEL]
        file[KERNEL] = getattr(h5py, kind)(*arguments)

    return h5_of(change)


def virtual(file: Any, path: Path) -> None:
    import h5py

    del file[KERNEL]
    layout = h5py.VirtualLayout((4, 10), "<f4")
    layout[:] = h5py.VirtualSource(path.with_name("secret.h5"), "secret", (4, 10))
    file.create_virtual_dataset(KERNEL, layout)


def cyclic(file: Any, path: Path) -> None:
    file["layers/again/vars"] = file["layers"]


def crowded(file: Any, path: Path) -> None:
    for index in range(5000):
        file["layers"][f"again_{index}"] = file["layers/dense"]


def references(file: Any, path: Path) -> None:
    import h5py

    del file[KERNEL]
    file.create_dataset(KERNEL, (4, 10), h5py.ref_dtype)


def cut(path: Path) -> None:
    h5_of(lambda file, path: None)(path)
    os.truncate(path, path.stat().st_size // 2)


HOSTILE_H5: dict[str, tuple[Maker, str]] = {
    "cut short": (cut, "damaged: it cannot be read as HDF5"),
    "a name only": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n"), "damaged: it cannot be read as HDF5"),
    "too large": (
        lambda path: (h5_of(lambda file, path: None)(path), os.truncate(path, 1 << 40)),
        "parameters take 1,006,176 at the most",
    ),
    "another file": (linked("ExternalLink", "/etc/passwd", "/x"), "'0' is no dataset of its own"),
    "a soft link": (linked("SoftLink", "/layers/dense_1/vars/0"), "'0' is no dataset of its own"),
    "bytes outside": (
        replaced(shape=(4, 10), dtype="<f4", external=[("/etc/passwd", 0, 160)]),
        "is not stored as Keras stores weights",
    ),
    "virtual": (h5_of(virtual), "is not stored as Keras stores weights"),
    "compressed": (
        replaced(shape=(4, 10), dtype="<f4", compression="gzip"),
        "is not stored as Keras stores weights",
    ),
    "huge, of nothing": (replaced(shape=(10**6, 10**6), dtype="<f4"), "has the shape (1000000, 1000000), not (4, 10)"),
    "not allocated": (replaced(shape=(4, 10), dtype="<f4"), "has 0 bytes, not those of its shape"),
    "said to be another dtype": (
        h5_of(lambda file, path: file[KERNEL].attrs.create("dtype", "bfloat16")),
        "is not stored as Keras stores weights",
    ),
    "wrong shape": (replaced(data=np.zeros((10, 4), "<f4")), "has the shape (10, 4), not (4, 10)"),
    "whole numbers": (replaced(data=np.zeros((4, 10), "<i4")), "is of dtype 'int32', not one of float32"),
    "references": (h5_of(references), "is of dtype 'object', not one of float32"),
    "not a number": (replaced(data=np.full((4, 10), np.nan, "<f4")), "holds values that are not finite"),
    "a layer missing": (h5_of(lambda file, path: file["layers"].pop("dense_2")), "has no tensor 'layers/dense_2/"),
    "a layer too many": (
        h5_of(lambda file, path: file.create_dataset("layers/dense_3/vars/0", data=np.zeros(1, "<f4"))),
        "holds a tensor 'layers/dense_3/vars/0'",
    ),
    "a variable too many": (
        h5_of(lambda file, path: file.create_dataset("layers/dense/vars/2", data=np.zeros(1, "<f4"))),
        "holds a tensor 'layers/dense/vars/2'",
    ),
    "in circles": (h5_of(cyclic), "is no dataset of its own"),
    "crowded": (h5_of(crowded), "holds 5,003 layers"),
    "a group for numbers": (h5_of(lambda file, path: (file.pop(KERNEL), file.create_group(KERNEL))), "is no dataset"),
    "numbers for a group": (
        h5_of(lambda file, path: (file.pop("layers"), file.create_dataset("layers", (10**12,)))),
        "'layers' is no group",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_H5)
def test_hostile_h5_is_refused(name: str, tmp_path: Path, capsys: Capture) -> None:
    if not is_there("keras"):
        pytest.skip("needs Keras's h5py")
    maker, text = HOSTILE_H5[name]
    path = lay(tmp_path / "model.weights.h5", maker)
    out = str(tmp_path / "out.safetensors")
    assert text in refused(capsys, tmp_path, "convert", str(path), "--to", "safetensors", out, "--task", "iris-mlp")
    if "damaged" not in text and "finite" not in text:
        text = "fits no task's network"
    assert text in refused(capsys, tmp_path, "convert", str(path), "--to", "safetensors", out)
