"""How a run goes on: in a terminal, as plain lines, and in a notebook."""

import contextvars
import threading
import time
from abc import ABC, abstractmethod
from typing import Any, Self

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.text import Text

from compare.records.cell import Cell
from compare.records.certificate import Certificate
from compare.records.event import EpochEnd, Phase
from compare.records.run import Run
from compare.text import MEASURES, clean, label, wrapped

PHASES = {
    "import": "importing the framework",
    "build": "building the model",
    "train": "compiling and training",
    "measure": "measuring",
    "certify": "certifying",
}
"""What a cell does in each phase, in words."""
BAR = 30
"""The columns of the bar, where the terminal has so many left."""
REFRESHES = 4
"""How often a second the screen is drawn anew: a clock of seconds that is drawn less often seems to stumble."""
NARROW = 60
"""Below this width a cell's name and what it does stand in two lines."""


class Progress(ABC):
    """Puts into words how a run goes on; its children say where the words appear.

    Attributes:
        cell: the cell that runs, in words.
        detail: what it does.
        count: the number of cells in all; None before the first one.
        done: the number of cells that have ended.
    """

    def __init__(self) -> None:
        self.cell = "preparing the run"
        self.detail = ""
        self.count: int | None = None
        self.done = 0
        self.begun = self.cell_begun = time.monotonic()

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, *_: object) -> None: ...

    @abstractmethod
    def note(self, text: str) -> None:
        """Shows a line that stays."""

    @abstractmethod
    def update(self) -> None:
        """Shows what is going on, anew."""

    def started(self, cell: Cell, index: int, count: int) -> None:
        if self.count is None:
            self.begun = time.monotonic()
        self.cell_begun = time.monotonic()
        self.cell, self.detail = label(cell, seed=cell.seed, round=cell.round), "starting"
        self.done, self.count = index, count
        self.update()

    def event(self, cell: Cell, event: Phase | EpochEnd) -> None:
        if isinstance(event, Phase):
            self.detail = PHASES.get(event.name, event.name)
        else:
            loss = "" if event.loss is None else f", loss {event.loss:.4f}"
            accuracy = "" if event.accuracy is None else f", {MEASURES[event.measure]} {event.accuracy:.4f}"
            self.detail = f"epoch {event.epoch} of {event.epochs}{loss}{accuracy}"
        self.update()

    def ended(self, cell: Cell, run: Run, certificate: Certificate | None) -> None:
        self.done += 1
        self.cell_begun = time.monotonic()
        words = []
        if run.status != "ok":
            words.append(f"{run.status}: {run.message}")
        elif run.accuracy is not None and run.examples_per_second is not None:
            words.append(f"{MEASURES[run.measure]} {run.accuracy:.4f}, {run.examples_per_second:,.0f} examples/s")
            words += [run.message] if run.message else []
        if certificate is not None:
            failure = f"certificate {certificate.outcome}: {certificate.failure}"
            words.append("certified" if certificate.granted else failure)
        if run.check is not None and not run.check.passed:
            words.append(f"the run is {run.check.outcome}: {run.check.failure}")
        self.note(f"{label(cell, seed=cell.seed, round=cell.round)}: {', '.join(words)}")

    def state(self) -> str:
        """How many cells are done, how long the run has taken, and how long it may yet take."""
        if self.count is None:
            return ""
        now = time.monotonic()
        left = "time left not known yet"
        if self.done:
            mean = (self.cell_begun - self.begun) / self.done
            waiting = self.count - self.done
            left = _left(max(mean * waiting - (now - self.cell_begun), mean * (waiting - 1)))
        return f"{self.done} of {self.count} cells, {_clock(now - self.begun)}, {left}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _left(seconds: float) -> str:
    """The time left, no more exact than an estimate is."""
    if seconds < 5:
        return "a few s left"
    if seconds < 90:
        return f"about {5 * round(seconds / 5)} s left"
    return f"about {seconds / 60:.0f} min left" if seconds < 5400 else f"about {seconds / 3600:.1f} h left"


class TerminalProgress(Progress):
    """Progress as a bar for the run and a line for the cell on a terminal; elsewhere as a plain line for each cell.

    The screen is drawn anew also while a worker says nothing: while a framework is imported, compiles,
    or computes a certificate.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console
        self.live = Live(console=console, refresh_per_second=REFRESHES, transient=True, get_renderable=self._screen)
        self.moving = console.is_interactive

    def __enter__(self) -> Self:
        if self.moving:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def note(self, text: str) -> None:
        width = self.console.width if self.console.is_terminal else len(text)
        for line in wrapped(clean(text), width, indent=2):
            self.console.print(Text(line), soft_wrap=True)

    def update(self) -> None:
        if self.moving:
            self.live.refresh()

    def _screen(self) -> Text:
        width = self.console.width
        state, cell, detail = self.state(), clean(self.cell), clean(self.detail)
        names = [cell, detail] if width < NARROW else [f"{cell}: {detail}" if detail else cell]
        lines = [line for name in names if name for line in wrapped(name, width, indent=2)]
        if not self.count:
            return Text("\n".join(lines))
        room = min(BAR, width - cell_len(state) - 2)
        full = room * self.done // self.count
        bar = [f"{'━' * full}{'─' * (room - full)}  {state}"] if room > 3 else wrapped(state, width)
        return Text("\n".join([*bar, *lines]))


class NotebookProgress(Progress):
    """Progress as the output of a notebook's cell: lines that stay, and below them one that is written anew.

    Needs no widgets, and leaves plain text in the notebook's file. When the run ends, or is interrupted, the lines of
    the cells that are done stay.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.shown = ""
        self.handle: Any = None
        self.over = threading.Event()
        self.lock = threading.Lock()
        # A notebook finds the cell that an output belongs to by the context, which a new thread lacks.
        context = contextvars.copy_context()
        self.ticker = threading.Thread(target=lambda: context.run(self._tick), daemon=True)

    def __enter__(self) -> Self:
        self.ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        if self.ticker.ident is not None:
            self.ticker.join()
        self.update()

    def note(self, text: str) -> None:
        self.lines.append(clean(text))
        self.update()

    def _tick(self) -> None:
        while not self.over.wait(1 / REFRESHES):
            self.update()

    def update(self) -> None:
        from IPython.display import display

        with self.lock:
            now = "" if self.over.is_set() else "; ".join(filter(None, [self.state(), clean(self.cell), self.detail]))
            text = "\n".join([*self.lines, *filter(None, [now])])
            if text == self.shown:
                return
            self.shown = text
            content = {"text/plain": text}
            if self.handle is None:
                self.handle = display(content, raw=True, display_id=True)
            else:
                self.handle.update(content, raw=True)
