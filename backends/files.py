"""Files of trained parameters: safetensors in the canonical layout, and the checks before any of them is read.

Nothing in a file is trusted. The names, dtypes, shapes and sizes in its header are compared with the architecture's
before memory is allocated, and nothing is unpickled. No framework is imported, so that a bad file is refused before.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.architecture import Architecture, Parameters
from tasks.errors import SideBySideError
from tasks.files import regular_size, write_whole
from tasks.layers import Shape

FORMAT = 1
"""The version of the files that ``write_parameters`` writes; their metadata hold it as ``sidebyside``."""
HEADER_BYTES = 1_000_000
"""The longest header of a safetensors file that is read. A network of a hundred layers has one of 20,000 bytes."""
_NAME_OR_NUMBER = re.compile(r"[A-Za-z0-9._-]{1,80}( [A-Za-z0-9._]{1,80}=[!-~]{1,400}){0,50}")  # or a variation's name
FLOATS = {"float32": 4, "float16": 2, "bfloat16": 2, "float64": 8}
"""The types of numbers that are taken, with their bytes; they become float32 when they are read."""
_SAFETENSORS = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float64"}
_PREFIX = 8  # bytes that hold the length of the header


class ModelFileError(SideBySideError):
    """A file of parameters that cannot be read or written."""


class MisfitError(ModelFileError):
    """A file that is undamaged, but holds other parameters than the architecture has."""


@dataclass(frozen=True)
class Tensor:
    """What a file states about one tensor, not yet validated.

    Attributes:
        dtype: one of ``FLOATS``, or another text.
        shape: the shape as the file states it: any JSON value.
        bytes: the number of its bytes in the file.
    """

    dtype: str
    shape: object
    bytes: int


@dataclass(frozen=True)
class Header:
    """The header of a safetensors file.

    Attributes:
        tensors: by name, in the order of their bytes, which follow one another without a gap up to the file's end.
        metadata: those that look like a name or a number: ``task``, ``recipe``, ``backend``, ``seed``, ``data``.
        begin: the position in the file at which the tensors' bytes begin.
    """

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]
    begin: int


def write_parameters(path: Path, parameters: Parameters, metadata: Mapping[str, str] | None = None) -> None:
    """Writes parameters as a float32 safetensors file, completely or not at all.

    Args:
        path: the file to write; its folder exists.
        parameters: in the canonical layout.
        metadata: what the file says about them: ``task``, ``recipe``, ``backend``, ``seed``, ``data``.
    """
    arrays = {name: np.asarray(array, "<f4", order="C") for name, array in parameters.items()}
    # Not by the safetensors library: it orders the metadata at random, and equal parameters should give equal files.
    header: dict[str, Any] = {"__metadata__": {"sidebyside": str(FORMAT), **dict(sorted((metadata or {}).items()))}}
    at = 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": (at, at := at + array.nbytes)}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of 8
    content = [len(text).to_bytes(8, "little"), text, *(array.tobytes() for array in arrays.values())]
    try:
        write_whole(path, b"".join(content))
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be written ({error.strerror}); name another file") from error


def read_parameters(path: Path, architecture: Architecture) -> Parameters:
    """Reads what ``write_parameters`` wrote.

    Raises:
        ModelFileError: the file is missing, damaged or of another kind, or its values are not finite.
        MisfitError: it holds other names, shapes or dtypes than the architecture.
    """
    shapes = architecture.variable_shapes
    arrays = read_tensors(path, shapes)
    return {name: arrays[name] for name in shapes}


def read_tensors(
    path: Path, shapes: Mapping[str, Shape], rename: Callable[[str], str] = str
) -> dict[str, NDArray[np.float32]]:
    """Reads a safetensors file of tensors of these names and shapes. What is renamed to an empty text is left out."""
    header = read_header(path)
    names = {name: rename(name) for name in header.tensors if rename(name)}
    if len(set(names.values())) < len(names):
        raise MisfitError(f"{path}: holds two tensors for one parameter")
    check_tensors(path, {names[name]: header.tensors[name] for name in names}, shapes)
    arrays = {}
    with path.open("rb") as file:
        file.seek(header.begin)
        for name, tensor in header.tensors.items():  # in the order of their bytes
            content = file.read(tensor.bytes)
            if name in names:
                arrays[names[name]] = as_float32(content, tensor.dtype).reshape(shapes[names[name]])
    check_finite(path, arrays)
    return arrays


def as_float32(content: bytes, dtype: str) -> NDArray[np.float32]:
    """Numbers of one of ``FLOATS``, as their bytes in a file, as float32."""
    if dtype == "bfloat16":  # the first half of a float32
        return (np.frombuffer(content, "<u2").astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore"):  # what is too large becomes infinite, which is refused
        return np.frombuffer(content, np.dtype(dtype).newbyteorder("<")).astype(np.float32)


def note_on_types(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """One line for the user where a file's numbers are not float32; else empty."""
    others = sorted({tensor.dtype for tensor in tensors.values()} - {"float32"})
    return f"{path}: its weights of {' and '.join(others)} are taken as float32" if others else ""


