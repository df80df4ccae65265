"""The interface between a runner and whatever runs its workers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from backends.base import Setting
from backends.registry import about, missing
from compare.host import describe_host
from compare.records.event import EpochEnd, Measured, Phase, Reply
from compare.records.request import Request

Listener = Callable[[Phase | EpochEnd | Measured], None]
"""Is called with each event as it arrives."""


def ignore(event: Phase | EpochEnd | Measured) -> None:
    """The listener that does nothing."""


class Session(ABC):
    """One open worker. It answers one request after the other."""

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether the worker can be asked again; after a crash or a timeout it cannot."""

    @abstractmethod
    def ask(self, request: Request, on_event: Listener = ignore, timeout: float | None = None) -> Reply:
        """Sends a request and waits for the reply.

        Args:
            request: what to do.
            on_event: called with each event before the reply.
            timeout: seconds until the worker is ended, with the status ``timeout``; None for no limit.

        Returns:
            the worker's reply, or one with the status ``crashed``, ``timeout`` or ``out-of-memory``.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends the worker and everything that it started."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class LostError(BaseException):
    """The machine on which an executor's workers run is gone. No Exception: it is not the outcome of a cell.

    Args:
        message: one line.
    """


class Executor(ABC):
    """Starts workers.

    Attributes:
        name: of the machine that they run on, for the records; empty for this one.
        threads: that a worker may use.
        compile_cache: the folder for compiled code that this run begins empty; None for one that is kept.
    """

    name: str = ""
    threads: int = 1
    compile_cache: Path | None = None

    def describe(self) -> dict[str, Setting]:
        """What a reader must know of the machine that the workers run on."""
        return describe_host()

    @abstractmethod
    def ask(self, backend: str, request: Request, on_event: Listener = ignore, timeout: float | None = None) -> Reply:
        """Starts a worker for one request alone; see :meth:`Session.ask`."""

    @abstractmethod
    def ask_all(self, backend: str, requests: Sequence[Request]) -> list[Reply]:
        """Has requests answered side by side, by workers that share the cores."""

    def missing(self, backend: str) -> str | None:
        """One line that says how to install a framework that workers would not find; None where they would."""
        return missing(backend)

    def versions(self, backend: str) -> Mapping[str, str]:
        """The versions of a framework's packages that workers would find, and of Python where it is another one."""
        return about(backend).versions()
