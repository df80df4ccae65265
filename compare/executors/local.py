"""Workers as processes on this machine."""

import queue
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from copy import copy
from functools import partial
from pathlib import Path

from compare.executors.base import Executor, Listener, Session, ignore
from compare.executors.environment import worker_environment
from compare.executors.interpreters import Interpreter
from compare.executors.session import LocalSession
from compare.interrupts import deferred
from compare.records.event import Reply
from compare.records.request import Request

# -P: a file of the user's, tasks.py say, must not take the place of a module of ours or of a framework.
ARGUMENTS = ("-P", "-m", "compare.worker")
COMMAND = (sys.executable, *ARGUMENTS)
SHARES = 2
"""Into how many parts the cores are divided for several requests at once; nothing is on the clock then."""


class LocalExecutor(Executor):
    """Starts each worker as a process of its own on this machine.

    Args:
        threads: the number of threads that a worker may use.
        first_core: the first of the cores that a worker may use, counted among those of this process.
        compile_cache: see :func:`compare.executors.environment.worker_environment`.
        environment: further variables of the workers' environment.
        folder: the workers' working directory; None for that of this process.
        command: the workers' command line.
        interpreters: those of backends that run in other environments, by backend.
    """

    def __init__(
        self,
        threads: int,
        *,
        compile_cache: Path | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        command: tuple[str, ...] = COMMAND,
        interpreters: Mapping[str, Interpreter] | None = None,
    ) -> None:
        self.threads = threads
        self.first_core = 0
        self.compile_cache = compile_cache
        self.environment = dict(environment or {})
        self.folder = folder
        self.command = command
        self.interpreters = dict(interpreters or {})

    def missing(self, backend: str) -> str | None:
        other = self.interpreters.get(backend)
        return super().missing(backend) if other is None else other.missing

    def versions(self, backend: str) -> Mapping[str, str]:
        other = self.interpreters.get(backend)
        return super().versions(backend) if other is None else {**other.versions, "python": other.python}

    def open(self, backend: str) -> LocalSession:
        """Starts a worker for a backend."""
        other = self.interpreters.get(backend)
        command = self.command if other is None else (str(other.path), *ARGUMENTS)
        session: LocalSession | None = None
        try:
            with deferred():
                place = {"threads": self.threads, "first_core": self.first_core}
                session = LocalSession(command, partial(self._environment, backend), place, self.folder)
            return session
        except BaseException:  # a signal that arrived meanwhile
            if session is not None:
                session.close()
            raise

    def ask(self, backend: str, request: Request, on_event: Listener = ignore, timeout: float | None = None) -> Reply:
        with self.open(backend) as session:
            return session.ask(request, on_event, timeout)

    def ask_all(self, backend: str, requests: Sequence[Request]) -> list[Reply]:
        free: queue.SimpleQueue[Session] = queue.SimpleQueue()

        def ask(request: Request) -> Reply:
            session = free.get()
            try:
                return session.ask(request)
            finally:
                free.put(session)

        with ThreadPoolExecutor(SHARES) as pool, ExitStack() as sessions:
            for index in range(SHARES):
                free.put(sessions.enter_context(self._part(index, SHARES).open(backend)))
            return list(pool.map(ask, requests))

    def _part(self, index: int, of: int) -> "LocalExecutor":
        """An executor with a share of the cores: part ``index``, from 0, of ``of`` parts."""
        share = max(1, self.threads // of)
        other = copy(self)
        other.threads, other.first_core = share, index * share
        return other

    def _environment(self, backend: str, scratch: Path) -> dict[str, str]:
        own = backend not in self.interpreters
        return worker_environment(backend, self.threads, scratch, self.compile_cache, own=own) | self.environment
