"""Fake workers, small scripts in the place of a real one, and help to wait for what processes do."""

import os
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from compare.plan import Cell, list_cells
from compare.process import run_worker
from compare.runner import Options, make_request

PATIENCE_SECONDS = 60.0
"""For what must happen; only a failing test waits that long."""
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals and process groups are POSIX's")
Event = dict[str, Any]


def make_cell(**replaced: Any) -> Cell:
    (cell,) = list_cells(["and-gate"], ["numpy"], epochs=20)
    return replace(cell, **replaced)


def fake(script: str) -> tuple[str, ...]:
    """The command of a worker that runs a small script; ``tell`` sends an event, ``request`` is what it was asked."""
    start = """
        import json, os, signal, subprocess, sys, time
        def tell(event, **values):
            print(json.dumps({"event": event, **values}), flush=True)
        request = json.loads(sys.stdin.readline())
    """
    return (sys.executable, "-I", "-S", "-c", textwrap.dedent(start) + textwrap.dedent(script))


def ask(
    script: str, *, timeout: float | None = None, on_event: Callable[[Event], None] = lambda event: None
) -> dict[str, Any]:
    """What ``run_worker`` makes of a fake worker."""
    request = make_request(make_cell(), Options(Path("nowhere"), threads=2))
    return run_worker(request, timeout=timeout, on_event=on_event, command=fake(script))


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
