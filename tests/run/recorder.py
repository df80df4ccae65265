"""Runs of fake workers, and a Progress that records what it is told."""

from functools import partial
from pathlib import Path

import pytest

from compare import runner
from compare.plan import Cell
from compare.process import run_worker
from compare.results import Certificate, Results, Run, read_results
from compare.runner import Options, run_cells
from tests.worker.fakes import Event, fake, make_cell


class Recorder:
    """A Progress that keeps what it is told, and reads ``results.json`` at each step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[tuple[str, Cell]] = []
        self.events: list[Event] = []
        self.notes: list[str] = []
        self.stored: list[int] = []

    def started(self, cell: Cell, index: int, count: int) -> None:
        self.told.append(("started", cell))
        self.stored.append(len(read_results(self.folder).runs))

    def event(self, cell: Cell, event: Event) -> None:
        self.events.append(event)
        read_results(self.folder)

    def ended(self, cell: Cell, run: Run, certificate: Certificate | None) -> None:
        self.told.append(("ended", cell))
        assert read_results(self.folder).runs[-1] == run

    def note(self, text: str) -> None:
        self.notes.append(text)

    @property
    def begun(self) -> list[Cell]:
        return [cell for what, cell in self.told if what == "started"]


BY_SEED = """
outcome = {outcomes}[request["cell"]["seed"]]
if outcome == "crash": sys.exit(1)
if outcome == "garbage": print("hello", file=sys.stderr)
if outcome == "kill": os.kill(os.getpid(), signal.SIGKILL)
if outcome == "hang": time.sleep(600)
tell("result", status="ok", accuracy=1.0, examples_per_second=request["cell"]["seed"] + 0.5)
"""


def run_fakes(
    outcomes: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    earlier: Results | None = None,
    recorder: Recorder | None = None,
    timeout: float | None = None,
) -> tuple[Results, Recorder]:
    """Runs a cell for each outcome, with its place as seed."""
    monkeypatch.setattr(runner, "run_worker", partial(run_worker, command=fake(BY_SEED.format(outcomes=outcomes))))
    recorder = recorder or Recorder(folder)
    cells = [make_cell(seed=seed) for seed in range(len(outcomes))]
    results = run_cells(cells, Options(folder, certify=False, timeout=timeout), recorder, earlier)
    return results, recorder
