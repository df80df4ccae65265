"""Ctrl-C, SIGTERM and SIGHUP at random moments: the command ends within 5 seconds and leaves nothing behind."""

import random
import re
import signal
import tempfile
import time
from pathlib import Path

from compare.run.reading import read_results
from tests.faults.commands import SMALL, kill, place

LIMIT = 5.0
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(count: int) -> str:
    """Interrupts so many runs; raises AssertionError where one is slow, leaves something, or loses something."""
    chance = random.Random(count)
    slowest, statuses, seconds = 0.0, {}, 6.0
    with tempfile.TemporaryDirectory() as folder:
        for index in range(count):
            with place(Path(folder) / f"run{index}") as here:
                command = here.start("run", *SMALL, "--output", str(here.run))
                with command:
                    begun = time.monotonic()
                    time.sleep(chance.uniform(0.1, seconds))  # before, Python itself is still starting
                    number = chance.choice(NUMBERS)
                    ended = command.poll() is not None
                    sent = time.monotonic()
                    kill(command.pid, number)
                    out, error = command.communicate(timeout=60)
                    took = time.monotonic() - sent
                if ended:
                    seconds = sent - begun  # of a whole run, so that the next are caught in it
                    continue
                slowest = max(slowest, took)
                status = command.returncode
                statuses[status] = statuses.get(status, 0) + 1
                assert took < LIMIT, f"{number.name} took {took:.1f} s"
                assert status in (128 + number, -number, 0), (number.name, status, error)
                assert "Traceback" not in out + error, error
                assert here.nothing_left(2), f"left: {here.scratch()}, {here.processes()}"
                if status == 128 + number and any(here.run.glob("run.json")):
                    read_results(here.run)
                    assert re.search("interrupted", error), error
    words = ", ".join(f"{number} with status {status}" for status, number in sorted(statuses.items()))
    return f"{sum(statuses.values())} runs interrupted, the slowest ended after {slowest:.1f} s; {words}"
