"""Lessons in a terminal."""

import ast
import re
import textwrap

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from backends.lessons import load_lesson
from compare.lessons.result import Agreement, LessonResult
from compare.lessons.text import blocks, heading, is_block, shown, verdict_text

WIDE = 120
"""From this terminal width on, the frameworks stand side by side."""


def print_lesson(result: LessonResult, console: Console) -> None:
    """Prints a lesson: frameworks side by side if the terminal is wide enough, otherwise one below the other."""
    console.print(Rule(Text(f"{result.name}: {result.title}", "bold"), align="left"))
    console.print(Text(" ".join(result.about.split())))
    if result.shared_source:
        console.print()
        console.print(Text("shared by all", "dim italic"))
        console.print(Padding(_Code(result.shared_source), (0, 0, 0, 2)))
    console.print()
    if console.width >= WIDE:
        _print_columns(result, console)
    else:
        _print_stacked(result, console)
    _print_blocks(result, console)
    console.print(Text("What differs, and why", "bold"))
    console.print(Text(result.note))
    if hasattr(load_lesson(result.name).module, "pictures"):
        console.print(Text(f"Pictures: sidebyside lesson {result.name} --html FILE", "dim italic"))
    for failure in result.failures:
        console.print(Text(f"error: {failure}", "bold red"))
    console.print()


def _print_columns(result: LessonResult, console: Console) -> None:
    table = Table(box=box.MINIMAL, expand=True, pad_edge=False, padding=(0, 0), show_edge=False)
    for column in result.columns:
        table.add_column(Text(heading(column), "bold"), ratio=1)
    cells = []
    for column in result.columns:
        parts: list[RenderableType] = [Text(column.message, "red")] if column.message else []
        for index, (about, body) in enumerate(_bodies(column.source)):
            if index:
                parts.append(Text("\nthen, in a new process:", "italic"))
            parts += [Text(about, "dim italic"), _Code(body)]
        cells.append(Group(*parts))
    table.add_row(*cells)
    console.print(table)
    console.print()

    ran = [column for column in result.columns if column.status == "ok"]
    if not ran:
        return
    outputs = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 1, 0, 0), show_lines=False)
    outputs.add_column(Text("output", "bold"), ratio=5, overflow="fold")
    for column in ran:
        outputs.add_column(Text(column.label, "bold"), ratio=5, overflow="fold")
    for verdict in result.verdicts:
        # The reason stands below the table: in the first column it would take many lines.
        name = Text.assemble((verdict.output, "bold"), "\n", _styled_verdict(verdict, reason=False))
        values = [column.outputs.get(verdict.output, "none") for column in ran]
        if any(map(is_block, values)):
            outputs.add_row(name, *[Text("below", "dim")] * len(ran))
        else:
            outputs.add_row(name, *(Text(shown(value)) for value in values))
    console.print(outputs)
    for verdict in result.verdicts:
        if verdict.verdict in ("differ", "disagree"):
            console.print(Text.assemble((verdict.output, "bold"), ": ", _styled_verdict(verdict)))
    console.print()


def _print_stacked(result: LessonResult, console: Console) -> None:
    for column in result.columns:
        console.print(Rule(Text(heading(column), "bold"), align="left", style="dim"))
        if column.message:
            console.print(Text(column.message, "red"))
        console.print(_Code(column.source))
        for name, value in column.outputs.items():
            if is_block(value):
                continue
            text = shown(value)
            if "\n" in text or len(name) + len(text) + 4 > console.width:
                console.print(Text(f"  {name}:", "bold"))
                console.print(Padding(Text(text), (0, 0, 0, 4)))
            else:
                console.print(Text.assemble((f"  {name}: ", "bold"), text))
        console.print()
    if result.verdicts:
        console.print(Rule(Text("Do they agree?", "bold"), align="left", style="dim"))
    for verdict in result.verdicts:
        console.print(Text.assemble((verdict.output, "bold"), ": ", _styled_verdict(verdict)))
    console.print()


def _print_blocks(result: LessonResult, console: Console) -> None:
    for verdict in result.verdicts:
        for title, text in blocks(result, verdict, console.width):
            console.print(Text(title, "bold"))
            console.print(Text(text), no_wrap=True, overflow="ellipsis")  # a Text's own are lost in print
            console.print()


def _styled_verdict(verdict: Agreement, *, reason: bool = True) -> Text:
    styles = {"agree": "green", "differ": "yellow", "disagree": "bold red", "alone": "dim"}
    return Text(verdict_text(verdict, reason=reason), styles[verdict.verdict])


def _bodies(source: str) -> list[tuple[str, str]]:
    """The docstring and the body of each function; without indentation, for which a column has no room."""
    lines = source.splitlines()
    bodies = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            about = ast.get_docstring(node) or ""
            first = (node.body[0].end_lineno or 0) if about else node.body[0].lineno - 1
            bodies.append((about, textwrap.dedent("\n".join(lines[first : node.end_lineno])).strip("\n") + "\n"))
    return bodies


class _Code:
    """Python with syntax highlighting; the rest of a line that is too long is indented, to read as one line."""

    def __init__(self, code: str) -> None:
        self.code = code.rstrip("\n")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # ansi_dark uses the terminal's own sixteen colours, which its user has chosen to be legible.
        text = Syntax(self.code, "python", theme="ansi_dark", background_color="default").highlight(self.code)
        text.rstrip()
        for line in text.split("\n", allow_blank=True):
            yield from wrap(line, options.max_width)


def wrap(line: Text, width: int) -> list[Text]:
    """Breaks a line of code after a space, comma or bracket; what follows is indented by two more columns."""
    indent = len(line.plain) - len(line.plain.lstrip(" "))
    indent = min(indent + 2, width // 2)
    pieces: list[Text] = []
    room = width
    while len(line.plain) > room:
        ends = [match.end() for match in re.finditer(r"[ ,(\[.=]+|(?<=.)(?=[)\]])", line.plain[: room + 1])]
        floor = indent if not pieces else 0
        spaces = [end for end in ends if end <= room and line.plain[end - 1] in " (" and end > max(floor, room // 2)]
        others = [end for end in ends if floor < end <= room]
        at = max(spaces or others or [room])
        head, line = line.divide([at])
        head.rstrip()
        pieces.append(head)
        room = width - indent
    pieces.append(line)
    pad = Text(" " * indent)
    return [pieces[0], *(pad + piece for piece in pieces[1:])]
