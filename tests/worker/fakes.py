"""Fake workers, small scripts in the place of a real one, and help to wait for what processes do."""

import os
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from compare.executors.base import Listener, ignore
from compare.executors.local import LocalExecutor
from compare.records.cell import Cell
from compare.records.event import Reply
from compare.records.request import CellRequest
from compare.run.options import make_options
from compare.run.plan import list_cells

PATIENCE_SECONDS = 60.0
"""For what must happen; only a failing test waits that long."""
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals and process groups are POSIX's")


def make_cells(task: str, backend: str, epochs: int = 20, **options: Any) -> list[Cell]:
    return list_cells(make_options({"tasks": task, "backends": backend, "epochs": epochs, **options}))


def make_cell(**replaced: Any) -> Cell:
    (cell,) = make_cells("and-gate", "numpy")
    return cell.model_copy(update=replaced)


def fake(script: str) -> tuple[str, ...]:
    """The command of a worker that runs a small script; ``tell`` sends an event, ``request`` is what it was asked."""
    start = """
        import json, os, signal, subprocess, sys, time
        def tell(event, **values):
            print(json.dumps({"event": event, **values}), flush=True)
        def run(**values):
            return {**request["cell"], **values}
        request = json.loads(sys.stdin.readline())
    """
    return (sys.executable, "-I", "-S", "-c", textwrap.dedent(start) + textwrap.dedent(script))


def fake_executor(script: str) -> LocalExecutor:
    """An executor whose workers run a small script."""
    return LocalExecutor(2, command=fake(script))


def ask(script: str, *, timeout: float | None = None, on_event: Listener = ignore) -> Reply:
    """What an executor makes of a fake worker."""
    return fake_executor(script).ask("numpy", CellRequest(cell=make_cell()), on_event, timeout)


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that only waits for its parent to ask for its status has."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited in vain until {what}")
        time.sleep(0.02)


@contextmanager
def ended_afterwards(pids: list[int]) -> Iterator[None]:
    """Ends what a failing test would leave behind."""
    try:
        yield
    finally:
        for pid in pids:
            if not is_gone(pid):
                os.kill(pid, signal.SIGKILL)
