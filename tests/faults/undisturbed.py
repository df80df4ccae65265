"""Undisturbed runs of random networks, each framework in both loops: none is refused."""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from safetensors.numpy import load_file

import backends
from compare.certify.curves import check_curves
from compare.certify.judge import judge
from compare.executors.base import Session
from compare.records.cell import Cell
from compare.records.request import CellRequest
from compare.records.run import Run
from compare.run.options import make_options
from compare.run.replays import Replays
from tasks import registry
from tasks.task import Task
from tests.backends.drawn import drawn
from tests.remote import Given
from tests.samples import Sample
from tests.worker.real_cells import Here, call_in, open_worker, pickled, register, run_and_check

STEPS = 200
"""Of a run, about."""


class Outcome(NamedTuple):
    """Of one run: who made it, of which network, the judgement, and the first thing that is wrong."""

    who: str
    kind: str
    word: str
    failure: str = ""


def run(count: int, names: Sequence[str] = ()) -> str:
    """Runs ``count`` cells, or a few more: random networks, in both loops of each framework, or of those named."""
    names = names or [name for name in backends.framework_backends() if backends.missing(name) is None]
    loops = sum(len(backends.modes(name)) for name in names)
    outcomes = [outcome for task in draw(-(-count // loops)) for outcome in outcomes_of(task, names)]
    said = describe(outcomes)
    refused = [
        f"{o.who}, {o.kind}: {o.word}: {o.failure}" for o in outcomes if o.word not in ("granted", "undecidable")
    ]
    assert not refused, f"{said}; {'; '.join(refused)}"
    return said


def draw(count: int) -> list[Task]:
    """Tasks of random networks, the same each time."""
    return [_task(f"drawn-{seed}", drawn(seed)) for seed in range(count)]


def _task(name: str, sample: Sample) -> Task:
    """A task of a sample's network and data, as many epochs as make about 200 steps."""
    recipe = replace(sample.recipe, epochs=max(4, STEPS // sample.batches.steps))
    return Task(name, name, {"standard": recipe}, 1.0, Given(recipe.architecture.input_shape, dataset=sample.dataset))


def outcomes_of(task: Task, names: Sequence[str]) -> Iterator[Outcome]:
    """Runs a task on both loops of each framework; each run is certified, checked, and held against the others."""
    rule = type(task.recipe.optimizer).__name__ + (
        ", momentum" if getattr(task.recipe.optimizer, "momentum", 0) else ""
    )
    kind = f"{task.recipe.loss}, {rule}"
    cells = [
        Cell(
            task=task.name, recipe="standard", backend=name, mode=mode, device="cpu", seed=0, epochs=task.recipe.epochs
        )
        for name in names
        for mode in backends.modes(name)
    ]
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as sessions:
        folder, here = Path(scratch), Here()
        sessions.enter_context(patch.dict(registry._TASKS))
        register(str(pickled(task, folder)))
        reference = here.reference(cells[0], folder)
        replays = Replays(make_options({}), here)
        replays.begin(cells, [])
        runs: list[Run] = []
        found: dict[str, Outcome] = {}
        for name in names:
            session: Session = sessions.enter_context(open_worker(name))
            call_in(session, "register", str(folder / f"{task.name}.pickle"))
            for cell in (cell for cell in cells if cell.backend == name):
                who = f"{name} {cell.mode} of {task.name}"
                path = folder / f"{cell.file_name}.safetensors"
                reply, run = run_and_check(session, replays, CellRequest(cell=cell, evidence=str(path)), folder)
                if run is None or reply.evidence is None:
                    found[who] = Outcome(who, kind, reply.status, reply.message)
                    continue
                certificate = judge(cell, reply.evidence, load_file(path), reference)
                found[who] = Outcome(who, kind, certificate.outcome, f"certificate: {certificate.failure}")
                runs.append(run)
        changed = {run.subject: run for run in check_curves(runs)}
        for run in runs:
            check = changed.get(run.subject, run).check
            who = f"{run.backend} {run.mode} of {task.name}"
            if check is not None and check.outcome != "granted" and found[who].word != "refused":
                found[who] = Outcome(who, kind, check.outcome, f"check: {check.failure}")
        for outcome in found.values():
            if outcome.word not in ("granted", "undecidable"):
                print(task.recipe, outcome, file=sys.stderr, flush=True)
        yield from found.values()


def describe(outcomes: Sequence[Outcome]) -> str:
    """How many runs there were, and of what became of them, by loss and optimizer."""
    words = Counter(outcome.word for outcome in outcomes)
    by_kind = []
    for kind in sorted({outcome.kind for outcome in outcomes}):
        of_kind = Counter(outcome.word for outcome in outcomes if outcome.kind == kind)
        by_kind.append(f"{kind}: {', '.join(f'{number} {word}' for word, number in of_kind.items())}")
    counts = [f"{words[word]} {word}" for word in ("granted", "undecidable", "refused")]
    counts += [f"{n} {word}" for word, n in words.items() if word not in ("granted", "undecidable", "refused")]
    return f"{len(outcomes)} undisturbed runs: {', '.join(counts)} ({'; '.join(by_kind)})"
