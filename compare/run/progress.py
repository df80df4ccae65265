"""How a run goes on: in a terminal, and in a notebook."""

from abc import ABC, abstractmethod
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from compare.plan import Cell
from compare.results import Certificate, Run
from compare.text import clean, label


class ProgressWords(ABC):
    """Puts into words how a run goes on; its children say where the words appear.

    Nothing is shown while a cell is on the clock unless its worker reports something, which it does between calls.
    """

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, *_: object) -> None: ...

    @abstractmethod
    def note(self, text: str) -> None:
        """Shows a line that stays."""

    @abstractmethod
    def update(self, **fields: Any) -> None:
        """Shows what is going on: a ``description``, a ``detail``, how many are ``completed`` of a ``total``."""

    def started(self, cell: Cell, index: int, count: int) -> None:
        self.update(
            description=label(cell, seed=cell.seed, round=cell.round), completed=index, total=count, detail="starting"
        )

    def event(self, cell: Cell, event: dict[str, Any]) -> None:
        if event["event"] == "epoch":
            loss = "" if event["loss"] is None else f", loss {event['loss']:.4f}"
            detail = f"epoch {event['epoch']} of {event['epochs']}{loss}, accuracy {event['accuracy']:.4f}"
        else:
            detail = event["name"]
        self.update(detail=detail)

    def ended(self, cell: Cell, run: Run, certificate: Certificate | None) -> None:
        words = []
        if run.status != "ok":
            words.append(f"{run.status}: {run.message}")
        elif run.accuracy is not None and run.examples_per_second is not None:
            words.append(f"accuracy {run.accuracy:.4f}, {run.examples_per_second:,.0f} examples/s")
            words += [run.message] if run.message else []
        if certificate is not None:
            words.append("certified" if certificate.granted else f"certificate refused: {certificate.failure}")
        self.note(f"{label(cell, seed=cell.seed, round=cell.round)}: {', '.join(words)}")


class TerminalProgress(ProgressWords):
    """Progress as a bar with rich on a terminal, as plain lines elsewhere."""

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

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def note(self, text: str) -> None:
        self.console.print(escape(clean(text)), highlight=False, soft_wrap=True)

    def update(self, **fields: Any) -> None:
        self.bar.update(self.task_id, **fields)
        self.bar.refresh()


class NotebookProgress(ProgressWords):
    """Progress as the output of a notebook's cell: lines that stay, and below them one that is written anew.

    Needs no widgets, and leaves plain text in the notebook's file.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.now: dict[str, Any] = {}
        self.handle: Any = None

    def __exit__(self, *_: object) -> None:
        self.now = {}
        self._show()

    def note(self, text: str) -> None:
        self.lines.append(clean(text))
        self._show()

    def update(self, **fields: Any) -> None:
        self.now |= fields
        self._show()

    def _show(self) -> None:
        from IPython.display import display

        lines = list(self.lines)
        if self.now:
            lines.append("{completed} of {total} done; {description}: {detail}".format(**self.now))
        shown = {"text/plain": "\n".join(lines)}
        if self.handle is None:
            self.handle = display(shown, raw=True, display_id=True)
        else:
            self.handle.update(shown, raw=True)
