"""Workers as processes on this machine."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError

from compare.executors.base import Executor, Listener, Session, ignore
from compare.executors.environment import worker_environment
from compare.records.event import AnyEvent, Reply
from compare.records.request import Request

# -P: a file of the user's, tasks.py say, must not take the place of a module of ours or of a framework.
COMMAND = (sys.executable, "-P", "-m", "compare.worker")
GRACE_SECONDS = 5.0
"""Between asking a worker to end and killing it."""
LOOK_SECONDS = 1.0
"""Between looks at a silent worker: whether it has ended while a child of its holds the pipe open."""
_EVENTS: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


class LocalExecutor(Executor):
    """Starts each worker as a process of its own on this machine.

    Args:
        threads: the number of threads that a worker may use.
        first_core: the first of the cores that a worker may use, counted among those of this process.
        compile_cache: see :func:`compare.executors.environment.worker_environment`.
        environment: further variables of the workers' environment.
        folder: the workers' working directory; None for that of this process.
        command: the workers' command line.
    """

    def __init__(
        self,
        threads: int,
        *,
        first_core: int = 0,
        compile_cache: Path | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        self.threads = threads
        self.first_core = first_core
        self.compile_cache = compile_cache
        self.environment = dict(environment or {})
        self.folder = folder
        self.command = command

    def open(self, backend: str) -> "LocalSession":
        return LocalSession(self, backend)

    def part(self, index: int, of: int) -> "LocalExecutor":
        share = max(1, self.threads // of)
        other = copy(self)
        other.threads, other.first_core = share, index * share
        return other


class LocalSession(Session):
    """One worker process; its standard error goes to a log file, whose last line explains a crash."""

    def __init__(self, executor: LocalExecutor, backend: str) -> None:
        self._place = {"threads": executor.threads, "first_core": executor.first_core}
        self._started = time.monotonic()  # the system's clock, the same in every process
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            executor.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=worker_environment(backend, executor.threads, executor.compile_cache) | executor.environment,
            cwd=executor.folder,
            # A group of its own: Ctrl-C reaches the parent alone, and a deadline ends all that the worker started.
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self._alive = True

    @property
    def alive(self) -> bool:
        return self._alive and self._process.poll() is None

    def ask(self, request: Request, on_event: Listener = ignore, timeout: float | None = None) -> Reply:
        deadline = None if timeout is None else time.monotonic() + timeout
        sent = request.model_copy(update={**self._place, "started_seconds": self._started})
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # a worker that died at once is reported by its exit status
            # The pipe stays open: the worker ends itself when it closes, that is, when this process is killed.
            self._process.stdin.write(sent.model_dump_json().encode() + b"\n")
            self._process.stdin.flush()
        try:
            while (line := self._next_line(deadline)) is not None:
                event = _event(line)
                if isinstance(event, Reply):
                    return event
                if event is not None:
                    on_event(event)
        except TimeoutError:
            self._alive = False
            return Reply(status="timeout", message=f"ended after {timeout:g} seconds")
        self._alive = False
        return self._ending()

    def close(self) -> None:
        """Asks the worker's whole group to end, then kills it; nothing is left behind."""
        self._alive = False
        self._signal_group(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_SECONDS if self._process.poll() is None else 0)
        self._signal_group(getattr(signal, "SIGKILL", signal.SIGTERM))
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):  # the session was closed meanwhile
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put(None)

    def _next_line(self, deadline: float | None) -> bytes | None:
        """The worker's next line; None where it has ended. Raises TimeoutError at the deadline."""
        while True:
            left = LOOK_SECONDS if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            ended = self._process.poll() is not None
            try:
                line = self._lines.get(timeout=min(left, LOOK_SECONDS))
            except queue.Empty:
                if ended:  # and silent since: a child of its holds the pipe open
                    return None
                continue
            if line is None:  # the pipe is closed; the process may take longer to end
                try:
                    self._process.wait(None if deadline is None else max(deadline - time.monotonic(), 0))
                except subprocess.TimeoutExpired:
                    raise TimeoutError from None
            return line

    def _ending(self) -> Reply:
        """The reply for a worker that has ended without one of its own."""
        status = self._process.wait()
        if status == -signal.SIGKILL:
            message = "killed by the system, most likely for want of memory"
            return Reply(status="out-of-memory", message=message)
        return Reply(status="crashed", message=f"the process ended with status {status}{self._last_words()}")

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read().decode(errors="replace").splitlines() if line.strip()]
        return f": {lines[-1][:300]}" if lines else ""

    def _signal_group(self, number: int) -> None:
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
        elif self._process.poll() is None:
            self._process.terminate()


def _event(line: bytes) -> AnyEvent | None:
    """The event on a line; None where it holds none: a worker that is killed may leave half a line."""
    try:
        return _EVENTS.validate_json(line)
    except ValidationError:
        return None
