"""Starts a worker process, listens to it, and ends it and all it started when its time is up."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import platformdirs

from backends.registry import about, available_backends

GRACE_SECONDS = 5.0
"""Between asking a worker to end and killing it."""
LOOK_SECONDS = 1.0
"""Between looks at a silent worker: whether it has ended while a child of its holds the pipe open."""


def run_worker(
    request: dict[str, Any],
    *,
    timeout: float | None = None,
    on_event: Callable[[dict[str, Any]], None] = lambda event: None,
    compile_cache: Path | None = None,
    command: tuple[str, ...] = (sys.executable, "-m", "compare.worker"),
) -> dict[str, Any]:
    """Runs one worker to its end.

    Args:
        request: the line that the worker reads; see :class:`compare.worker.CellWork`.
        timeout: seconds until it is ended, with the status ``timeout``.
        on_event: called with each event but the result, as it arrives.
        compile_cache: see :func:`worker_environment`.
        command: the worker's command line.

    Returns:
        the worker's result, or a status and a message of its own where it did not end well. Where the worker had told
        a result in an event ``measured`` before, that stands, with the message.
    """
    measured: dict[str, Any] = {}

    def listen(event: dict[str, Any]) -> None:
        if event["event"] == "measured":
            measured.update(event["result"])
        else:
            on_event(event)

    with tempfile.TemporaryFile() as log:
        started = time.monotonic()  # the system's clock, the same in every process
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=worker_environment(request["threads"], compile_cache),
            # A group of its own: Ctrl-C reaches the parent alone, and a deadline ends all that the worker started.
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        try:
            result = _listen(process, {**request, "started": started}, timeout, listen, log)
        finally:
            _end(process)
    if measured and result["status"] != measured["status"]:
        return {**measured, "message": f"measured, but not certified: {result['message']}"}
    return result


def worker_environment(threads: int, compile_cache: Path | None = None) -> dict[str, str]:
    """The environment of a worker: threads, memory and logging, which frameworks read when they are imported.

    Args:
        threads: the budget of every pool.
        compile_cache: where compilers keep what they made; None for a folder of the user's, kept from run to run.
    """
    cache = compile_cache or platformdirs.user_cache_path("sidebyside") / "compiled"
    root = str(Path(__file__).parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        # How long a waiting thread of OpenMP holds its core: by default so long that on a busy machine it keeps the
        # core from the thread it waits for (PyTorch 5 times as slow beside one busy process; no loss on a quiet one).
        "GOMP_SPINCOUNT": "10000",
        # glibc keeps freed memory instead of giving it back and fetching it anew, page by page, in every step.
        "MALLOC_MMAP_THRESHOLD_": str(2**30),
        "MALLOC_TRIM_THRESHOLD_": str(2**32),
        "NVIDIA_TF32_OVERRIDE": "0",
        **{
            name: value.format(cache=cache)
            for backend in available_backends()
            for name, value in about(backend).environment.items()
        },
    }


def _listen(
    process: subprocess.Popen[bytes],
    request: dict[str, Any],
    timeout: float | None,
    on_event: Callable[[dict[str, Any]], None],
    log: IO[bytes],
) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    deadline = None if timeout is None else time.monotonic() + timeout
    with contextlib.suppress(BrokenPipeError):  # a worker that died at once is reported by its exit status
        # The pipe stays open: the worker ends itself when it closes, that is, when this process is killed.
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    closed = False
    while not closed or process.poll() is None:
        left = LOOK_SECONDS if deadline is None else deadline - time.monotonic()
        if left <= 0:
            return {"status": "timeout", "message": f"ended after {timeout:g} seconds; allow more with --timeout"}
        ended = process.poll() is not None
        try:
            line = lines.get(timeout=min(left, LOOK_SECONDS))
        except queue.Empty:
            if ended:  # and silent since: a child of its holds the pipe open
                break
            continue
        if line is None:
            closed = True
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(None if deadline is None else max(deadline - time.monotonic(), 0))
            continue
        event = _event(line)
        if event.get("event") == "result":
            del event["event"]
            return event
        if event:
            on_event(event)
    status = process.wait()
    if status == -signal.SIGKILL:
        return {"status": "out-of-memory", "message": "killed by the system, most likely for want of memory"}
    return {"status": "crashed", "message": f"the process ended with status {status}{_last_words(log)}"}


def _event(line: bytes) -> dict[str, Any]:
    """The event on a line; empty where it is none: a worker that is killed may leave half a line."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) and "event" in event else {}


def _read(stream: IO[bytes], lines: "queue.SimpleQueue[bytes | None]") -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _last_words(log: IO[bytes]) -> str:
    log.seek(0)
    lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    return f": {lines[-1][:300]}" if lines else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks the worker's whole group to end, then kills it; nothing is left behind."""
    _signal_group(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS if process.poll() is None else 0)
    _signal_group(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
    elif process.poll() is None:
        process.terminate()
