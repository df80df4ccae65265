"""Files: written whole or not at all, and read only if they are regular files of a bearable size."""

import errno
import os
import secrets
import stat
import tempfile
from pathlib import Path

from tasks.errors import SideBySideError

TEMPORARY = ".tmp"
"""How the names of files end that are not finished; they begin with a dot."""


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that readers see the old content or the new, never a part, even after a power cut.

    A link is followed. A device or a pipe is written to, not replaced.

    Raises:
        OSError: the file cannot be written; what was there before is unchanged. Its ``filename`` is ``path``.
    """
    try:
        target = path.resolve()  # a link stays a link
        mode = _mode(target)
        if mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            target.write_bytes(content)
        else:
            _replace(target, content, mode)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _replace(target: Path, content: bytes, mode: int | None) -> None:
    """Puts a new file in the place of the old one, with the permissions of the old one."""
    temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(4)}{TEMPORARY}")  # names have a limit
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            if mode is not None and os.name == "posix":
                os.fchmod(file.fileno(), stat.S_IMODE(mode))
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def check_output(path: Path) -> None:
    """Raises SideBySideError where :func:`write_whole` could not write this file; asked before the work is done."""
    try:
        mode = _mode(target := path.resolve())
        if mode is not None and stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if mode is None or stat.S_ISREG(mode):
            tempfile.TemporaryFile(dir=target.parent).close()
    except OSError as error:
        raise SideBySideError(f"{path}: cannot be written ({error.strerror}); name another file") from error


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, so that they outlast a power cut; one that is there already is kept."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder, new ones and removed ones, outlast a power cut."""
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems sync no folders
            raise
    finally:
        os.close(descriptor)


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def regular_size(path: Path, error: type[Exception], advice: str) -> int:
    """The size of a regular file that can be opened, in bytes. A pipe, which would be waited for, is refused.

    Args:
        path: the file.
        error: raised where there is no such file, with one line that names the file, the reason and the advice.
        advice: what the user can do instead: ``name an .npz file``.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise error(f"{path}: cannot be read (not a regular file); {advice}")
        with path.open("rb"):
            return status.st_size
    except (OSError, ValueError) as reason:
        text = reason.strerror if isinstance(reason, OSError) else reason
        raise error(f"{path}: cannot be read ({text}); {advice}") from reason


def read_regular(path: Path, limit: int, error: type[Exception], advice: str) -> bytes:
    """The content of a regular file of at most ``limit`` bytes; raises ``error`` as :func:`regular_size` does."""
    size = regular_size(path, error, advice)
    if size > limit:
        raise error(f"{path}: too large, with {size:,} bytes; at most {limit:,} bytes are read; {advice}")
    try:
        return path.read_bytes()
    except OSError as reason:
        raise error(f"{path}: cannot be read ({reason.strerror}); {advice}") from reason
