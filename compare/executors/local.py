"""Workers as processes on this machine."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from copy import copy
from pathlib import Path

import psutil
from pydantic import TypeAdapter, ValidationError

from compare.executors.base import Executor, Listener, Session, ignore
from compare.executors.environment import worker_environment
from compare.executors.interpreters import Interpreter
from compare.executors.output import Tail, out_of_memory_kills, signal_name
from compare.folders import Scratch, end_processes_of
from compare.interrupts import check, deferred
from compare.records.event import AnyEvent, Reply
from compare.records.request import Request
from tasks.file_source import places
from tasks.registry import own_documents

# -P: a file of the user's, tasks.py say, must not take the place of a module of ours or of a framework.
ARGUMENTS = ("-P", "-m", "compare.worker")
COMMAND = (sys.executable, *ARGUMENTS)
GRACE_SECONDS = 1.0
"""Between asking a worker to end and killing it."""
LOOK_SECONDS = 1.0
"""Between looks at a silent worker: whether it has ended while a child of its holds the pipe open."""
LONGEST_LINE = 64_000_000
"""The longest line, in bytes, that a worker may write: a reply with a thousand epochs has 1 % of it."""
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
        interpreters: those of backends that run in other environments, by backend.
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
        interpreters: Mapping[str, Interpreter] | None = None,
    ) -> None:
        self.threads = threads
        self.first_core = first_core
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

    def command_of(self, backend: str) -> tuple[str, ...]:
        """The command line of a backend's workers."""
        other = self.interpreters.get(backend)
        return self.command if other is None else (str(other.path), *ARGUMENTS)

    def environment_of(self, backend: str, scratch: Path) -> dict[str, str]:
        """The variables of a backend's workers."""
        own = backend not in self.interpreters
        return worker_environment(backend, self.threads, scratch, self.compile_cache, own=own) | self.environment

    def open(self, backend: str) -> "LocalSession":
        session: LocalSession | None = None
        try:
            with deferred():
                session = LocalSession(self, backend)
            return session
        except BaseException:  # a signal that arrived meanwhile
            if session is not None:
                session.close()
            raise

    def part(self, index: int, of: int) -> "LocalExecutor":
        share = max(1, self.threads // of)
        other = copy(self)
        other.threads, other.first_core = share, index * share
        return other


class LocalSession(Session):
    """One worker process. The end of what it writes on standard error explains a crash."""

    def __init__(self, executor: LocalExecutor, backend: str) -> None:
        self._place = {"threads": executor.threads, "first_core": executor.first_core}
        self._kills = out_of_memory_kills()
        self._scratch = Scratch()
        self._started = time.monotonic()  # the system's clock, the same in every process
        try:
            self._process = subprocess.Popen(
                executor.command_of(backend),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=executor.environment_of(backend, self._scratch.path),
                cwd=executor.folder,
                # A group of its own: Ctrl-C reaches the parent alone, and the group can be ended as one.
                start_new_session=os.name == "posix",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except BaseException:
            self._scratch.close()
            raise
        assert self._process.stderr is not None
        self._errors = Tail(self._process.stderr)
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self._alive = True

    @property
    def alive(self) -> bool:
        return self._alive and self._process.poll() is None

    def ask(self, request: Request, on_event: Listener = ignore, timeout: float | None = None) -> Reply:
        deadline = None if timeout is None else time.monotonic() + timeout
        added = {"started_seconds": self._started, "own_tasks": dict(own_documents()), "places": places()}
        sent = request.model_copy(update={**self._place, **added})
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # a worker that died at once is reported by its exit status
            # The pipe stays open: the worker ends itself when it closes, that is, when this process is killed.
            self._process.stdin.write(sent.model_dump_json().encode() + b"\n")
            self._process.stdin.flush()
        try:
            while (line := self._next_line(deadline)) is not None:
                try:
                    event = _EVENTS.validate_json(line)
                except ValidationError:  # half a line where the worker was killed, or a fault of the worker's
                    self._alive = False
                    return self._ending(f"the worker's answer cannot be read: {_shown(line)}")
                if isinstance(event, Reply):
                    return event
                on_event(event)
        except TimeoutError:
            self._alive = False
            return Reply(status="timeout", message=f"ended after {timeout:g} seconds")
        self._alive = False
        return self._ending()

    def close(self) -> None:
        """Asks the worker and all that it started to end, kills what is left, and removes its temporary files."""
        self._alive = False
        with deferred():
            family = self._family()
            self._signal_group(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_SECONDS if self._process.poll() is None else 0)
            self._signal_group(getattr(signal, "SIGKILL", signal.SIGTERM))
            for process in family:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            end_processes_of(self._scratch.path)  # those that had left the family when the worker ended
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
            self._errors.close()
            self._scratch.close()

    def _family(self) -> list[psutil.Process]:
        """All that the worker has started and is still there; it adopts its children's orphans."""
        try:
            return list(psutil.Process(self._process.pid).children(recursive=True))
        except psutil.Error:
            return []

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):  # the session was closed meanwhile
            while line := self._process.stdout.readline(LONGEST_LINE):
                self._lines.put(line)
        self._lines.put(None)

    def _next_line(self, deadline: float | None) -> bytes | None:
        """The worker's next line; None where it has ended. Raises TimeoutError at the deadline."""
        while True:
            check()
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

    def _ending(self, otherwise: str = "") -> Reply:
        """The reply for a worker that has ended without one of its own; ``otherwise`` is said of one that goes on."""
        try:
            status = self._process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            return Reply(status="crashed", message=otherwise)
        if status == -getattr(signal, "SIGKILL", 0) and (self._kills is None or out_of_memory_kills() != self._kills):
            return Reply(status="out-of-memory", message="killed by the system, most likely for want of memory")
        how = f"by signal {signal_name(-status)}" if status < 0 else f"with status {status}"
        words = self._errors.last_line()
        return Reply(status="crashed", message=f"the process ended {how}{words and f': {words}'}")

    def _signal_group(self, number: int) -> None:
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
        elif self._process.poll() is None:
            self._process.terminate()


def _shown(line: bytes) -> str:
    text = ascii(line.decode(errors="replace").strip())
    return text if len(text) <= 100 else f"{text[:97]}..."
