"""The Python API: one call explains why frameworks give different results on a task; the command is the same call."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from backends.registry import REFERENCE, about, framework_backends, missing
from compare.executors.local import LocalExecutor
from compare.explain import table
from compare.explain.between import explain_between
from compare.explain.diagnosis import diagnose
from compare.explain.effects import explain_task
from compare.explain.trainings import Trainings
from compare.records.cell import Cell
from compare.records.effect import Between, Diagnosis, Effect, Explanation
from compare.run.options import make_options
from compare.run.plan import list_cells
from tasks.errors import SideBySideError, UnknownNameError

MOST_SEEDS = 1000


@dataclass(frozen=True)
class Explained:
    """An explanation that shows itself: in a notebook its table and its chart.

    Attributes:
        explanation: the effects, the largest first, with all figures.
    """

    explanation: Explanation

    def __str__(self) -> str:
        lines = [table.title(self.explanation), table.answer(self.explanation), ""]
        lines += ["; ".join(row) for row in table.rows(self.explanation)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from compare.explain.page import fragment

        return fragment(self.explanation)


def explain(
    task: str,
    backend: str | Sequence[str] | None = None,
    *,
    seeds: int = 5,
    preset: Literal["quick", "full"] = "quick",
) -> Explained:
    """Turns the defaults of frameworks on, one at a time, in a model that is the same in all of them.

    Args:
        task: the task, by name or file.
        backend: the frameworks whose defaults are turned on; all that are installed, unless named.
        seeds: of each whole run, 0 to N-1.
        preset: ``"quick"`` trains the task's quick preset, ``"full"`` its recipe as it stands.

    Raises:
        SideBySideError: an argument is wrong, or a framework is not installed: one line that says what to do.
    """

    def found(effect: Effect) -> None:
        print(f"{effect.framework}, {effect.name}: {table.change_text(effect)}", file=sys.stderr, flush=True)

    names = [backend] if isinstance(backend, str) else backend
    return Explained(explain_by_name(task, names, seeds=seeds, preset=preset, found=found))


def explain_by_name(
    task: str,
    frameworks: Sequence[str] | None,
    *,
    seeds: int,
    preset: str,
    found: Callable[[Effect], None] = lambda effect: None,
) -> Explanation:
    """The same as :func:`explain`, as a record; ``found`` is told of each effect as soon as it is known."""
    chosen = installed(frameworks)
    cell, start = _prepared(task, chosen, seeds, preset)
    return explain_task(cell, chosen, start, found)


def between_by_name(
    task: str, first: str, second: str, *, seeds: int, preset: str, found: Callable[[str], None] = lambda name: None
) -> Between:
    """Where the difference of two frameworks comes from; see :func:`compare.explain.between.explain_between`."""
    check_frameworks([first, second])
    if first == second:
        raise SideBySideError(f"--between names {first} twice: name two frameworks")
    cell, start = _prepared(task, [first, second], seeds, preset)
    return explain_between(cell, first, second, start, found)


def diagnosis_by_name(task: str, backend: str, note: Callable[[str], None] = lambda text: None) -> Diagnosis:
    """Which default a backend of another package was left with; see :func:`compare.explain.diagnosis.diagnose`."""
    if backend == REFERENCE:
        raise SideBySideError(f"{backend} is the reference: every other backend is held against it")
    options = make_options({"tasks": task, "backends": backend})
    if message := missing(backend):
        raise SideBySideError(message)
    cell = list_cells(options)[0]
    cell = cell.on(backend, about(backend).modes[0], "cpu")
    return diagnose(cell, LocalExecutor(options.worker_threads), note)


def installed(names: Sequence[str] | None) -> list[str]:
    """The frameworks that were named, else all that are installed. Raises SideBySideError where there is none."""
    check_frameworks(names or ())
    chosen = list(dict.fromkeys(names or [name for name in framework_backends() if not missing(name)]))
    if not chosen:
        raise SideBySideError("; ".join(filter(None, map(missing, framework_backends()))))
    return chosen


def check_frameworks(names: Sequence[str]) -> None:
    """Raises SideBySideError where one is no framework, or is not installed."""
    for name in names:
        if name not in framework_backends():
            raise UnknownNameError("framework", name, framework_backends())
        if message := missing(name):
            raise SideBySideError(message)


def _prepared(task: str, frameworks: Sequence[str], seeds: int, preset: str) -> tuple[Cell, Callable[[str], Trainings]]:
    """The cell of a task and preset, and what begins the trainings of a framework."""
    if not 1 <= seeds <= MOST_SEEDS:
        raise SideBySideError(f"seeds is {seeds}: give a whole number from 1 to {MOST_SEEDS:,}")
    options = make_options({"tasks": task, "backends": frameworks[0], "preset": preset})
    (cell,) = list_cells(options)
    return cell, lambda name: Trainings(cell.on(name, "tuned", "cpu"), seeds, options.worker_threads)
