"""A sample of ``tests.faults.rendering``."""

from tests.faults import rendering


def test_a_thousand_rows_are_drawn_in_seconds() -> None:
    rendering.check(rendering.of_rows(1000), without=("html", "json", "diff"))
