"""The interface between a runner and whatever runs its workers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Self

from backends.registry import about, missing
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


class Executor(ABC):
    """Starts workers."""

    @abstractmethod
    def open(self, backend: str) -> Session:
        """Starts a worker for a backend."""

    @abstractmethod
    def part(self, index: int, of: int) -> "Executor":
        """An executor with a share of the cores: part ``index``, from 0, of ``of`` parts."""

    def missing(self, backend: str) -> str | None:
        """One line that says how to install a framework that workers would not find; None where they would."""
        return missing(backend)

    def versions(self, backend: str) -> Mapping[str, str]:
        """The versions of a framework's packages that workers would find, and of Python where it is another one."""
        return about(backend).versions()

    def ask(self, backend: str, request: Request, on_event: Listener = ignore, timeout: float | None = None) -> Reply:
        """Starts a worker for one request alone; see :meth:`Session.ask`."""
        with self.open(backend) as session:
            return session.ask(request, on_event, timeout)
