"""``kill -9`` at random moments, on the command or on its workers: nothing finished is lost, nothing is left behind."""

import random
import tempfile
import time
from pathlib import Path

from compare.run.reading import read_results
from tests.faults.commands import SMALL, Place, kill, outcome, place, workers_of


def run(count: int) -> str:
    """Kills so many times; raises AssertionError where something was lost, torn or left behind."""
    chance = random.Random(count)
    with tempfile.TemporaryDirectory() as folder:
        with place(Path(folder) / "undisturbed") as quiet:
            begun = time.monotonic()
            _finish(quiet, "--output")
            seconds = time.monotonic() - begun
            expected = read_results(quiet.run)
        kills = runs = kept = 0
        while kills < count:
            runs += 1
            with place(Path(folder) / f"run{runs}") as disturbed:
                whole = True
                while kills < count and (killed := _disturb(disturbed, chance, seconds)):
                    kills += 1
                    whole = whole and killed == "command"
                    kept += len(_finished(disturbed))
                before = _finished(disturbed)
                _finish(disturbed, "--resume" if disturbed.run.exists() else "--output")
                after = _finished(disturbed)
                assert before.items() <= after.items(), "a finished cell was lost or run again"
                same = outcome(read_results(disturbed.run), certificates=whole) == outcome(expected, certificates=whole)
                assert same, "the final results differ"
                assert disturbed.nothing_left(2), f"left: {disturbed.scratch()}, {disturbed.processes()}"
    return f"{kills} kills in {runs} runs: {kept} finished cells were there and none was lost; nothing left behind"


def _disturb(place: Place, chance: random.Random, seconds: float) -> str:
    """Starts or resumes the run and kills the command or a worker: says which; empty where it has ended before."""
    before = _finished(place)
    command = place.start("run", *SMALL, "--resume" if place.run.exists() else "--output", str(place.run))
    with command:
        time.sleep(chance.uniform(0.05, seconds))
        workers = workers_of(command)
        ended = command.poll() is not None
        killed = "worker" if workers and chance.random() < 0.5 else "command"
        if killed == "worker":
            kill(chance.choice(workers))
            _, error = command.communicate(timeout=60)
            assert "Traceback" not in error, error
        else:
            kill(command.pid)
            command.communicate(timeout=60)
    if place.run.exists() and any(place.run.glob("*.json")):
        read_results(place.run)
    assert before.items() <= _finished(place).items(), "a finished cell was lost or run again"
    return "" if ended else killed


def _finish(place: Place, option: str) -> None:
    with place.start("run", *SMALL, option, str(place.run)) as command:
        _, error = command.communicate(timeout=120)
        assert command.returncode == 0, error


def _finished(place: Place) -> dict[str, bytes]:
    """The files of the cells that are ok."""
    files = {path.name: path.read_bytes() for path in place.run.glob("cells/*.json")}
    return {name: content for name, content in files.items() if b'"status": "ok"' in content}
