"""Files of weights in every form and precision, made by the forms' own rules and by no framework."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tasks
from backends import native
from tasks.architecture import Parameters

IRIS = tasks.load_task("iris-mlp")
DRAWN = IRIS.parameters(0)


def encoded(array: NDArray[np.float32], dtype: str) -> tuple[bytes, NDArray[np.float32]]:
    """The bytes of an array in another precision, and what they stand for."""
    if dtype == "bfloat16":
        half = (np.ascontiguousarray(array).view(np.uint32) >> 16).astype("<u2")
        return half.tobytes(), (half.astype(np.uint32) << 16).view(np.float32)
    other = array.astype(dtype)
    with np.errstate(over="ignore"):
        return other.tobytes(), other.astype(np.float32)


def safetensors(path: Path, arrays: Parameters, dtype: str) -> None:
    code = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64"}[dtype]
    header, content = {}, b""
    for name, array in arrays.items():
        added = encoded(array, dtype)[0]
        header[name] = {
            "dtype": code,
            "shape": list(array.shape),
            "data_offsets": [len(content), len(content) + len(added)],
        }
        content += added
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)


def state_dict(path: Path, dtype: str, wrap: Callable[[str], str] = str) -> None:
    names = native("pytorch").shapes(IRIS.architecture)
    arrays = zip(names, DRAWN.values(), strict=True)
    safetensors(path, {wrap(name): np.ascontiguousarray(array.T) for name, array in arrays}, dtype)


def weights_h5(path: Path, dtype: str) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name, array in zip(native("keras").shapes(IRIS.architecture), DRAWN.values(), strict=True):
            if dtype == "bfloat16":
                file[name] = np.frombuffer(encoded(array, dtype)[0], "V2").reshape(array.shape)
                file[name].attrs["dtype"] = "bfloat16"
            else:
                file[name] = array.astype(dtype)


def msgpack(path: Path, dtype: str) -> None:
    from msgpack import ExtType, packb

    layers: dict[str, Any] = {}
    for name, array in zip(native("jax").shapes(IRIS.architecture), DRAWN.values(), strict=True):
        _, layer, parameter = name.split("/")
        leaf = ExtType(1, packb((array.shape, dtype, encoded(array, dtype)[0])))
        layers.setdefault(layer, {})[parameter] = leaf
    path.write_bytes(packb({"layers": layers}))
