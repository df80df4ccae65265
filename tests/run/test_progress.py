"""Progress: readable at every width, moving while a worker is silent, plain lines where nothing can be redrawn."""

import io
import re
import time
from typing import Any

import pytest
from rich.console import Console

from compare.records.cell import Cell
from compare.records.event import EpochEnd, Phase
from compare.run.progress import PHASES, NotebookProgress, Progress, TerminalProgress
from tests.analysis.runs import make_certificate, make_run
from tests.screen import screen_lines, terminal, written

WIDTHS = (40, 60, 80, 120, 200)


def cell_of(backend: str = "pytorch") -> Cell:
    return make_run(backend, seed=1, round_=2).cell


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands; its time is the list's one number."""
    now = [0.0]
    monkeypatch.setattr("compare.run.progress.time.monotonic", lambda: now[0])
    return now


def end(progress: Progress, cell: Cell) -> None:
    progress.ended(cell, make_run(cell.backend), make_certificate(cell.backend))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_screen_shows_run_and_cell_whole(width: int) -> None:
    console = terminal(width)
    with TerminalProgress(console) as progress:
        progress.started(cell_of(), 3, 18)
        progress.event(cell_of(), EpochEnd(epoch=2, epochs=3, loss=0.12345, accuracy=0.98765))
        lines = screen_lines(written(console), width)
    shown = " ".join(" ".join(lines).split())
    for words in ("3 of 18 cells, 0:00, ", "mnist-mlp pytorch tuned cpu seed 1 round 2", "epoch 2 of 3, loss 0.1235"):
        assert words in shown, lines
    assert "accuracy 0.9877" in shown
    assert max(map(len, lines)) <= width
    assert sum(bool(line) for line in lines) <= (5 if width < 60 else 3)
    assert ("━" in shown) == (width >= 60)


def test_the_time_left_is_unknown_at_first_and_then_follows_from_the_cells_that_are_done(clock: list[float]) -> None:
    progress = TerminalProgress(terminal(80))
    progress.started(cell_of(), 0, 4)
    assert progress.state() == "0 of 4 cells, 0:00, time left not known yet"
    clock[0] = 30.0
    end(progress, cell_of())
    progress.started(cell_of(), 1, 4)
    assert progress.state() == "1 of 4 cells, 0:30, about 2 min left"
    clock[0] = 50.0
    assert progress.state() == "1 of 4 cells, 0:50, about 70 s left"
    clock[0] = 500.0  # longer than those before it: two cells are left in any case
    assert progress.state() == "1 of 4 cells, 8:20, about 60 s left"
    clock[0] = 4000.0
    end(progress, cell_of())
    assert progress.state() == "2 of 4 cells, 1:06:40, about 67 min left"


def test_the_screen_moves_while_a_worker_is_silent() -> None:
    console = terminal(80)
    with TerminalProgress(console) as progress:
        progress.started(cell_of(), 0, 4)
        progress.event(cell_of(), Phase(name="certify"))
        shown = []
        for _ in range(2):
            time.sleep(1.5)
            shown.append(" ".join(screen_lines(written(console), 80)))
    assert all(PHASES["certify"] in text for text in shown)
    assert "0:00" not in shown[0]
    assert shown[0] != shown[1]
    assert not any(screen_lines(written(console), 80))  # the bar leaves nothing behind


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": "unknown"}])
def test_a_dumb_terminal_gets_plain_lines(environment: dict[str, str]) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, _environ=environment)
    with TerminalProgress(console) as progress:
        progress.started(cell_of(), 0, 1)
        progress.event(cell_of(), Phase(name="train"))
        end(progress, cell_of())
    text = written(console)
    assert "\x1b" not in text
    assert "\r" not in text
    speed = f"{make_run('pytorch').examples_per_second:,.0f} examples/s"
    assert text == f"mnist-mlp pytorch tuned cpu seed 1 round 2: accuracy 0.9000, {speed},\n  certified\n"


def test_a_pipe_gets_a_line_a_cell() -> None:
    console = Console(file=io.StringIO(), width=40)
    with TerminalProgress(console) as progress:
        for at in range(3):
            progress.started(cell_of(), at, 3)
            end(progress, cell_of())
    assert len(written(console).splitlines()) == 3
    assert "\x1b" not in written(console)


def test_no_color_means_no_color() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, _environ={"NO_COLOR": "1", "TERM": "xterm"})
    with TerminalProgress(console) as progress:
        progress.started(cell_of(), 0, 2)
        end(progress, cell_of())
    assert not re.search(r"\x1b\[[0-9;]*m", written(console))


class Display:
    """Stands for IPython's display of one output that is written anew."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.texts: list[str] = []
        monkeypatch.setattr("IPython.display.display", self.display)

    def display(self, content: dict[str, str], **_: Any) -> "Display":
        self.texts.append(content["text/plain"])
        return self

    update = display


def test_a_notebook_that_is_interrupted_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    display = Display(monkeypatch)

    def interrupted_run() -> None:
        with NotebookProgress() as progress:
            progress.started(cell_of(), 0, 2)
            end(progress, cell_of())
            progress.started(cell_of("jax"), 1, 2)
            time.sleep(2.2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted_run()
    assert any(re.search("1 of 2 cells, 0:0[12]", text) for text in display.texts), display.texts  # it moves
    assert display.texts[-1].startswith("mnist-mlp pytorch tuned cpu seed 1 round 2: accuracy 0.9000")
    assert len(display.texts[-1].splitlines()) == 1
    assert all(one != other for one, other in zip(display.texts, display.texts[1:], strict=False))  # no flicker
