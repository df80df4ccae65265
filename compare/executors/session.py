"""A worker process on this machine: it is sent requests, listened to, and ended."""

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil
from pydantic import TypeAdapter, ValidationError

from compare.executors.base import Listener, Session, ignore
from compare.executors.output import Tail, out_of_memory_kills, signal_name
from compare.folders import Scratch, end_processes_of
from compare.interrupts import check, deferred
from compare.records.event import AnyEvent, Reply
from compare.records.request import Request
from tasks.file_source import places
from tasks.registry import own_documents

GRACE_SECONDS = 1.0
"""Between asking a worker to end and killing it."""
LOOK_SECONDS = 1.0
"""Between looks at a silent worker: whether it has ended while a child of its holds the pipe open."""
LONGEST_LINE = 64_000_000
"""The longest line, in bytes, that a worker may write: a reply with a thousand epochs has 1 % of it."""
_EVENTS: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


class LocalSession(Session):
    """One worker process. The end of what it writes on standard error explains a crash.

    Args:
        command: the worker's command line.
        environment: of a worker that has this folder for its temporary files.
        place: the fields of a request that say which cores the worker may use.
        folder: the working directory; None for that of this process.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Callable[[Path], Mapping[str, str]],
        place: Mapping[str, int],
        folder: Path | None = None,
    ) -> None:
        self._place = place
        self._kills = out_of_memory_kills()
        self._scratch = Scratch()
        self._started = time.monotonic()  # the system's clock, the same in every process
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(self._scratch.path),
                cwd=folder,
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
        # A request from another machine brings its own tasks and the places of their data here.
        known = {"own_tasks": request.own_tasks or dict(own_documents()), "places": request.places or places()}
        sent = request.model_copy(update={**self._place, **known, "started_seconds": self._started})
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
