"""The references of a run: the one in memory, one that an earlier run kept, or one that is computed now."""

from collections.abc import Sequence
from pathlib import Path

import backends
from compare.certify import reference
from compare.certify.judge import Reference
from compare.executors.base import Executor
from compare.folders import Scratch
from compare.records.cell import Cell
from compare.records.event import Reply
from compare.records.request import Request
from compare.run.options import RunOptions
from compare.run.progress import Progress
from compare.text import label
from tasks.errors import SideBySideError


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

    def of(self, cell: Cell, *, again: bool = False) -> Reference:
        """The reference for a cell.

        Args:
            cell: of any backend.
            again: whether the noise is to be that of further copies too.

        Raises:
            ReferenceFailedError: it could not be computed.
        """
        key = reference.reference_key(cell, self.data)
        if self._last is None or self._last[0] != key:
            self._last = (key, reference.load_kept(key) or self._kept(key, self._computed(cell)))
        if again and not self._last[1].again:
            self._last = (key, self._kept(key, self._computed_again(cell, self._last[1])))
        return self._last[1]

    def _computed(self, cell: Cell) -> Reference:
        self.progress.note(f"computing the reference of {cell.task} (kept for later runs)")
        with Scratch() as scratch:
            requests = reference.requests_for(cell, scratch, self.data)
            summaries = [reply.evidence for reply in self.compute(cell, requests) if reply.evidence is not None]
            return reference.assemble(requests, summaries)

    def _computed_again(self, cell: Cell, first: Reference) -> Reference:
        self.progress.note(
            f"{label(cell)} is too far off: computing how far rounding can lead in {cell.task} once more"
        )
        with Scratch() as scratch:
            requests = reference.second_requests_for(cell, scratch, self.data)
            self.compute(cell, requests)
            return reference.with_more_copies(first, requests)

    def _kept(self, key: str, computed: Reference) -> Reference:
        """A reference that is kept for later runs, if it can be."""
        try:
            reference.keep(key, computed)
        except OSError as error:
            name = Path(str(error.filename)).name
            self.progress.note(f"the reference cannot be kept ({error.strerror}: {name})")
        return computed

    def compute(self, cell: Cell, requests: Sequence[Request]) -> list[Reply]:
        """Has the reference's workers answer requests side by side; an interrupt ends them, and with them the wait.

        Raises:
            ReferenceFailedError: one of them could not be answered.
        """
        replies = self.executor.ask_all(backends.REFERENCE, requests)
        for reply in replies:
            if reply.status != "ok":
                raise ReferenceFailedError(f"the reference of {cell.task} failed: {reply.message}")
        return replies
