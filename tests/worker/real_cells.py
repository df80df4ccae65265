"""Cells that real workers run and this process checks: what right runs and planted faults are tested with."""

import pickle
from collections.abc import Sequence
from pathlib import Path

from backends.about import Mode, load_class
from backends.registry import about
from compare.certify import reference
from compare.certify.judge import Reference
from compare.executors.base import Session
from compare.executors.local import LocalExecutor
from compare.records.cell import Cell
from compare.records.check import Check
from compare.records.event import Reply
from compare.records.request import CallRequest, CellRequest, EvidenceRequest, ReplayRequest, Request
from compare.records.run import Run
from compare.run.references import References
from compare.run.replays import Replays
from compare.worker import cell, clocks, machine, timing
from compare.worker.evidence import compute_evidence
from compare.worker.replay import replay
from tasks import registry
from tasks.task import Task

_own: dict[tuple[str, Mode], str] = {}
QUICK_SECONDS = 0.05
"""Of a timed call: its speed is not looked at here."""


class Here(References):
    """Computes the reference in this process, and keeps none for later runs."""

    def __init__(self) -> None: ...

    def compute(self, cell: Cell, requests: Sequence[Request]) -> list[Reply]:
        return [
            replay(request) if isinstance(request, ReplayRequest) else compute_evidence(request)
            for request in requests
            if isinstance(request, ReplayRequest | EvidenceRequest)
        ]

    def reference(self, cell: Cell, folder: Path) -> Reference:
        """The reference of a cell's certificate."""
        requests = reference.requests_for(cell, folder, None)
        summaries = [reply.evidence for reply in self.compute(cell, requests) if reply.evidence is not None]
        return reference.assemble(requests, summaries)


def open_worker(backend: str) -> Session:
    """A worker that measures for as little time as it can."""
    session = LocalExecutor(1).open(backend)
    call_in(session, "quicken")
    return session


def call_in(session: Session, function: str, *arguments: str) -> None:
    """Calls a function of this module in a worker."""
    reply = session.ask(CallRequest(module=__name__, function=function, arguments=arguments))
    assert reply.status == "ok", reply.message


def quicken() -> None:
    """Runs in a worker: it times for as little as there must be."""
    cell.MATRIX_SIZE = 8
    for module in (timing, clocks):
        module.CALL_SECONDS = QUICK_SECONDS  # type: ignore[attr-defined]
    timing.SECONDS = timing.PATIENCE_SECONDS = machine.SECONDS = 0.0


def plant(backend: str, mode: Mode, fault: str) -> None:
    """Runs in a worker: puts a class, ``package.module.Class``, before a backend's own, whose loop it spoils."""
    own = _own.setdefault((backend, mode), about(backend).models[mode])
    globals()["Planted"] = type("Planted", (load_class(fault), load_class(own)), {})
    about(backend).models[mode] = f"{__name__}.Planted"  # type: ignore[index]


def register(path: str) -> None:
    """Runs in a worker too: adds the task in a file, which :func:`pickled` wrote, to those that have a name."""
    task: Task = pickle.loads(Path(path).read_bytes())
    registry._TASKS[task.name] = task


def pickled(task: Task, folder: Path) -> Path:
    """The file of a task that other processes can register."""
    path = folder / f"{task.name}.pickle"
    path.write_bytes(pickle.dumps(task))
    return path


def run_and_check(session: Session, replays: Replays, request: CellRequest, folder: Path) -> tuple[Reply, Run | None]:
    """Has a worker run a cell; the reply, and the run with its check, None if it did not end well."""
    kept = folder / request.cell.file_name
    kept.mkdir()
    reply = session.ask(replays.extended(request, kept))
    if reply.status != "ok" or reply.run is None:
        return reply, None
    check: Check = replays.check(reply.run, reply.calls, kept)
    return reply, reply.run.model_copy(update={"check": check})
