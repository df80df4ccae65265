"""Folders beside those of the user's: scratch folders, which are always removed, and the cache."""

import atexit
import contextlib
import functools
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import psutil

from compare.interrupts import deferred
from tasks.errors import SideBySideError

PREFIX = "sidebyside-scratch-"
NEW = "sidebyside-new-scratch-"
"""The beginning of a scratch folder's name until it is locked."""
NEW_SECONDS = 60.0
"""After so long a folder with such a name was left by a process that was killed in that moment."""
MARK = ".sidebyside-scratch"
"""A file in each scratch folder: without it a folder is not ours to remove, whatever its name."""
VARIABLE = "SIDEBYSIDE_SCRATCH"
"""The environment variable that tells a process and all that it starts which scratch folder is theirs."""


class Scratch:
    """A folder for the temporary files of one process, removed when it is closed.

    Its maker holds it by a lock of the operating system's, which ends with the process. What a killed process has left
    is therefore known for certain, also beside other containers that share the folder for temporary files; the next
    process that makes a scratch folder removes it, with the processes that are still at work in it.
    """

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self._process = os.getpid()
        try:
            self.path = Path(tempfile.gettempdir()) / f"{PREFIX}{secrets.token_hex(8)}"
            remove_abandoned()
            with deferred():
                new = Path(tempfile.mkdtemp(prefix=NEW))
                (new / MARK).touch()
                self._descriptor = _hold(new)
                new.rename(self.path)
        except OSError as error:
            raise SideBySideError(
                f"no temporary files can be made ({error.strerror}); make room, or set TMPDIR to another folder"
            ) from error

    def __del__(self) -> None:
        """Removes the folder where a signal arrived after it was made and before it could be closed."""
        with contextlib.suppress(Exception):
            if self.path.exists():
                self.close()

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes the folder and all that lies in it."""
        if self._process != os.getpid():  # a copy of this object in a process that was forked
            return
        with deferred():
            _remove(self.path)
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None


def _remove(folder: Path) -> None:
    """Removes a scratch folder, its mark last: were this process killed now, the next one would know whose it is."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != MARK:
                path.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def processes_of(scratch: Path) -> Iterator[psutil.Process]:
    """The processes whose environment names a scratch folder, however they have been started."""
    for process in psutil.process_iter():
        # Of other users' processes, and of those that have just ended, the environment cannot be read.
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(VARIABLE) == str(scratch):
                yield process


def end_processes_of(scratch: Path) -> None:
    """Kills the processes whose environment names a scratch folder."""
    for process in processes_of(scratch):
        with contextlib.suppress(psutil.Error):
            process.kill()


@functools.cache  # once in each process
def remove_abandoned() -> None:
    """Removes the scratch folders of processes that were killed, and ends what they had started."""
    if os.name != "posix":  # without such locks nobody knows whose a folder is
        return
    there = Path(tempfile.gettempdir())
    for folder in (*there.glob(f"{PREFIX}*"), *there.glob(f"{NEW}*")):
        with contextlib.suppress(OSError):
            status = folder.lstat()
            young = folder.name.startswith(NEW) and time.time() - status.st_mtime < NEW_SECONDS
            ours = status.st_uid == os.getuid() and ((folder / MARK).is_file() or not any(folder.iterdir()))
            if young or not ours or (descriptor := _hold(folder)) is None:
                continue
            try:
                end_processes_of(folder)
                _remove(folder)
            finally:
                os.close(descriptor)


def _hold(folder: Path) -> int | None:
    """Locks a folder for this process and returns its descriptor; None where another process holds it."""
    if os.name != "posix":
        return None
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


class Cache:
    """The folder that is kept from run to run: compiled code and references.

    Attributes:
        path: the folder.
        note: why it is a temporary one, for the user; empty where it is the user's own.
    """

    def __init__(self) -> None:
        self.note = ""
        try:
            self.path = platformdirs.user_cache_path("sidebyside")
            if not self.path.is_absolute():
                raise RuntimeError("this user has no home")
            self.path.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.path).close()
        except (OSError, RuntimeError) as error:  # no home, as in containers, or one that is read-only or full
            reason = error.strerror if isinstance(error, OSError) else error
            scratch = Scratch()
            atexit.register(scratch.close)
            self.path = scratch.path
            self.note = (
                f"nothing can be kept for later runs in this user's cache ({reason}): set XDG_CACHE_HOME to a folder"
            )


@functools.cache
def cache() -> Cache:
    """The cache of this process."""
    return Cache()
