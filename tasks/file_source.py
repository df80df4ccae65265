"""Data in files of the user's own: what a task's description says of them once they have been found."""

import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self

from tasks.dataset import Dataset
from tasks.errors import DataError, FieldError
from tasks.files import regular_size
from tasks.layers import Shape
from tasks.source import Source

LARGEST_NUMBERS = 1_000_000_000
"""The most numbers that the inputs of a data set may have; in float32 they take 4 GB."""
MOST_CLASSES = 1_000
FOUND = ("sha256", "classes", "shape")
"""The keys that finding the data fills in."""
_PLACES: dict[str, Path] = {}
"""Where data lie that have been found, by the hash of their content: no description names a folder of the user's."""
_DESCRIBED: dict[tuple["FileSource", Path, str], Any] = {}
"""What :meth:`FileSource.found` made of a source, by the place and the hash of its data: a sweep asks often."""


@dataclass(frozen=True, kw_only=True)
class FileSource(Source):
    """Data in a file, or in the files of a folder.

    Attributes:
        sha256: the hash of their content; files with another content are refused.
        classes: a name for each label; by default its text in the data.
        shape: of one example. All three are filled in by :meth:`found` where they are not given.
    """

    sha256: str = ""
    classes: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    key: ClassVar[str] = "file"
    """The field that names the file or the folder."""

    def __post_init__(self) -> None:
        name = str(getattr(self, self.key))
        if not name or not name.isprintable():
            raise FieldError(self.kind, self.key, f"must be the name of a {self.key}, not {name!r}")
        if any(size < 1 for size in self.shape):
            raise FieldError(self.kind, "shape", f"must be of sizes of at least 1, not {list(self.shape)}")
        if self.sha256 and (len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef")):
            raise FieldError(self.kind, "sha256", "must be 64 digits from 0 to f")
        if len(set(self.classes)) < len(self.classes) or len(self.classes) == 1:
            raise FieldError(self.kind, "classes", f"must be two different names at least, not {list(self.classes)}")

    @property
    def input_shape(self) -> Shape:
        return self.shape

    @property
    def advice(self) -> str:
        """What a user can do whose data cannot be read."""
        return f"data.{self.key} names the data"

    @property
    def is_found(self) -> bool:
        """Whether the description is complete, and this process knows where its data lie."""
        return self.sha256 in _PLACES and bool(self.shape)

    def found(self, folder: Path) -> Self:
        """The same source, with the keys that the data themselves fill in; their place is remembered.

        Args:
            folder: from which the name of the file or the folder leads.

        Raises:
            DataError: the data cannot be read, or are not what the description says.
        """
        path = (folder / getattr(self, self.key)).absolute()
        content = self._hash(path)
        _PLACES[content] = path
        if (self, path, content) not in _DESCRIBED:
            _DESCRIBED[self, path, content] = self._described(path, content)
        described: Self = _DESCRIBED[self, path, content]
        return described

    def _described(self, path: Path, content: str) -> Self:
        """The same source with what its data say, and with a name for them that names no folder of the user's."""
        name, dataset = Path(getattr(self, self.key)), self.load(path)
        of_all = str(name) == getattr(type(self), self.key, None)  # where a package of the system puts it
        private = (name.is_absolute() or ".." in name.parts) and not of_all
        published = path.resolve().name if private else name.as_posix()
        if not published.isprintable():
            raise DataError(f"{path}: its name {published!r} has signs that cannot be shown: rename it")
        shape = dataset.train_inputs.shape[1:]
        renamed: dict[str, Any] = {self.key: published}
        return replace(self, sha256=content, classes=dataset.classes, shape=shape, **renamed)

    def check(self, path: Path | None = None) -> None:
        """Raises DataError where the data are not there, or have another content than the one that is described."""
        path = path or self._place
        if self.sha256 and self._hash(path) != self.sha256:
            advice = "bring back what was there, or, where a task's file gives the hash, take data.sha256 out of it"
            raise DataError(f"{path}: the content is not the one with which the task was described; {advice}")

    def load(self, file: Path | None) -> Dataset:
        path = file or self._place
        self.check(path)
        dataset = self.read(path)
        for what, count in (("to train on", dataset.train_labels.size), ("to test with", dataset.test_labels.size)):
            if not count:
                raise DataError(f"{path}: there are no examples {what}")
        shape = dataset.train_inputs.shape[1:]
        if self.shape and shape != self.shape:
            raise DataError(f"{path}: an example has the shape {list(shape)}, and the task says {list(self.shape)}")
        return dataset

    @property
    def _place(self) -> Path:
        """Where the data are; not known to a process that has read the description alone, which looks around itself."""
        return _PLACES.get(self.sha256) or Path(getattr(self, self.key))

    @abstractmethod
    def read(self, path: Path) -> Dataset:
        """The data in a file or a folder.

        Raises:
            DataError: they cannot be read, or are of another form.
        """

    def files(self, path: Path) -> Sequence[Path]:
        """The files that are read, in their order. Raises DataError where the path is none that can be read."""
        return [path]

    def _hash(self, path: Path) -> str:
        digest = hashlib.sha256()
        for each in self.files(path):
            size = regular_size(each, DataError, self.advice)
            status = each.stat()
            content = _content_hash(each, size, status.st_mtime_ns, status.st_ctime_ns)
            name = "" if each == path else each.relative_to(path).as_posix()
            digest.update(f"{name} {content}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()


@lru_cache(100_000)
def _content_hash(path: Path, size: int, modified_ns: int, changed_ns: int) -> str:
    """The hash of a file, which is read again only when it has changed: a sweep asks for it once a variation."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def places() -> dict[str, str]:
    """Where data lie that have been found, for other processes; by the hash of their content."""
    return {content: str(path) for content, path in _PLACES.items()}


def know_places(known: Mapping[str, str]) -> None:
    """Makes known where data lie."""
    _PLACES.update({content: Path(path) for content, path in known.items()})


def check_size(path: Path, count: int) -> None:
    """Raises DataError where the inputs of a data set are of more numbers than are taken."""
    if count > LARGEST_NUMBERS:
        raise DataError(f"{path}: {count:,} numbers of inputs; at most {LARGEST_NUMBERS:,} are taken")


def class_names(path: Path, names: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """The names of the classes: those that the task gives, if they are as many as the data have, or the data's own."""
    if len(names) < 2 or len(names) > MOST_CLASSES:
        what = f"the labels are of {len(names):,} kinds" if len(names) > 1 else f"every label is {names[0]!r}"
        raise DataError(f"{path}: {what}; there must be 2 to {MOST_CLASSES:,} classes")
    if given and len(given) != len(names):
        raise DataError(f"{path}: the labels are of {len(names)} kinds, and data.classes names {len(given)}")
    return tuple(given or names)
