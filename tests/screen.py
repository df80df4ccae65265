"""A terminal's screen, read as a person sees it."""

import io

import pyte
from rich.console import Console


def terminal(width: int) -> Console:
    """A console that writes for a terminal of this width into memory."""
    return Console(file=io.StringIO(), force_terminal=True, color_system=None, width=width, height=24, _environ={})


def screen_lines(text: str, width: int, height: int = 24) -> list[str]:
    """The lines that a terminal of this size shows of what was written to it; a long line goes on in the next."""
    screen = pyte.Screen(width, height)
    pyte.Stream(screen).feed(text.replace("\n", "\r\n"))
    return [line.rstrip() for line in screen.display]


def written(console: Console) -> str:
    """What was written to a console that :func:`terminal` made."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
