"""The references of a run: the one in memory, one that an earlier run kept, or one that is computed now."""

import queue
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import backends
from compare.certify import reference
from compare.certify.judge import Reference
from compare.executors.base import Executor, Session
from compare.folders import Scratch
from compare.records.cell import Cell
from compare.records.event import Reply
from compare.records.request import Request
from compare.run.options import RunOptions
from compare.run.progress import Progress
from tasks.errors import SideBySideError

SHARES = 2
"""Into how many parts the cores are divided while a reference is computed; nothing is on the clock then."""


class ReferenceFailedError(SideBySideError):
    """The reference itself could not be computed."""


class References:
    """Gives each cell the reference that it is judged by.

    Args:
        options: of the run.
        executor: starts the workers that compute.
        progress: is told when one is computed.
    """

    def __init__(self, options: RunOptions, executor: Executor, progress: Progress) -> None:
        self.executor = executor
        self.progress = progress
        self.data = None if options.data_file is None else str(options.data_file)
        self._last: tuple[str, Reference] | None = None  # one at a time: they are large

    def of(self, cell: Cell) -> Reference:
        """The reference for a cell.

        Raises:
            ReferenceFailedError: it could not be computed.
        """
        key = reference.reference_key(cell, self.data)
        if self._last is None or self._last[0] != key:
            self._last = (key, reference.load_kept(key) or self._compute(cell, key))
        return self._last[1]

    def _compute(self, cell: Cell, key: str) -> Reference:
        self.progress.note(f"computing the reference of {cell.task} (kept for later runs)")
        with Scratch() as scratch:
            requests = reference.requests_for(cell, scratch, self.data)
            summaries = [reply.evidence for reply in self.compute(cell, requests) if reply.evidence is not None]
            computed = reference.assemble(requests, summaries)
            try:
                reference.keep(key, requests, computed)
            except OSError as error:
                name = Path(str(error.filename)).name
                self.progress.note(f"the reference cannot be kept ({error.strerror}: {name})")
        return computed

    def compute(self, cell: Cell, requests: Sequence[Request]) -> list[Reply]:
        """Has the reference's workers answer requests side by side; an interrupt ends them, and with them the wait.

        Raises:
            ReferenceFailedError: one of them could not be answered.
        """
        free: queue.SimpleQueue[Session] = queue.SimpleQueue()

        def ask(request: Request) -> Reply:
            session = free.get()
            try:
                reply = session.ask(request)
            finally:
                free.put(session)
            if reply.status != "ok":
                raise ReferenceFailedError(f"the reference of {cell.task} failed: {reply.message}")
            return reply

        with ThreadPoolExecutor(SHARES) as pool, ExitStack() as sessions:
            for index in range(SHARES):
                free.put(sessions.enter_context(self.executor.part(index, SHARES).open(backends.REFERENCE)))
            return list(pool.map(ask, requests))
