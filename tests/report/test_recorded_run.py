"""A run that was recorded with version 1 of the schema: it is read, and renders as it did when it was recorded."""

import json
from pathlib import Path

import pytest

from compare.records.results import Results
from compare.report.render import render
from compare.report.terminal import print_results
from compare.run.reading import read_results
from tests.screen import terminal, written
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
    console = terminal(width)
    print_results(RESULTS, console)
    assert written(console) == (RENDERED / f"table-{width}.txt").read_text(encoding="utf-8")


def test_its_json_is_the_file() -> None:
    """Fields that were added since have their defaults; version 1 made no checks of runs."""
    recorded = json.loads(Path(RECORDED / "results.json").read_text())
    for run in recorded["runs"]:
        run |= {"check": {"outcome": "unchecked"}} if run["status"] == "ok" else {}
    recorded["schema_version"] = 2
    assert RESULTS.model_dump(mode="json", exclude_unset=True) == recorded
    assert Results.model_validate_json(render(RESULTS, RECORDED, "json")) == RESULTS


def test_it_has_all_kinds_of_rows() -> None:
    """So that the tests above see what they are for."""
    assert {run.status for run in RESULTS.runs} == {"ok", "skipped"}
    assert {run.mode for run in RESULTS.runs} == {"tuned", "stock"}
    assert {run.round for run in RESULTS.runs} == {0, 1, 2}
    assert len(RESULTS.certificates) > 5
    assert RESULTS.pairs
