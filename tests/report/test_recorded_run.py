"""A run that was recorded with version 1 of the schema: it is read, and renders as it did when it was recorded."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from compare.report.render import render
from compare.report.terminal import print_results
from compare.run.store import read_results
from tests.sources import ROOT

RECORDED = ROOT / "tests" / "data" / "recorded"
RENDERED = ROOT / "tests" / "data" / "rendered"
RESULTS = read_results(RECORDED)


@pytest.mark.parametrize(("form", "ending"), [("markdown", "md"), ("csv", "csv"), ("latex", "tex")])
def test_it_renders_the_same(form: str, ending: str) -> None:
    text = render(RESULTS, RECORDED, form)  # type: ignore[arg-type]
    assert text.rstrip() == (RENDERED / f"report.{ending}").read_text(encoding="utf-8").rstrip()


@pytest.mark.parametrize("width", [80, 200])
def test_its_tables_are_the_same(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    print_results(RESULTS, console)
    assert console.file.getvalue() == (RENDERED / f"table-{width}.txt").read_text(encoding="utf-8")  # type: ignore[attr-defined]


def test_its_json_is_the_file() -> None:
    assert json.loads(render(RESULTS, RECORDED, "json")) == json.loads(Path(RECORDED / "results.json").read_text())


def test_it_has_all_kinds_of_rows() -> None:
    """So that the tests above see what they are for."""
    assert {run.status for run in RESULTS.runs} == {"ok", "skipped"}
    assert {run.mode for run in RESULTS.runs} == {"tuned", "stock"}
    assert {run.round for run in RESULTS.runs} == {0, 1, 2}
    assert len(RESULTS.certificates) > 5
    assert RESULTS.pairs
