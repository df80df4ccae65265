"""Command lines and plan files that no one would mean get one line."""

import pytest

from tests.faults import hostile_words


def test_fuzzed_command_lines_get_one_line() -> None:
    assert "150 of 150" in hostile_words.run(150)


def test_a_command_that_prints_a_traceback_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def two_lines(_: object) -> int:
        print("sidebyside: one\nTraceback (most recent call last)")
        return 2

    monkeypatch.setattr("compare.cli.main", two_lines)
    with pytest.raises(AssertionError):
        hostile_words.check(["list"])
