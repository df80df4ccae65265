"""Files: written whole or not at all, and read only if they are regular files of a bearable size."""

import os
import stat
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that readers see the old content or the new, never a part.

    Raises:
        OSError: the file cannot be written; what was there before is unchanged.
    """
    temporary = path.with_name(f".{path.name[:40]}.{os.getpid()}.tmp")  # a long name has no room for more
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
