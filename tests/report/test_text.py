"""Texts: numbers are not rounded to equality, and nothing acts as markup or as a command."""

import csv
import io
import re

import pytest

from compare.report.exports import neutral
from compare.report.markdown import markdown_text
from compare.report.render import render
from compare.text import clean, times, times_range, workload_label
from tests.analysis.runs import make_results, make_run


def test_times_never_rounds_a_difference_away() -> None:
    assert [times(r) for r in (1.004, 1.00004, 0.997, 1.18, 1)] == ["1.004", "1.0000", "0.997", "1.18", "1.00"]
    assert times_range(1.1501, 1.1538) == "1.150 to 1.154"
    assert [times(r) for r in (0.0041, 0.0996, 2e-7)] == ["0.0041", "0.1", "2e-07"]
    assert times_range(0.0041, 0.0042) == "0.0041 to 0.0042"
    assert times_range(0.00411, 0.00412) == "0.00411 to 0.00412"


def test_a_workload_is_in_words() -> None:
    assert workload_label(1, None, None) == "1 epoch of all examples"
    assert workload_label(5, 640, 2) == "5 epochs of 640 examples, batch size 2"
    assert workload_label(3, 1, None) == "3 epochs of 1 example"


def test_clean_steers_no_terminal() -> None:
    assert clean("\x1b[31mred\x1b[0m\x07 \x1b]0;title\x07a\u202eb\r\nc\x9b") == "red ab  c"
    assert clean("é 数字 ½") == "é 数字 ½"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\x1b[0m=1", "\uff1d1"]
)
def test_spreadsheets_compute_nothing(text: str) -> None:
    assert neutral(text).startswith("'")


def test_no_cell_is_longer_than_a_spreadsheet_takes() -> None:
    """Of many values it is said where they are; a text that is too long says that it is cut."""
    long = make_run("keras", losses=[0.123456789] * 9000, message="=" + "m" * 100_000, settings={"s": "x" * 50_000})
    first, second = csv.DictReader(io.StringIO(render(make_results(runs=[long, make_run("jax")]), None, "csv")))
    assert max(map(len, first.values())) == 32_767
    assert first["losses"] == "9000 values, in results.json"
    assert first["message"].startswith("'=mmm")
    assert first["message"].endswith("... (cut; whole in results.json)")
    assert second["losses"] == "2.1 1.2 0.71234567"


def test_markdown_text_is_no_markup() -> None:
    hostile = markdown_text("a|b <b>`c`</b> [x](javascript:y) **d** http://e @f\n# g")
    assert "|" not in hostile.replace("\\|", "")
    assert "<" not in hostile
    assert "[" not in hostile.replace("\\[", "")
    assert "\n" not in hostile
    assert markdown_text("1. x") == "1\\. x"
    assert markdown_text("- x") == "\\- x"


@pytest.mark.parametrize("name", ["[2cm]", "*"])
def test_no_row_of_latex_is_an_argument_of_the_line_break_before_it(name: str) -> None:
    latex = render(make_results(runs=[make_run("keras"), make_run(name)]), None, "latex")
    assert not re.search(r"\\\\\s*[\[*]", latex)
