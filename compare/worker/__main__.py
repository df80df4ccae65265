"""Reads requests from standard input and answers them one after the other: ``python -m compare.worker``.

A request is one line of JSON; events and, last, the reply are lines of JSON on standard output. What frameworks print
goes to standard error. The process ends when standard input closes, even in the middle of a job, so that nothing is
left behind when the parent is killed.
"""

import ctypes
import os
import queue
import sys
import threading
import time
from collections.abc import Callable

from pydantic import TypeAdapter, ValidationError

from compare.records.event import EpochEnd, Measured, Phase, Reply
from compare.records.request import (
    AnyRequest,
    CallRequest,
    CellRequest,
    ConvertRequest,
    EffectRequest,
    EvidenceRequest,
    LessonRequest,
    PairRequest,
    PredictRequest,
    ProfileRequest,
    ReplayRequest,
    Request,
)
from compare.worker.failure import failure
from tasks.errors import one_line
from tasks.file_source import know_places
from tasks.registry import know

Tell = Callable[[Phase | EpochEnd | Measured | Reply], None]


def main() -> None:
    """Answers requests until standard input closes."""
    _adopt_orphans()
    tell = _open_protocol()
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    adapter: TypeAdapter[AnyRequest] = TypeAdapter(AnyRequest)
    first = True
    while True:
        line = lines.get()
        start = time.perf_counter()
        try:
            request = adapter.validate_json(line)
            if first:
                _use_cores(request)
                first = False
            know_places(request.places)
            know(request.own_tasks)
            reply = answer(request, tell)
        except ValidationError as error:
            reply = Reply(status="crashed", message=f"the worker does not understand the request: {one_line(error)}")
        except Exception as error:
            reply = failure(error)
        tell(reply.model_copy(update={"seconds": time.perf_counter() - start}))


def answer(request: AnyRequest, tell: Tell) -> Reply:
    """Does what a request asks. The modules are imported only where they are needed."""
    match request:
        case CellRequest():
            from compare.worker.cell import run_cell

            return run_cell(request, tell)
        case EvidenceRequest():
            from compare.worker.evidence import compute_evidence

            return compute_evidence(request)
        case ReplayRequest():
            from compare.worker.replay import replay

            return replay(request)
        case ProfileRequest():
            from compare.worker.profile import profile_cell

            return profile_cell(request)
        case EffectRequest():
            from compare.worker.effect import measure_effect

            return measure_effect(request)
        case PairRequest():
            from compare.worker.own_pair import run_own

            return run_own(request)
        case PredictRequest():
            from compare.worker.model_file import predict

            return predict(request)
        case ConvertRequest():
            from compare.worker.model_file import convert

            return convert(request)
        case LessonRequest():
            from compare.worker.lesson import run_lesson

            return run_lesson(request)
        case CallRequest():
            from compare.worker.call import call

            return call(request)


def _open_protocol() -> Tell:
    # What frameworks print must not reach the protocol: keep the real stdout, and point descriptor 1 at stderr.
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def tell(event: Phase | EpochEnd | Measured | Reply) -> None:
        protocol.write(event.model_dump_json() + "\n")
        protocol.flush()

    return tell


def _adopt_orphans() -> None:
    """On Linux, makes a child whose own parent has ended a child of this process, so that ours finds and ends it."""
    if sys.platform == "linux":
        subreaper = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
        ctypes.CDLL(None, use_errno=True).prctl(subreaper, 1, 0, 0, 0)


def _read(lines: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        lines.put(line)
    # The parent has closed our input or has ended. Frameworks' threads and exit handlers have hung before.
    os._exit(1)


def _use_cores(request: Request) -> None:
    """Keeps this process to as many cores as it may use threads: JAX has no other setting for its threads."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        first = min(request.first_core, len(cores) - 1)
        os.sched_setaffinity(0, cores[first : first + request.threads])


if __name__ == "__main__":
    main()
