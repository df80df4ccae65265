"""A Dask cluster on this machine: a scheduler and workers that tests start, kill and end."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from tests.sources import ROOT

PATIENCE_SECONDS = 60.0
_ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
}


class Cluster:
    """A scheduler and workers; a worker that ends is started again, as a supervisor would.

    Args:
        folder: for what they write.
        names: of the workers.
    """

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.scheduler = self._start_scheduler()
        self.workers = {name: self._start_worker(name) for name in names}
        self.supervisor = threading.Thread(target=self._supervise, daemon=True)
        self.supervisor.start()

    def kill_worker(self, name: str) -> None:
        """Kills a worker and all that it started, as the loss of a machine does."""
        with self.lock:
            _kill(self.workers[name])

    def restart_scheduler(self) -> None:
        """Kills the scheduler, and starts another one at the same address."""
        with self.lock:
            _kill(self.scheduler)
            self.scheduler = self._start_scheduler()

    def close(self) -> None:
        self.over.set()
        self.supervisor.join()
        for process in (*self.workers.values(), self.scheduler):
            _kill(process)

    def _start_scheduler(self) -> "subprocess.Popen[bytes]":
        words = ("scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard", "--no-show")
        process = self._start(*words)
        wait_until(lambda: _answers(self.port))
        return process

    def _start_worker(self, name: str) -> "subprocess.Popen[bytes]":
        words = ("worker", self.address, "--name", name, "--nthreads", "1", "--no-nanny", "--no-dashboard")
        return self._start(*words, "--resources", "CELL=1", "--memory-limit", "0", "--death-timeout", "60")

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        with (self.folder / "dask.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "dask", *words],
                cwd=self.folder,
                env=os.environ | _ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _supervise(self) -> None:
        while not self.over.wait(0.1):
            with self.lock:
                for name, process in self.workers.items():
                    if process.poll() is not None:
                        self.workers[name] = self._start_worker(name)


@contextlib.contextmanager
def cluster(folder: Path, *names: str) -> Iterator[Cluster]:
    """A cluster with workers of these names, which ends with the block."""
    started = Cluster(folder, names)
    try:
        yield started
    finally:
        started.close()


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what must happen has not happened"
        time.sleep(0.05)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    process.wait()
