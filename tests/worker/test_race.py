"""The race finds the fastest formulation, and times the slow ones no longer than it must."""

from typing import Any

import pytest

from compare.records.request import CellRequest
from compare.worker import race
from compare.worker.race import build_model, timed_build
from tasks import load_task
from tasks.batches import Batches
from tests.samples import SAMPLES
from tests.worker.fakes import make_cell

BATCHES = SAMPLES["dense"].batches


class Entrant:
    """A model whose calls last as long as it is told, the last for all after it."""

    def __init__(self, *seconds: float) -> None:
        self.waiting = list(seconds)
        self.trained: list[Batches] = []

    def train(self, batches: Batches) -> float:
        self.trained.append(batches)
        return self.waiting.pop(0) if len(self.waiting) > 1 else self.waiting[0]


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "clock", lambda call: call())


def run(**entrants: Entrant) -> Any:
    return race.race({name: (lambda made=made: made) for name, made in entrants.items()}, BATCHES)  # type: ignore[misc]


def test_the_fastest_wins_whatever_its_first_call_took() -> None:
    slow, fast = Entrant(0.5, 0.12), Entrant(4.0, 0.1)
    built = run(slow=slow, fast=fast)
    assert built.model is fast
    assert built.compile_seconds == pytest.approx(3.9)
    examples = slow.trained[0].examples
    assert built.examples_per_second == pytest.approx({"slow": examples / 0.12, "fast": examples / 0.1})
    assert len(slow.trained) == len(fast.trained) == 1 + race.CALLS


def test_one_slow_call_costs_nobody_the_race() -> None:
    for place in range(4):
        seconds = [0.05] * 5
        seconds[place] = 0.9
        unlucky, steady = Entrant(1.0, *seconds), Entrant(1.0, 0.06)
        assert run(unlucky=unlucky, steady=steady).model is unlucky


def test_the_slow_are_left_out_and_long_calls_are_few() -> None:
    slow, fast = Entrant(1.0, 0.2), Entrant(1.0, 0.1)
    run(slow=slow, fast=fast)
    assert (len(slow.trained), len(fast.trained)) == (1 + race.LEAST, 1 + race.CALLS)
    long = Entrant(1.0, 0.3)
    run(long=long, other=Entrant(1.0, 0.3))
    assert len(long.trained) == 3


class Loop(Entrant):
    formulation = ""

    def place(self, dataset: object) -> None: ...

    def load_parameters(self, parameters: object) -> None:
        self.trained = []


class Framework:
    """Builds loops with as many formulations as it is told."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.built: list[str | None] = []

    def formulations(self, *_: object) -> tuple[str, ...]:
        return self.names

    def build(self, *_: object, formulation: str | None, **__: object) -> Loop:
        self.built.append(formulation)
        return Loop(1.0, 0.1 / len(self.built))


@pytest.mark.parametrize(
    ("names", "asked", "built"),
    [
        ((), {"race": True}, [None]),
        (("a",), {"race": True}, [None]),
        (("a", "b"), {"race": True}, ["a", "b"]),
        (("a", "b", "c"), {"race": True}, ["a", "b"]),
        (("a", "b", "c"), {"formulation": "c"}, ["c"]),
        (("a", "b"), {"formulation": "of another backend"}, [None]),
        (("a", "b"), {}, [None]),
    ],
)
def test_only_a_loop_of_several_formulations_races(
    names: tuple[str, ...], asked: dict[str, Any], built: list[str | None]
) -> None:
    framework, task = Framework(*names), load_task("and-gate")
    request = CellRequest(cell=make_cell(), **asked)
    result = build_model(request, framework, task, {}, task.dataset(None), BATCHES)  # type: ignore[arg-type]
    assert framework.built == built
    assert bool(result.examples_per_second) == (len(built) > 1)
    assert result.model.trained == []  # type: ignore[attr-defined] # the winner begins anew


def test_a_build_without_a_race_is_timed() -> None:
    assert timed_build(lambda: Entrant(1.0)).build_seconds >= 0  # type: ignore[arg-type, return-value]
