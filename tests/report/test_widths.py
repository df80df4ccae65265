"""A sample of the widths of ``tests.faults.widths``; and that its check can fail."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from compare.report.layout import TextColumn, print_table, widen_for_a_file
from compare.text import wrapped
from tests.faults import widths
from tests.screen import screen_lines, terminal, written


@pytest.mark.parametrize("width", [40, 60, 82, 124])
def test_nothing_is_cut(width: int) -> None:
    assert widths.check(width) > 10


def test_the_check_sees_a_table_that_is_squeezed() -> None:
    def squeeze(console: widths.Console) -> None:
        table = Table("backend", "training, examples/s")
        table.add_row("pytorch tuned", "1,234,567,890,123,456")
        console.print(table)

    with pytest.raises(AssertionError):
        assert not widths.shows(squeeze, iter(["1,234,567,890,123,456"]), 24)


@pytest.mark.parametrize("width", range(12, 60))
def test_a_table_of_any_width_has_every_cell_whole(width: int) -> None:
    console = terminal(width)
    first = TextColumn("name", ["alpha", "数字 beta"], right=False)
    others = [TextColumn(f"heading {at}", [f"{at * 1111:,}", f"{at}.5e-07"]) for at in range(1, 5)]
    print_table(first, others, console)
    lines = screen_lines(written(console), width, height=60)
    assert not widths.missing(iter([cell for c in [first, *others] for cell in c.cells if c is not first]), lines)
    assert max(len(line) for line in written(console).splitlines()) <= max(width, 20)


def test_a_terminal_without_cursor_control_has_the_width_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    monkeypatch.setenv("COLUMNS", "60")
    assert console.width == 80
    widen_for_a_file(console)
    assert console.width == 60


def test_words_are_whole_and_lines_are_full() -> None:
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("one two three", 6) == ["one", "two", "three"]
    assert wrapped("  a b c", 4, indent=1) == ["  a", " b c"]
    assert wrapped("/a/path/that/is/longer/than/this it is", 10, indent=2) == [
        "/a/path/that/is/longer/than/this",
        "  it is",
    ]
    assert wrapped("数字 数字", 7) == ["数字", "数字"]
    assert wrapped("", 10) == [""]
