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
NUMBERS = tuple(
    number
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    if signal.getsignal(number) != signal.SIG_IGN  # as nohup has it: then the commands ignore it too
)


def run(count: int) -> str:
    """Interrupts so many runs; raises AssertionError where one is slow, leaves something, or loses something."""
    chance = random.Random(count)
    slowest, seconds, cells = 0.0, 6.0, 0
    statuses: dict[int, int] = {}
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
                if status == 128 + number:
                    assert re.search("interrupted", error), error
                    shown = re.findall(r"seed (\d+): accuracy|cpu: accuracy", error)  # each as it has ended
                    if any(here.run.glob("run.json")):
                        kept = [run for run in read_results(here.run).runs if run.status == "ok"]
                        assert len(kept) >= len(shown), f"{len(shown)} cells had ended, {len(kept)} are kept"
                        cells += len(kept)
    assert any(status > 128 for status in statuses), "no signal was handled"
    words = ", ".join(f"{number} with status {status}" for status, number in sorted(statuses.items()))
    count = sum(statuses.values())
    return f"{count} runs interrupted, the slowest ended after {slowest:.1f} s, {cells} finished cells kept; {words}"
