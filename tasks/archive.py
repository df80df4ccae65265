"""Arrays from ``.npz`` and ``.npy`` files of any origin: bounded, checked to the last bit, and nothing unpickled."""

import io
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tasks.errors import DataError, one_line
from tasks.files import read_regular, regular_size

LARGEST_FILE = 2_000_000_000
"""The largest file that is read, and the most that its arrays may take, in bytes; MNIST itself has 12 million."""
_CHUNK = 1 << 20  # no honest archive has a directory as long as this
_BOMB, _BOMB_RATIO = 100_000_000, 100  # unpacked bytes, and how often the packed ones: pictures come to 5


class _Chunked(io.FileIO):
    """A file of which no caller reads more than a megabyte at once: zipfile takes a directory of any length."""

    def read(self, size: int | None = -1, /) -> Any:
        content = super().read(_CHUNK + 1 if size is None or size < 0 else min(size, _CHUNK + 1))
        if content is not None and len(content) > _CHUNK:
            raise ValueError("its directory is too long")
        return content


def read_array(path: Path) -> NDArray[Any]:
    """Reads the array of an ``.npy`` file.

    Raises:
        DataError: the file is missing, damaged or too large, or holds objects.
    """
    content = read_regular(path, LARGEST_FILE, DataError, "name a folder of .npy files")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _whole_array(io.BytesIO(content), "it")
    except Exception as error:
        raise DataError(f"{path}: not a readable .npy file of a plain array ({one_line(error)})") from error


def read_arrays(path: Path, names: Sequence[str], advice: str = "--data takes an .npz file") -> dict[str, NDArray[Any]]:
    """Reads the named arrays of an ``.npz`` file, compressed or not; what else it holds is not looked at.

    Raises:
        DataError: the file is missing, damaged, too large, or lacks one of the arrays.
    """
    size = regular_size(path, DataError, advice)
    if size > LARGEST_FILE:
        raise DataError(f"{path}: too large, with {size:,} bytes; at most {LARGEST_FILE:,} bytes are read")
    try:
        with _Chunked(path) as file, zipfile.ZipFile(file) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's about headers of Python 2
            members = {name: archive.NameToInfo.get(f"{name}.npy") for name in names}
            for name, member in members.items():
                if member is None:
                    raise DataError(f"{path}: has no array {name!r}; it needs {', '.join(names)}")
            found = [member for member in members.values() if member is not None]
            unpacked, packed = (sum(getattr(m, key) for m in found) for key in ("file_size", "compress_size"))
            if unpacked > LARGEST_FILE or unpacked > max(_BOMB, _BOMB_RATIO * packed):
                raise DataError(f"{path}: refused: {packed:,} bytes in it unpack to {unpacked:,}")
            return {name: _read(archive, member) for name, member in zip(names, found, strict=True)}
    except DataError:
        raise
    except Exception as error:  # on foreign bytes zipfile, zlib and NumPy raise a dozen kinds
        raise DataError(f"{path}: not a readable .npz file of plain arrays ({one_line(error)})") from error


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """One array. Its header must account for every byte: only the member's end is held against its checksum."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others unpack without a bound
        raise ValueError(f"compression {member.compress_type}, which NumPy does not write")
    with archive.open(member) as stream:
        return _whole_array(stream, member.filename)


def _whole_array(stream: IO[bytes], name: str) -> NDArray[Any]:
    """The array that a stream holds, and nothing after it; objects are refused."""
    array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    if stream.read(1):
        raise ValueError(f"{name} has more bytes than its header says")
    return array
