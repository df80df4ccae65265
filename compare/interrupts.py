"""Ctrl-C, SIGTERM and SIGHUP: each ends a command in order, and none of them in the middle of a write."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(KeyboardInterrupt):
    """A signal has asked the command to end.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__()
        self.number = number

    @property
    def exit_status(self) -> int:
        """As a shell reports the end by this signal: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
        return 128 + self.number


class _State:
    """What has arrived: signals are the whole process's, so there is one of these."""

    handling = False
    received: int | None = None
    """The signal that was raised, or will be at the end of what may not be interrupted."""
    depth = 0
    """How many blocks are open that may not be interrupted."""


def _handle(number: int, _: FrameType | None) -> None:
    if _State.received is not None:  # once is enough: a second one must not interrupt the tidying up
        return
    _State.received = number
    if not _State.depth:
        raise Interrupted(number)


@contextmanager
def handled() -> Iterator[None]:
    """While open, the signals raise :class:`Interrupted` in the main thread, the first of them once.

    Signals that the process ignores, or that it handles in a way of its own, are left as they are.
    """
    if _State.handling or threading.current_thread() is not threading.main_thread():
        yield
        return
    plain = (signal.SIG_DFL, signal.default_int_handler)
    before = {number: handler for number in SIGNALS if (handler := signal.getsignal(number)) in plain}
    _State.handling, _State.received, _State.depth = True, None, 0
    try:
        for number in before:
            signal.signal(number, _handle)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _State.handling = False


@contextmanager
def deferred() -> Iterator[None]:
    """What is done inside is done whole: a signal that arrives meanwhile raises at the end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = _State.received
    _State.depth += 1
    try:
        yield
    finally:
        _State.depth -= 1
    if not _State.depth and before is None:
        check()


def check() -> None:
    """Raises :class:`Interrupted` if a signal has arrived whose exception a library has swallowed."""
    if _State.handling and _State.received is not None and not _State.depth:
        raise Interrupted(_State.received)
