"""Progress and tables in the terminal."""

from collections.abc import Iterable
from statistics import median
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from compare.plan import Cell
from compare.results import Certificate, Results, Run


class TerminalProgress:
    """Progress as a bar with rich on a terminal, as plain lines elsewhere.

    Nothing is redrawn while a cell is on the clock unless its worker reports something, which it does between calls.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}"),
            console=console,
            auto_refresh=False,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task_id = self.bar.add_task("starting", total=None, detail="")

    def __enter__(self) -> "TerminalProgress":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def started(self, cell: Cell, index: int, count: int) -> None:
        self._update(description=_label(cell), completed=index, total=count, detail="starting")

    def event(self, cell: Cell, event: dict[str, Any]) -> None:
        if event["event"] == "epoch":
            loss = "" if event["loss"] is None else f", loss {event['loss']:.4f}"
            detail = f"epoch {event['epoch']} of {event['epochs']}{loss}, accuracy {event['accuracy']:.4f}"
        else:
            detail = event["name"]
        self._update(detail=detail)

    def ended(self, cell: Cell, run: Run, certificate: Certificate | None) -> None:
        if run.status == "ok":
            text = f"accuracy {run.accuracy:.4f}, {run.examples_per_second:,.0f} examples/s"
        else:
            text = f"{run.status}: {run.message}"
        if certificate is not None:
            text += ", certified" if certificate.granted else f", certificate refused: {certificate.failure}"
        self.note(f"{_label(cell)}: {text}")

    def note(self, text: str) -> None:
        self.console.print(escape(text), highlight=False, soft_wrap=True)

    def _update(self, **fields: Any) -> None:
        self.bar.update(self.task_id, **fields)
        self.bar.refresh()


def _label(cell: Cell) -> str:
    words = [cell.task, cell.backend, cell.mode, cell.device]
    if cell.recipe != "standard":
        words.insert(1, cell.recipe)
    if cell.seed:
        words.append(f"seed {cell.seed}")
    if cell.round:
        words.append(f"round {cell.round}")
    return " ".join(words)


def print_results(results: Results, console: Console) -> None:
    """Prints a table for each task and recipe."""
    for task, recipe in dict.fromkeys((run.task, run.recipe) for run in results.runs):
        runs = [run for run in results.runs if (run.task, run.recipe) == (task, recipe)]
        console.print(_task_table(task, recipe, runs, results))
    for run in results.runs:
        if run.status != "ok":
            console.print(escape(f"{run.task} {run.backend} {run.mode} {run.device}: {run.status}: {run.message}"))


def _task_table(task: str, recipe: str, runs: list[Run], results: Results) -> Table:
    title = task if recipe == "standard" else f"{task} ({recipe})"
    table = Table(title=escape(title), title_justify="left")
    table.add_column("backend")
    for heading in ("mode", "device"):
        table.add_column(heading)
    for heading in ("test accuracy", "parameters", "examples/s", "first epoch s", "total s"):
        table.add_column(heading, justify="right")
    table.add_column("certificate")
    for key in dict.fromkeys((run.backend, run.mode, run.device) for run in runs):
        same = [run for run in runs if (run.backend, run.mode, run.device) == key]
        well = [run for run in same if run.status == "ok"]
        if not well:
            table.add_row(*map(escape, key), *["-"] * 5, same[0].status)
            continue
        table.add_row(
            *map(escape, key),
            _figure((run.accuracy for run in well), ".4f"),
            _figure((run.parameter_count for run in well), ",.0f"),
            _figure((run.examples_per_second for run in well), ",.0f"),
            _figure((run.first_step_seconds for run in well), ".1f"),
            _figure((run.total_seconds for run in well), ".1f"),
            "granted" if results.verified(well[0]) else "unverified",
        )
    return table


def _figure(values: Iterable[float | None], form: str) -> str:
    """The median of what is there."""
    there = [value for value in values if value is not None]
    return format(median(there), form) if there else "-"
