"""What a worker does that it should not, in each backend: the outcome is told, and nothing is left behind."""

import time
from collections.abc import Sequence

import psutil

from backends import available_backends, missing
from compare.executors.local import LocalExecutor
from compare.folders import processes_of
from compare.records.request import CallRequest

LIMIT = 25.0
"""Seconds for each worker; a framework may take half of them to be imported on a busy machine."""
LEFT = 2.0
"""Seconds after the limit within which all is gone."""
EXPECTED = {
    "segmentation_fault": ("crashed", "by signal SIGSEGV"),
    "exit_at_once": ("crashed", "with status 3"),
    "memory_error": ("out-of-memory", "MemoryError: cannot allocate 8 TB"),
    "endless_loop": ("timeout", "ended after"),
    "loud": ("ok", ""),
    "stopped": ("timeout", "ended after"),
    "grandchild": ("ok", ""),
    "orphan": ("ok", ""),
    "crash_with_orphan": ("crashed", "with status 4"),
}


def run(count: int, backends: Sequence[str] = (), limit: float = LIMIT) -> str:
    """Does every deed, or the first ``count``, in a worker of each backend that is installed, or of those named."""
    names = backends or [name for name in available_backends() if missing(name) is None]
    deeds = list(EXPECTED)[:count]
    slowest = 0.0
    for backend in names:
        for deed in deeds:
            slowest = max(slowest, _do(backend, deed, limit))
    return f"{len(deeds)} deeds in workers of {', '.join(names)}: each told; all gone {slowest:.1f} s after at the most"


def _do(backend: str, deed: str, limit: float) -> float:
    """Does one deed; the seconds that it took beyond the limit, until nothing was left."""
    status, message = EXPECTED[deed]
    before = {process.pid for process in psutil.process_iter()}
    session = LocalExecutor(1).open(backend)
    scratch = session._scratch.path
    try:
        if status == "timeout":  # not while the framework is imported
            session.ask(CallRequest(module="tests.faults.deeds", function="do", arguments=(backend, "nothing")))
            limit = min(limit, 2.0)
        request = CallRequest(module="tests.faults.deeds", function="do", arguments=(backend, deed))
        reply = session.ask(request, timeout=limit)
    finally:
        begun = time.monotonic()
        session.close()
    seconds = time.monotonic() - begun
    assert (reply.status, message in reply.message) == (status, True), f"{backend}, {deed}: {reply}"
    assert not scratch.exists(), f"{backend}, {deed}: the scratch folder is left"
    assert not list(processes_of(scratch)), f"{backend}, {deed}: a process is left"
    new = {process.pid for process in psutil.process_iter() if _sleeps(process)} - before
    assert not new, f"{backend}, {deed}: {new} are left"
    assert seconds < LEFT, f"{backend}, {deed}: it took {seconds:.1f} s to end all"
    return seconds


def _sleeps(process: psutil.Process) -> bool:
    try:
        return "import time; time.sleep(600)" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
