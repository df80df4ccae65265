"""Progress and tables in the terminal."""

from collections.abc import Iterable
from statistics import median
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from compare.plan import Cell
from compare.results import Certificate, Distance, Results, Run


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
        words = []
        if run.status != "ok":
            words.append(f"{run.status}: {run.message}")
        elif run.accuracy is not None and run.examples_per_second is not None:
            words.append(f"accuracy {run.accuracy:.4f}, {run.examples_per_second:,.0f} examples/s")
        if certificate is not None:
            words.append("certified" if certificate.granted else f"certificate refused: {certificate.failure}")
        self.note(f"{_label(cell)}: {', '.join(words)}")

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
    if not console.is_terminal:
        console.width = max(console.width, 200)  # a file has no edge to fit
    for task, recipe in dict.fromkeys((run.task, run.recipe) for run in results.runs):
        runs = [run for run in results.runs if (run.task, run.recipe) == (task, recipe)]
        console.print(_task_table(task, recipe, runs, results))
    for run in results.runs:
        if run.status != "ok":
            console.print(
                escape(f"{run.task} {run.backend} {run.mode} {run.device}: {run.status}: {run.message}"), soft_wrap=True
            )


def _task_table(task: str, recipe: str, runs: list[Run], results: Results) -> Table:
    """One row for each backend, mode and device; what is the same in every row stands in the title."""
    keys = list(dict.fromkeys((run.backend, run.mode, run.device) for run in runs))
    varying = [index for index in range(3) if index == 0 or len({key[index] for key in keys}) > 1]
    constant = [keys[0][index] for index in (1, 2) if index not in varying]
    words = [task, *([recipe] if recipe != "standard" else []), *constant]
    table = Table(title=escape(", ".join(words)), title_justify="left", box=box.SIMPLE_HEAD)
    for index in varying:
        table.add_column(("backend", "mode", "device")[index], no_wrap=True)
    for heading in ("test\naccuracy", "parameters", "training\nexamples/s", "first epoch's\nend, s", "total, s"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("certificate", no_wrap=True)
    for key in keys:
        words = [escape(key[index]) for index in varying]
        same = [run for run in runs if (run.backend, run.mode, run.device) == key]
        well = [run for run in same if run.status == "ok"]
        if not well:
            table.add_row(*words, *["-"] * 5, same[0].status)
            continue
        table.add_row(
            *words,
            _figure((run.accuracy for run in well), ".4f"),
            _figure((run.parameter_count for run in well), ",.0f"),
            _figure((run.examples_per_second for run in well), ",.0f"),
            _figure((run.first_step_seconds for run in well), ".1f"),
            _figure((run.total_seconds for run in well), ".1f"),
            "granted" if results.verified(well[0]) else "unverified",
        )
    return table


def print_certificates(results: Results, console: Console) -> None:
    """Prints the certificates: for each the distances from the float64 reference, as shares of their limits."""
    for task, recipe in dict.fromkeys((c.task, c.recipe) for c in results.certificates):
        certificates = [c for c in results.certificates if (c.task, c.recipe) == (task, recipe)]
        title = task if recipe == "standard" else f"{task}, {recipe}"
        table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column("relative distance\nfrom float64", no_wrap=True)
        groups = list(dict.fromkeys(quantity_group(d.quantity) for c in certificates for d in c.distances))
        for certificate in certificates:
            table.add_column(
                f"{certificate.backend}\n{certificate.mode} {certificate.device}", justify="right", no_wrap=True
            )
        table.add_column("float32\nreference", justify="right", no_wrap=True)
        table.add_column("limit", justify="right", no_wrap=True)
        for group in groups:
            found = [_worst(certificate, group) for certificate in certificates]
            row = ["-" if d is None else f"{d.relative:.1e}{'' if d.passed else ' !'}" for d in found]
            there = next(d for d in found if d is not None)
            table.add_row(group, *row, f"{there.reference_relative:.1e}", f"{there.limit:.1e}")
        table.add_row("certificate", *("granted" if c.granted else "refused" for c in certificates), "", "")
        console.print(table)
        for certificate in certificates:
            if not certificate.granted:
                subject = f"{task} {certificate.backend} {certificate.mode} {certificate.device}"
                console.print(escape(f"refused: {subject}: first to fail: {certificate.failure}"), soft_wrap=True)
        for pair in results.pairs:
            if (pair.task, pair.recipe) == (task, recipe):
                distance = f"{pair.relative:.1e} apart at most, in {pair.quantity}"
                console.print(escape(f"{pair.first} and {pair.second}: {distance}"), highlight=False, soft_wrap=True)


def quantity_group(quantity: str) -> str:
    """The line of the table in which a quantity stands: gradients together, parameters together by step."""
    if quantity.startswith("gradient of "):
        return "gradients"
    if " after " in quantity:
        return f"after {quantity.rpartition(' after ')[2]}"
    return quantity


def _worst(certificate: Certificate, group: str) -> Distance | None:
    """The quantity of a group that is nearest to its limit, or furthest beyond."""
    distances = [d for d in certificate.distances if quantity_group(d.quantity) == group]
    return max(distances, key=lambda d: (not d.passed, d.relative / d.limit), default=None)


def _figure(values: Iterable[float | None], form: str) -> str:
    """The median of what is there."""
    there = [value for value in values if value is not None]
    return format(median(there), form) if there else "-"
