"""Large results: every form of the report is drawn in seconds, whatever the number of rows and tasks."""

import time
from collections.abc import Callable, Iterator

from compare.analysis.changes import find_changes
from compare.records.results import Results
from compare.report.render import FORMATS, render
from compare.report.terminal import print_results
from tests.analysis.runs import make_certificate, make_results, make_run
from tests.screen import terminal

SECONDS = 10.0
"""That a form may take on a slow machine; where each row looked at all others, a thousand rows took 26 and more."""


def of_rows(count: int) -> Results:
    """One task with many rows in both modes, each with a speed of its own."""
    names = [(f"backend{at}", mode) for at in range(count // 2) for mode in ("tuned", "stock")]
    runs = [
        make_run(name, mode=mode, round_=r, examples_per_second=1e6 * 1.005**-at * (1 + r / 1000))
        for r in range(3)
        for at, (name, mode) in enumerate(names)
    ]
    return make_results(runs=runs, certificates=[make_certificate(name, mode=mode) for name, mode in names])


def of_tasks(count: int) -> Results:
    """Many tasks with three rows each."""
    names = [(f"task{at}", backend) for at in range(count) for backend in ("pytorch", "keras", "jax")]
    runs = [make_run(name, task=task, round_=r) for task, name in names for r in range(3)]
    return make_results(runs=runs, certificates=[make_certificate(name, task=task) for task, name in names])


def forms(results: Results) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "table", lambda: print_results(results, terminal(80), verbose=True)
    yield "diff", lambda: find_changes(results, results).text()
    for form in FORMATS:
        yield form, lambda form=form: render(results, None, form)  # type: ignore[misc]


def check(results: Results, *, without: tuple[str, ...] = ()) -> tuple[float, str]:
    """Draws every form but some; returns the most seconds that one took, and which it was."""
    slowest = (0.0, "")
    for name, draw in forms(results):
        if name not in without:
            start = time.perf_counter()
            draw()
            slowest = max(slowest, (time.perf_counter() - start, name))
    assert slowest[0] < SECONDS, slowest
    return slowest


def run(count: int = 1000) -> str:
    """Draws results with as many rows, and with a third as many tasks."""
    slowest = [check(of_rows(count)), check(of_tasks(count * 3 // 10))]
    figures = ", ".join(f"{name} {seconds:.1f} s" for seconds, name in slowest)
    return f"results of {count:,} rows, and of {count * 3 // 10:,} tasks, in every form; the slowest were {figures}"
