"""Real runs of the command line in folders of their own, for the tests that disturb them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from compare.folders import VARIABLE
from compare.records.results import Results
from tests.sources import ROOT

SMALL = ("and-gate", "--backend", "numpy", "--epochs", "20", "--seeds", "3", "--threads", "1")
"""A run of three cells, the first of them certified, that takes a few seconds."""


class Place:
    """A folder with a run's folder, its folder for temporary files, and its caches: nothing else touches these."""

    def __init__(self, folder: Path) -> None:
        self.run = folder / "run"
        self.temporary = folder / "tmp"
        self.cache = folder / "cache"
        self.temporary.mkdir()

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name != VARIABLE}
        return kept | {
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(self.temporary),
            "XDG_CACHE_HOME": str(self.cache),
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts ``python -m compare``, with Ctrl-C at work even where these tests run in the background of a shell."""
        script = (
            "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL);"
            " os.execv(sys.executable, [sys.executable, '-P', '-m', 'compare', *sys.argv[1:]])"
        )
        return subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            cwd=self.run.parent,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def scratch(self) -> list[str]:
        """The scratch folders that are there."""
        return sorted(path.name for path in self.temporary.iterdir())

    def processes(self) -> list[psutil.Process]:
        """The processes that were started with this folder for temporary files, or that work in one below it."""
        found = []
        for process in psutil.process_iter():
            try:
                environment = process.environ()
            except (psutil.Error, OSError):
                continue
            if any(str(self.temporary) in environment.get(name, "") for name in ("TMPDIR", VARIABLE)):
                found.append(process)
        return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]

    def nothing_left(self, seconds: float) -> bool:
        """Whether all processes and scratch folders are gone within so many seconds."""
        end = time.monotonic() + seconds
        while self.processes() or self.scratch():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def end_all(self) -> None:
        for process in self.processes():
            try:
                process.kill()
            except psutil.Error:
                continue


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """A place whose processes are ended at the end, whatever happens."""
    folder.mkdir(parents=True)
    made = Place(folder)
    try:
        yield made
    finally:
        made.end_all()


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    try:
        children = psutil.Process(process.pid).children()
        return [child.pid for child in children if "compare.worker" in child.cmdline()]
    except psutil.Error:
        return []


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def outcome(results: Results, *, certificates: bool = True) -> object:
    """What two runs of the same cells have in common: everything but times, and what depends on the machine's load.

    Args:
        results: of a run.
        certificates: whether the certificates' figures count. Where a worker was killed between measuring and
            certifying, the next cell of its subject, of another seed, is certified in its place.
    """
    runs = [
        (run.cell, run.status, run.losses, run.accuracies, run.parameter_counts, run.parameters_sha256)
        for run in results.runs
    ]
    judged = [c if certificates else (c.subject, c.granted) for c in results.certificates]
    return runs, judged, results.pairs, results.settings, results.options, results.definitions
