"""Lines and tables that fit a terminal of any width: nothing is cut, and no word or figure is broken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from shutil import get_terminal_size
from textwrap import fill

from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions
from rich.text import Text

from compare.text import clean, wrapped

MARGIN, GAP = "  ", "   "
HEADING = 13
"""Columns of a terminal that a heading may take in one line, if its words allow."""
ENDLESS = 1_000_000
"""The width of what is no terminal: a file has no edge to fit."""


@dataclass(frozen=True)
class TextColumn:
    """A column of a table: its heading, and a cell for each line."""

    heading: str
    cells: Sequence[str]
    right: bool = True

    @cached_property
    def headings(self) -> list[str]:
        """The lines of the heading."""
        return fill(self.heading, HEADING, break_long_words=False, break_on_hyphens=False).split("\n")

    @cached_property
    def width(self) -> int:
        return max(map(cell_len, [*self.headings, *self.cells]))

    def padded(self, text: str) -> str:
        blanks = " " * (self.width - cell_len(text))
        return blanks + text if self.right else text + blanks


def see_width(console: Console) -> None:
    """Gives the size of the terminal to a console that would take it for 80 columns wide: it has no cursor control."""
    if console.is_dumb_terminal:
        console.size = ConsoleDimensions(*get_terminal_size())


def widen_for_a_file(console: Console) -> None:
    """Lets lines be as long as they are where the output is no terminal."""
    if not console.is_terminal:
        console.width = ENDLESS
    see_width(console)


def print_line(text: str, console: Console, *, indent: int = 0, style: str = "") -> None:
    """Prints a text, in lines that end between words; all but the first of them are indented.

    A word that is longer than the terminal is wide, a path for example, is left to the terminal, so that it can be
    copied whole.
    """
    start = text[: len(text) - len(text.lstrip(" "))]
    for line in wrapped(start + clean(text), console.width, indent):
        console.print(Text(line, style), soft_wrap=True)


def terminal() -> Console:
    """Standard output, as wide as the terminal is, or as any line is where it is none."""
    console = Console()
    widen_for_a_file(console)
    return console


def print_lines(lines: Sequence[str], *, indent: int = 2 * len(MARGIN)) -> None:
    """Prints lines to standard output; what does not fit into one line of a terminal is indented below it."""
    console = terminal()
    for line in lines:
        print_line(line, console, indent=indent)


def print_table(first: TextColumn, others: Sequence[TextColumn], console: Console, gap: str = GAP) -> None:
    """Prints a table; one that is too wide as several with some of the columns each, or as its rows below each other.

    Args:
        first: the column that names the rows; it stands in each of the tables.
        others: the other columns, in order.
        console: where it is printed.
        gap: what stands between two columns.
    """
    tables = list(_fitting(first, others, console.width, gap))
    if others and (not tables or (len(tables[0]) == 2 and len(others) > 1)):
        _print_records(first, others, console)
        return
    for at, columns in enumerate(tables):
        if at:
            console.print()
        _print_columns(columns, console, gap)


def table_width(columns: Sequence[TextColumn], gap: str = GAP) -> int:
    """The columns of a terminal that a table takes."""
    return len(MARGIN) + sum(column.width for column in columns) + len(gap) * (len(columns) - 1)


def _fitting(first: TextColumn, others: Sequence[TextColumn], width: int, gap: str) -> Iterator[list[TextColumn]]:
    """The columns in tables that fit, each with the first column; nothing if not every column fits beside that."""
    if any(table_width([first, column], gap) > width for column in others):
        return
    columns = [first]
    for column in others:
        if table_width([*columns, column], gap) > width:
            yield columns
            columns = [first]
        columns.append(column)
    yield columns


def _print_columns(columns: Sequence[TextColumn], console: Console, gap: str) -> None:
    height = max(len(column.headings) for column in columns)
    headings = [[""] * (height - len(column.headings)) + column.headings for column in columns]
    widths = [column.width for column in columns]
    rule = [gap.join("─" * width for width in widths)]
    for cells in [*zip(*headings, strict=True), rule, *zip(*(column.cells for column in columns), strict=True)]:
        padded = cells if cells is rule else [column.padded(c) for column, c in zip(columns, cells, strict=True)]
        console.print(Text((MARGIN + gap.join(padded)).rstrip()), soft_wrap=True)


def _print_records(first: TextColumn, others: Sequence[TextColumn], console: Console) -> None:
    """Prints each row as a paragraph: its name, and below it a line for each column."""
    label = max(cell_len(column.heading) for column in others)
    widest = max(cell_len(cell) for column in others for cell in column.cells)
    aligned = len(MARGIN) + label + len(MARGIN) + widest <= console.width
    for at, name in enumerate(first.cells):
        print_line(name, console, style="bold")
        for column in others:
            if aligned:
                blanks = " " * (label + widest - cell_len(column.heading) - cell_len(column.cells[at]))
                console.print(Text(f"{MARGIN}{column.heading}{blanks}{MARGIN}{column.cells[at]}"), soft_wrap=True)
            else:
                print_line(f"{MARGIN}{column.heading}: {column.cells[at]}", console, indent=2 * len(MARGIN))
