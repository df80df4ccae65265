"""What a worker may do that it should not; called in a worker by name, after its framework is imported."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable

from backends import load_backend

LOUD_BYTES = 100_000_000


def nothing() -> None: ...


def segmentation_fault() -> None:
    ctypes.string_at(0)


def exit_at_once() -> None:
    os._exit(3)


def memory_error() -> None:
    raise MemoryError("cannot allocate 8 TB")


def endless_loop() -> None:
    while True:
        pass


def loud() -> str:
    """Writes 100 MB to standard error, and answers."""
    line = b"x" * 99 + b"\n"
    for _ in range(LOUD_BYTES // len(line) // 1000):
        os.write(2, line * 1000)
    return "done"


def stopped() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def grandchild() -> str:
    """Starts a process that leaves the worker's group and session, and answers."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    return "done"


def orphan() -> str:
    """Starts a process by way of another that ends at once, in a session of its own and without an environment."""
    _start_orphan(", env={}")
    return "done"


def crash_with_orphan() -> None:
    """As ``orphan``, with the environment, and crashes: nobody is left who could know of it."""
    _start_orphan("")
    os._exit(4)


def _start_orphan(options: str) -> None:
    script = (
        "import subprocess, sys; subprocess.Popen("
        f"[sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True{options})"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


DEEDS: dict[str, Callable[[], str | None]] = {
    deed.__name__: deed
    for deed in (
        nothing,
        segmentation_fault,
        exit_at_once,
        memory_error,
        endless_loop,
        loud,
        stopped,
        grandchild,
        orphan,
        crash_with_orphan,
    )
}


def do(backend: str, name: str) -> str | None:
    load_backend(backend)
    return DEEDS[name]()
