"""Lessons in a terminal: nothing is wider than it, and nothing is cut or taken for markup."""

import io
import re
from dataclasses import replace

import pytest

from backends.lessons import load_lesson
from compare.lessons import run as lessons
from compare.lessons.agreement import judge
from compare.lessons.result import FRAMEWORKS, LessonResult
from compare.lessons.terminal import print_lesson, wrap
from tests.lessons.common import Ran, column, everywhere


def printed(result: LessonResult, width: int) -> str:
    from rich.console import Console

    file = io.StringIO()
    print_lesson(result, Console(file=file, width=width, color_system=None))
    return file.getvalue()


@pytest.mark.parametrize("width", [40, 79, 80, 119, 120, 200])
def test_nothing_is_wider_than_the_terminal(width: int, ran: Ran) -> None:
    for result in ran.values():
        assert max(map(len, printed(result, width).splitlines())) <= width


def test_no_name_is_cut() -> None:
    name = "a_name_that_is_longer_than_its_column_is_wide"
    columns = tuple(column(framework, **{name: 1.0}) for framework in FRAMEWORKS)
    verdicts = judge(load_lesson("gradient"), columns)
    result = replace(lessons.run_lesson("gradient", ["numpy"]), columns=columns, verdicts=verdicts)
    assert name in "".join(line[:24].strip() for line in printed(result, 120).splitlines())


def test_blocks_are_whole_at_80_columns(ran: Ran) -> None:
    """The digit's table stands without its outer columns of zeros, and no line of a framework's summary is folded."""
    lines = printed(ran["data-look"], 80).splitlines()
    begin = lines.index("columns 4 to 23; all others are 0") + 1
    rows = [[int(word) for word in line.split()] for line in lines[begin : begin + 28]]
    (digit, *_) = everywhere(ran["data-look"], "first_digit")
    assert rows == [row[4:24] for row in digit]
    lines = printed(ran["counting"], 80).splitlines()
    for summary in everywhere(ran["counting"], "summary"):
        assert {line.rstrip() for line in summary.splitlines()} <= {line.rstrip() for line in lines}


def test_columns_stand_side_by_side_from_120_on(ran: Ran) -> None:
    labels = [column.label for column in ran["gradient"].columns]

    def lines_with_all(text: str) -> list[str]:
        return [line for line in text.splitlines() if all(re.search(rf"\b{label}\b", line) for label in labels)]

    wide, narrow = printed(ran["gradient"], 120), printed(ran["gradient"], 119)
    assert len(lines_with_all(wide)) >= 2  # over the code, and over the outputs
    assert not lines_with_all(narrow)
    headings = [narrow.index(f"\n{label} ") for label in labels if f"\n{label} " in narrow]
    assert len(headings) == len(labels)
    assert headings == sorted(headings)
    assert "def with_numpy()" in narrow
    for text in (wide, narrow):
        assert "6 * x**2 + 1" in text
        assert text.count("[151 97 55 25 7") == len(labels)
        assert " ".join(ran["gradient"].note.split())[:60] in " ".join(text.split())


def test_code_broken_for_a_narrow_column_loses_nothing(ran: Ran) -> None:
    from rich.text import Text

    for result in ran.values():
        for ran_column in result.columns:
            for line in ran_column.source.splitlines():
                pieces = wrap(Text(line), 27)
                assert all(len(piece.plain) <= 27 for piece in pieces)
                joined = "".join(piece.plain.replace(" ", "") for piece in pieces)
                assert joined == line.replace(" ", "")


def test_text_that_looks_like_markup_is_text(hostile: LessonResult) -> None:
    for width in (80, 120):
        text = printed(hostile, width)
        assert "[bold]x[/bold]" in " ".join(text.split())
