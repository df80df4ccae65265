"""Further rounds are run until the ratios are as precise as asked, of the tasks that lack it, within the budget."""

from collections.abc import Callable, Sequence

import pytest

from compare.records.cell import Cell
from compare.records.results import Results
from compare.run import precision
from compare.run.options import RunOptions, make_options
from compare.run.precision import run_rounds
from tasks.errors import SideBySideError
from tests.analysis.runs import make_certificate, make_results, make_run

TASKS = ("mnist-mlp", "iris-mlp")


def speeds(spread: dict[str, float]) -> Callable[[Cell], float]:
    """Examples per second of a cell: jax is 1.2 times as fast, give or take a task's spread, which rounds even out."""
    return lambda cell: 1000 * (1.2 + spread[cell.task] * (-1) ** cell.round if cell.backend == "jax" else 1)


class Runs:
    """Makes up runs of the cells that it is asked for, and counts them."""

    def __init__(self, speed: Callable[[Cell], float]) -> None:
        self.speed = speed
        self.asked: list[Cell] = []
        self.options: list[RunOptions] = []

    def __call__(self, options: RunOptions, cells: Sequence[Cell]) -> Results:
        self.options.append(options)
        self.asked += [cell for cell in cells if cell not in self.asked]
        runs = [make_run(c.backend, task=c.task, round_=c.round, examples_per_second=self.speed(c)) for c in self.asked]
        certificates = [make_certificate(name, task=task) for name in ("jax", "keras") for task in TASKS]
        return make_results(runs=runs, certificates=certificates)

    def rounds(self, task: str) -> int:
        return len({cell.round for cell in self.asked if cell.task == task})


def options(**given: object) -> RunOptions:
    return make_options({"tasks": TASKS, "backends": ("jax", "keras"), **given})


def test_rounds_go_on_for_the_task_whose_ratio_is_not_precise(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs(speeds({"mnist-mlp": 0.1, "iris-mlp": 0.001}))
    results = run_rounds(options(precision="5%"), runs, pytest.fail)
    assert runs.rounds("iris-mlp") == 3
    assert 10 < runs.rounds("mnist-mlp") < 40
    assert len(results.runs) == 2 * (runs.rounds("iris-mlp") + runs.rounds("mnist-mlp"))
    assert [given.rounds for given in runs.options] == list(range(3, runs.rounds("mnist-mlp") + 1))
    fewer = Runs(runs.speed)
    run_rounds(options(precision=0.1), fewer, pytest.fail)
    assert 3 < fewer.rounds("mnist-mlp") < runs.rounds("mnist-mlp")


def test_without_a_precision_there_are_as_many_rounds_as_asked() -> None:
    runs = Runs(speeds({"mnist-mlp": 0.1, "iris-mlp": 0.1}))
    run_rounds(options(rounds=4), runs, pytest.fail)
    assert len(runs.options) == 1
    assert runs.rounds("mnist-mlp") == 4


def test_the_budget_ends_the_rounds_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 30))
    monkeypatch.setattr(precision.time, "monotonic", lambda: next(clock))
    runs = Runs(speeds({"mnist-mlp": 0.1, "iris-mlp": 0.001}))
    notes: list[str] = []
    run_rounds(options(precision="5%", budget=100), runs, notes.append)
    assert runs.rounds("mnist-mlp") == 5  # a sixth would end 108 seconds after the start
    assert notes == [
        "the ratios of mnist-mlp are not known to within 5% after 5 rounds: another round would take longer than the"
        " budget of 100 s"
    ]


@pytest.mark.parametrize("given", ["0", "0%", "100%", "1", "-5%", "nan%", "five", "", "%", True])
def test_a_precision_is_a_share(given: object) -> None:
    with pytest.raises(SideBySideError, match=r"precision is .*: give a share below 100%, as 5% or 0\.05"):
        options(precision=given)


def test_a_precision_needs_three_rounds() -> None:
    assert options(precision="5 %").rounds == 3
    assert options(precision="5 %").precision == 0.05
    with pytest.raises(SideBySideError, match="a precision needs 3 rounds or more, not 2"):
        options(precision="5%", rounds=2)
