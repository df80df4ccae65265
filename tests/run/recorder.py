"""Runs of fake workers, and a Progress that records what it is told."""

from pathlib import Path
from typing import Any

from compare.executors.base import Executor
from compare.records.cell import Cell
from compare.records.certificate import Certificate
from compare.records.event import EpochEnd, Phase
from compare.records.results import Results
from compare.records.run import Run
from compare.run.options import make_options
from compare.run.progress import Progress
from compare.run.reading import read_results
from compare.run.runner import Runner
from compare.run.store import Store
from tests.worker.fakes import fake_executor, make_cell


class Recorder(Progress):
    """A Progress that keeps what it is told, and reads the results at each step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[tuple[str, Cell]] = []
        self.events: list[Phase | EpochEnd] = []
        self.notes: list[str] = []
        self.stored: list[int] = []

    def __exit__(self, *_: object) -> None: ...

    def update(self, **fields: Any) -> None: ...

    def started(self, cell: Cell, index: int, count: int) -> None:
        self.told.append(("started", cell))
        self.stored.append(len(read_results(self.folder).runs))

    def event(self, cell: Cell, event: Phase | EpochEnd) -> None:
        self.events.append(event)
        read_results(self.folder)

    def ended(self, cell: Cell, run: Run, certificate: Certificate | None) -> None:
        self.told.append(("ended", cell))
        stored = read_results(self.folder).runs
        assert run in stored or any("the earlier result" in note for note in self.notes)

    def note(self, text: str) -> None:
        self.notes.append(text)

    @property
    def begun(self) -> list[Cell]:
        return [cell for what, cell in self.told if what == "started"]


BY_SEED = """
seed = request["cell"]["seed"]
outcome = {outcomes}[seed]
if outcome == "crash": sys.exit(1)
if outcome == "garbage": print("hello", file=sys.stderr)
if outcome == "kill": os.kill(os.getpid(), signal.SIGKILL)
if outcome == "hang": time.sleep(600)
tell("reply", run=run(status="ok", accuracy=1.0, examples_per_second=seed + 0.5))
"""


def make_runner(folder: Path, executor: Executor, recorder: Recorder | None = None, **options: Any) -> Runner:
    """A runner that writes into a folder; without certificates, unless asked for."""
    chosen = make_options({"threads": 2, "certify": False} | options)
    return Runner(chosen, Store(folder), executor, recorder or Recorder(folder))


def run_fakes(
    outcomes: list[str],
    folder: Path,
    *,
    recorder: Recorder | None = None,
    timeout: float | None = None,
) -> tuple[Results, Recorder]:
    """Runs a cell for each outcome, with its place as seed."""
    recorder = recorder or Recorder(folder)
    executor = fake_executor(BY_SEED.format(outcomes=outcomes))
    runner = make_runner(folder, executor, recorder, timeout=timeout)
    return runner.run([make_cell(seed=seed) for seed in range(len(outcomes))]), recorder
