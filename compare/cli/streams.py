"""Standard input, output and error as a process may find them: closed, or where nothing more can be written."""

import io
import os
import sys
from contextlib import suppress
from pathlib import Path

from tasks.errors import SideBySideError


class _Forgiving(io.FileIO):
    """Standard error where writing may fail: nobody can be told, and what is being done must not end for it."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        with suppress(OSError):
            return super().write(data) or 0
        return len(data)


def open_streams() -> bool:
    """Gives the process all three streams, and says whether it had a standard output.

    A number that is closed would go to the next file that is opened, and what is printed would land there.
    """
    missing = [number for number in range(3) if not _is_open(number)]
    for _ in missing:
        null = os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
        os.set_inheritable(null, True)
    if 0 in missing:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    if 1 in missing:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    encoding = sys.stderr.encoding if sys.stderr else "utf-8"
    raw = _Forgiving(2, "w", closefd=False)
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=encoding, errors="backslashreplace", line_buffering=True
    )
    return 1 not in missing


def drop_output() -> None:
    """Sends what is still buffered for standard output nowhere: it cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check_folder() -> None:
    """Raises SideBySideError where the current folder has been deleted: no path could be found from it."""
    try:
        Path.cwd()
    except OSError as error:
        raise SideBySideError("the current folder is no longer there: change to another one") from error


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
