"""A run's folder belongs to one process at a time, which leaves nothing unfinished in it."""

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from compare.run.reading import CELLS, CERTIFICATES, FILE_NAME, HEAD
from tasks.errors import SideBySideError
from tasks.files import TEMPORARY, make_folder, write_whole

LOCK = ".lock"
"""The file that is locked; the first that is made in a run's folder."""
CLAIM = ".claim.json"
"""The file that says which process holds the folder. It stays behind where that process is killed."""
FOLDERS = (CELLS, CERTIFICATES, "arrays", "evidence", "models")
"""The folders in a run's folder. Evidence is kept so that a resumed run can compare new subjects with earlier ones."""


class StoreError(SideBySideError):
    """A run's folder that cannot be used, or written to."""


class EarlierRunError(StoreError):
    """A folder that holds a run, where a new one is to be written.

    Args:
        folder: that holds it.
        option: how to go on with the run.
    """

    def __init__(self, folder: Path, option: str) -> None:
        super().__init__(f"{folder} holds a run; go on with it by {option}, or name another folder")
        self.folder = folder


def now() -> str:
    """The time in UTC, to the second, as ISO 8601 writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_folder(parent: Path) -> Path:
    """Makes a folder named after the time, which is this process's alone."""
    name = f"{datetime.now():%Y%m%d-%H%M%S}"
    number = 1
    try:
        make_folder(parent)
        while True:
            folder = parent / (name if number == 1 else f"{name}-{number}")
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                return folder
            number += 1
    except OSError as error:
        raise StoreError(f"{parent}: cannot be made ({error.strerror}); name another as the output") from error


@contextlib.contextmanager
def claim(folder: Path, *, resume: bool, note: Callable[[str], None]) -> Iterator[None]:
    """Holds a run's folder for this process.

    Args:
        folder: new, empty, or with an earlier run in it.
        resume: whether an earlier run is expected.
        note: is told when a run that did not end properly is taken over.

    Raises:
        StoreError: the folder cannot be used, another process holds it, or it is not what was expected.
    """
    lock = _lock(folder, resume=resume)
    try:
        try:
            if (folder / CLAIM).exists():
                note(f"the earlier run in {folder.name} was killed: what it had finished is kept, and this run goes on")
            _tidy(folder)
            write_whole(folder / CLAIM, json.dumps({"process": os.getpid(), "since": now()}).encode())
        except OSError as error:
            raise _unusable(folder, error) from error
        yield
    finally:
        with contextlib.suppress(OSError):  # from a disk that has become read-only nothing can be removed
            _tidy(folder)
            (folder / CLAIM).unlink(missing_ok=True)
        lock.release()


def _lock(folder: Path, *, resume: bool) -> FileLock:
    """The lock of a folder that is as it was expected to be; a run that is at work in it is noticed first."""
    try:
        if not all((folder / name).exists() for name in (LOCK, HEAD)):
            _check(folder, resume=resume)  # before a folder of the user's is written to
        make_folder(folder)
        lock = FileLock(folder / LOCK)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise StoreError(f"{folder}: {_holder(folder)}; wait until it has ended, or name another folder") from error
    except NotImplementedError as error:
        raise StoreError(f"{folder}: its file system has no locks; name a folder on another") from error
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        _check(folder, resume=resume)  # once more: meanwhile another process may have come and gone
    except StoreError:
        lock.release()
        raise
    return lock


def _unusable(folder: Path, error: OSError) -> StoreError:
    return StoreError(f"{folder}: cannot be a run's folder ({error.strerror}); name another")


def _check(folder: Path, *, resume: bool) -> None:
    """Raises StoreError unless a folder is new or was just begun, or, to be resumed, holds a run."""
    try:
        str(folder).encode()
        names = {path.name for path in folder.iterdir()}
    except UnicodeEncodeError as error:
        raise StoreError(f"{folder}: the name holds bytes that are not UTF-8; name another folder") from error
    except FileNotFoundError as error:
        if resume:
            raise StoreError(f"{folder}: there is no such folder to resume") from error
        return
    except OSError as error:
        raise _unusable(folder, error) from error
    holds_run = HEAD in names or FILE_NAME in names
    begun = {name for name in names if name in (LOCK, CLAIM, *FOLDERS) or _is_unfinished(name)}
    just_begun = LOCK in names and names == begun
    if resume and not holds_run and not just_begun:
        raise StoreError(f"{folder}: there is no run to resume; name the folder of one")
    if not resume and holds_run:
        raise EarlierRunError(folder, f"--resume {folder}")
    if not resume and names and not just_begun:
        raise StoreError(f"{folder} is not empty; name a new folder")


def _is_unfinished(name: str) -> bool:
    """Whether a file is one that a write has not finished; see :func:`tasks.files.write_whole`."""
    return re.fullmatch(rf"\..+\.[0-9a-f]{{8}}{re.escape(TEMPORARY)}", name) is not None


def _tidy(folder: Path) -> None:
    """Removes files that a killed process has not finished."""
    for part in (folder, *(folder / name for name in FOLDERS)):
        for path in part.glob(f".*{TEMPORARY}"):
            if _is_unfinished(path.name):
                path.unlink(missing_ok=True)


def _holder(folder: Path) -> str:
    try:
        held = json.loads((folder / CLAIM).read_bytes())
        return f"process {held['process']} has been writing to it since {held['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process is writing to it"
