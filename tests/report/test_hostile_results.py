"""A sample of ``tests.faults.hostile_results``."""

from pathlib import Path

from compare.text import wrapped
from tests.faults import hostile_results


def test_fuzzed_results_end_in_one_line(tmp_path: Path) -> None:
    hostile_results.check(1, tmp_path)  # what the first command imports is not measured below
    statuses = [status for seed in range(40) for status in hostile_results.check(seed, tmp_path)[0]]
    assert {0, 2} <= set(statuses)


def test_a_long_line_takes_no_longer_than_its_words() -> None:
    """Half a million words in one line, which take minutes if the whole line is measured at each of them."""
    words = "word " * 500_000
    assert wrapped(words, 10_000_000) == [words.rstrip(" ")]
    assert len(wrapped(words, 80)) == 500_000 // 16
