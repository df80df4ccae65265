"""What a worker leaves behind: the end of its standard error, and the signs of why it ended."""

import contextlib
import signal
import threading
from pathlib import Path
from typing import IO

KEPT_BYTES = 64_000
"""The end of a worker's standard error that is kept; frameworks may write any amount."""
LAST_SECONDS = 1.0
"""How long the last words of a worker that has ended are waited for."""


class Tail:
    """Reads a stream to its end, so that its writer never waits, and keeps the last bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._kept = b""
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        with contextlib.suppress(ValueError, OSError):  # the stream was closed meanwhile
            while content := self._stream.read1(KEPT_BYTES):  # type: ignore[attr-defined]
                self._kept = (self._kept + content)[-KEPT_BYTES:]

    def last_line(self) -> str:
        """The last line that is not empty, at most 300 characters of it."""
        self._thread.join(LAST_SECONDS)
        lines = [line.strip() for line in self._kept.decode(errors="replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else ""

    def close(self) -> None:
        self._thread.join(LAST_SECONDS)
        if not self._thread.is_alive():  # a stream that is being read cannot be closed
            self._stream.close()


def signal_name(number: int) -> str:
    """``SIGSEGV (Segmentation fault)``."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        return str(number)
    words = signal.strsignal(number) if hasattr(signal, "strsignal") else None
    return f"{name} ({words})" if words else name


def out_of_memory_kills() -> int | None:
    """How many processes Linux has killed for want of memory since it was started; None where it does not tell."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    except (OSError, StopIteration, ValueError):
        return None