def read_header(path: Path) -> Header:
    """Reads and checks the header of a safetensors file, and nothing after it."""
    size = size_of(path)
    with path.open("rb") as file:
        prefix = file.read(_PREFIX)
        length = int.from_bytes(prefix, "little")
        if size <= _PREFIX + 1 or file.read(1) != b"{":
            raise ModelFileError(f"{path}: {_kind(prefix)}")
        if length > size - _PREFIX:
            raise ModelFileError(f"{path}: cut short: its header has {length:,} bytes, the whole file {size:,}")
        if length > HEADER_BYTES:
            raise ModelFileError(f"{path}: refused: a header of {length:,} bytes; a model's has under {HEADER_BYTES:,}")
        file.seek(_PREFIX)
        content = file.read(length)
    try:
        entries = json.loads(content.decode(), object_pairs_hook=_once)  # of bytes, json would guess the encoding
        stated = entries.pop("__metadata__", {})
        places = {name: _place(entry) for name, entry in entries.items()}
        metadata = {key: value for key, value in stated.items() if _NAME_OR_NUMBER.fullmatch(value)}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelFileError(f"{path}: damaged: its header is not that of a safetensors file") from error
    tensors, at = {}, 0
    for name, (begin, end) in sorted(places.items(), key=lambda item: item[1]):
        if begin != at or end < begin:
            raise ModelFileError(f"{path}: damaged: the bytes of {shown(name)} do not follow on those before them")
        dtype = str(entries[name]["dtype"])
        tensors[name] = Tensor(_SAFETENSORS.get(dtype, dtype), entries[name]["shape"], end - begin)
        at = end
    if at != size - _PREFIX - length:
        held = size - _PREFIX - length
        raise ModelFileError(f"{path}: damaged or cut short: its tensors take {at:,} bytes, and {held:,} are there")
    version = metadata.get("sidebyside", str(FORMAT))
    if version != str(FORMAT):
        raise ModelFileError(f"{path}: written by a newer sidebyside (format {version}); update to read it")
    return Header(tensors, metadata, _PREFIX + length)


def check_tensors(path: Path, tensors: Mapping[str, Tensor], shapes: Mapping[str, Shape]) -> None:
    """Raises MisfitError, naming the first difference, unless these are tensors of exactly these shapes."""
    for name in [*shapes, *tensors]:
        if name not in tensors:
            raise MisfitError(f"{path}: has no tensor {shown(name)}")
        if name not in shapes:
            raise MisfitError(f"{path}: holds a tensor {shown(name)}, which the architecture has not")
        tensor, shape = tensors[name], shapes[name]
        if tensor.dtype not in FLOATS:
            raise MisfitError(f"{path}: {name} is of dtype {shown(tensor.dtype)}, not one of {', '.join(FLOATS)}")
        whole = isinstance(tensor.shape, list | tuple) and all(type(n) is int for n in tensor.shape)
        if not (whole and tensor.shape in (shape, list(shape))):
            raise MisfitError(f"{path}: {name} has the shape {shown(tensor.shape)}, not {shape}")
        if tensor.bytes != FLOATS[tensor.dtype] * prod(shape):
            raise MisfitError(f"{path}: damaged: {name} has {tensor.bytes:,} bytes, not those of its shape {shape}")


def check_size(path: Path, shapes: Mapping[str, Shape]) -> None:
    """Raises MisfitError if a file is larger than tensors of these shapes and an optimizer's state for them."""
    size, limit = size_of(path), 32 * sum(map(prod, shapes.values())) + 1_000_000
    if size > limit:
        raise MisfitError(f"{path}: has {size:,} bytes; the architecture's parameters take {limit:,} at the most")


def check_finite(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raises ModelFileError if a value is NaN or infinite: the network could give no answer."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ModelFileError(f"{path}: {name} holds values that are not finite; did the training diverge?")


def size_of(path: Path) -> int:
    """The size of a file of parameters, in bytes; raises ModelFileError if there is no such file that can be read."""
    return regular_size(path, ModelFileError, "name a file of parameters, as run --save-models writes")


def shown(value: object) -> str:
    """A value from a file as a message can show it: on one line, without control characters, and short."""
    if isinstance(value, list | tuple) and all(type(n) is int for n in value):
        value = tuple(value)
    elif not isinstance(value, str):
        return f"a {type(value).__name__}"
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as a dictionary; raises ValueError if a name is there twice."""
    entries = dict(pairs := list(pairs))
    if len(entries) < len(pairs):
        raise ValueError("a name twice")
    return entries


def _place(entry: dict[str, Any]) -> tuple[int, int]:
    """Where a tensor's bytes begin and end, counted from the end of the header."""
    if not entry.keys() >= {"dtype", "shape"}:
        raise ValueError("a tensor without dtype or shape")
    begin, end = entry["data_offsets"]
    if type(begin) is not int or type(end) is not int or end >= 1 << 64:  # a message would show all its digits
        raise ValueError("offsets are whole numbers of 64 bits")
    return begin, end


def _kind(prefix: bytes) -> str:
    """What a file seems to be that is not a safetensors file, and what the user can do."""
    if not prefix:
        return "empty; name a file of parameters, as run --save-models writes"
    if prefix.startswith((b"PK", b"\x80")):
        return "a zip or a pickle, as torch.save or model.save write; none is opened here: save the weights alone"
    if prefix.startswith(b"\x89HDF"):
        return "HDF5, as Keras writes: convert it first, with sidebyside convert FILE --to safetensors OUT"
    return "not a safetensors file; name one of those that run --save-models and convert write"
