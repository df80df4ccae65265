"""Requests that go to another machine, with the files that they name, and what comes back from there."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from compare.records.request import Request
from tasks import load_task
from tasks.errors import SideBySideError
from tasks.file_source import FileSource, places
from tasks.registry import own_documents

PATHS = ("data", "start", "arrays", "model", "evidence", "calls")
"""The fields of requests that are paths; copies have one each besides."""
Files = Mapping[str, bytes]
"""The content of a folder's files by their names in it; of a single file under the empty name."""


@dataclass(frozen=True)
class Parcel:
    """Requests whose paths are names in the parcel.

    Attributes:
        backend: whose workers answer them.
        requests: each in JSON.
        files: the content of small files by their names in the parcel.
        threads: that a worker may use.
        timeout: for each request, in seconds.
        together: whether they are answered side by side.
    """

    backend: str
    requests: tuple[str, ...]
    files: Mapping[str, bytes]
    threads: int
    timeout: float | None
    together: bool


@dataclass(frozen=True)
class Answer:
    """What has become of a parcel.

    Attributes:
        replies: in JSON, one for each request.
        measured: in JSON, what a worker told of a cell before its certificate was made.
        files: what was written, by the names of files and folders in the parcel.
        lacks: the names of data that the machine does not have; nothing was done then.
    """

    replies: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    files: Mapping[str, Files] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()


class Packing:
    """A parcel as its sender makes it, with what the sender has to remember.

    Attributes:
        data: the places of data here and the files that count, by their names in the parcel.
        destinations: where to write what comes back, by its name in the parcel.
    """

    def __init__(
        self,
        backend: str,
        requests: Sequence[Request],
        threads: int,
        timeout: float | None = None,
        *,
        together: bool = False,
    ) -> None:
        self.data: dict[str, tuple[Path, Sequence[Path]]] = {}
        self.destinations: dict[str, Path] = {}
        self._files: dict[str, bytes] = {}
        packed = tuple(self._pack(request).model_dump_json() for request in requests)
        self.parcel = Parcel(backend, packed, self._files, threads, timeout, together)

    def _pack(self, request: Request) -> Request:
        update: dict[str, object] = {"own_tasks": dict(own_documents()), "places": {}}
        cell = getattr(request, "cell", None)
        source = load_task(cell.task, cell.recipe).source if cell is not None else None
        if isinstance(source, FileSource):
            name = f"kept/{source.sha256}"
            path = Path(places()[source.sha256])
            self.data[name] = (path, source.files(path))
            update["places"] = {source.sha256: name}
        return relocated(request, self._name).model_copy(update=update)

    def _name(self, path_field: str, path: str) -> str:
        if path_field == "data":
            name = f"kept/{hashlib.sha256(Path(path).read_bytes()).hexdigest()}"
            self.data[name] = (Path(path), [Path(path)])
            return name
        if path_field == "start":
            name = f"in/{len(self._files)}"
            self._files[name] = Path(path).read_bytes()
            return name
        name = f"out/{len(self.destinations)}" + "/" * (path_field == "calls")
        self.destinations[name] = Path(path)
        return name

    def unpack(self, answer: Answer) -> None:
        """Writes what has come back to where the requests said.

        Raises:
            SideBySideError: a name leads out of its folder.
        """
        for name, content in answer.files.items():
            write_files(self.destinations[name], content)


def relocated(request: Request, move: Callable[[str, str], str]) -> Request:
    """A request with other paths.

    Args:
        request: of any kind.
        move: makes another path of a field's name and its path.
    """
    update: dict[str, object] = {
        name: move(name, path) for name in PATHS if (path := getattr(request, name, None)) is not None
    }
    if copies := getattr(request, "copies", ()):
        update["copies"] = tuple(copy.model_copy(update={"path": move("copies", copy.path)}) for copy in copies)
    return request.model_copy(update=update)


def read_files(path: Path, files: Sequence[Path]) -> Files:
    """The content of a file, or of some of a folder's files."""
    return {"" if each == path else each.relative_to(path).as_posix(): each.read_bytes() for each in files}


def write_files(path: Path, files: Files) -> None:
    """Writes a file, or a folder's files.

    Raises:
        SideBySideError: a name leads out of the folder.
    """
    for name, content in files.items():
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts:
            raise SideBySideError(f"a file of the name {name!r} has come back, which leads out of its folder")
        target = path / name if name else path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
