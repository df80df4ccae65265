"""Watches every change that a run's store makes on disk: to record them, or to let one of them fail."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Change = tuple[str, str, bytes]
"""What was done: ``create``, ``write``, ``sync``, ``sync folder``, ``replace``, ``remove``, ``make`` or ``unmake``;
to which path, relative to the root; and with which content, or to which new name."""


@contextlib.contextmanager
def watched(root: Path, tell: Callable[[Change], None]) -> Iterator[None]:
    """Calls ``tell`` before each change below ``root``."""

    def name(path: os.PathLike[str] | str) -> str | None:
        full = Path(path).absolute()
        return str(full.relative_to(root)) if full.is_relative_to(root) else None

    def say(what: str, path: os.PathLike[str] | str, content: bytes = b"") -> None:
        if (relative := name(path)) is not None:
            tell((what, relative, content))

    open_, fsync, replace, unlink = Path.open, os.fsync, Path.replace, Path.unlink
    mkdir, rmdir = Path.mkdir, Path.rmdir

    def watched_open(self: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if mode != "wb" or name(self) is None:
            return open_(self, mode, *args, **kwargs)
        say("create", self)
        file = open_(self, mode, buffering=0)
        return _Watched(file, lambda content: say("write", self, content))

    def watched_fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        say("sync folder" if path.is_dir() else "sync", path)
        fsync(descriptor)

    def watched_replace(self: Path, target: Path) -> Path:
        say("replace", self, (name(target) or "").encode())
        return replace(self, target)

    def watched_unlink(self: Path, missing_ok: bool = False) -> None:
        if self.exists():
            say("remove", self)
        unlink(self, missing_ok)

    def watched_mkdir(self: Path, *args: Any, **kwargs: Any) -> None:
        if not self.exists():
            say("make", self)
        mkdir(self, *args, **kwargs)

    def watched_rmdir(self: Path) -> None:
        if not any(self.iterdir()):
            say("unmake", self)
        rmdir(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", watched_open)
        patch.setattr(os, "fsync", watched_fsync)
        patch.setattr(Path, "replace", watched_replace)
        patch.setattr(Path, "unlink", watched_unlink)
        patch.setattr(Path, "mkdir", watched_mkdir)
        patch.setattr(Path, "rmdir", watched_rmdir)
        yield


class _Watched:
    """A file whose writes are told before they are made."""

    def __init__(self, file: Any, say: Callable[[bytes], None]) -> None:
        self._file = file
        self._say = say

    def write(self, content: bytes) -> int:
        self._say(content)
        return int(self._file.write(content))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "_Watched":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
