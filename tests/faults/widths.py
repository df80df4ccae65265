"""Terminals from 40 to 200 columns: every name and figure of every table is whole on the screen."""

import re
import tempfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from backends.files import write_parameters
from compare.analysis.changes import find_changes
from compare.analysis.sections import summarize
from compare.api import Comparison
from compare.cli import main
from compare.records.certificate import Pair
from compare.records.results import Results
from compare.report.columns import COLUMNS, MAIN_COLUMNS
from compare.report.distances import worst_by_group
from compare.report.layout import print_lines
from compare.report.terminal import print_certificates, print_results
from compare.run.reading import read_results
from compare.text import label
from tasks import load_task
from tests.analysis.runs import make_certificate, make_results, make_run
from tests.screen import screen_lines, terminal, written
from tests.sources import ROOT

WIDTHS = tuple(range(40, 201, 7))
LONG = "a-backend-whose-name-is-long"


def made_up() -> Results:
    """Several tasks with long names, in both modes, with failed runs, rounds and seeds; and a certificate for each."""
    runs, certificates = [], []
    for task, backend, mode in product(
        ("mnist-mlp", "a-task-with-a-name-of-its-own"), ("pytorch", LONG), ("tuned", "stock")
    ):
        fields: dict[str, Any] = {"task": task, "mode": mode}
        runs += [make_run(backend, seed=s, round_=r, **fields) for s in range(2) for r in range(3)]
        runs += [make_run(backend, round_=3, status="crashed").model_copy(update=fields)]
        certificates.append(make_certificate(backend, granted=backend != LONG or mode == "tuned", **fields))
    runs += [make_run("keras", status="skipped"), make_run("jax", outside_load=1.3), make_run("jax", epochs=123_456)]
    pairs = [Pair(task="mnist-mlp", recipe="standard", first=LONG, second="jax", quantity="loss", relative=1.25e-7)]
    return make_results(runs=runs, certificates=certificates, pairs=pairs)


def words_of(results: Results, *, every: bool) -> Iterator[str]:
    """The names and figures that the tables of results must show: those of every column, or of the main ones."""
    for section in summarize(results):
        yield section.title
        yield section.answer
        yield section.caveats
        for row in section.rows:
            if row.status != "skipped":
                yield section.label(row)
                yield row.status if row.status != "ok" else "-"
                for column in COLUMNS if every else MAIN_COLUMNS:
                    yield column.figure(row).text
        for pair in [*section.comparisons, *section.tutorial_costs]:
            yield f"{section.label(pair.first)} over {section.label(pair.second)}"
    for run in results.runs:
        if run.message:
            yield f"{run.status}: {run.message}"


def words_of_certificates(results: Results) -> Iterator[str]:
    for certificate in results.certificates:
        yield label(certificate, ("backend", "mode", "device"))
        for group, distance in worst_by_group(certificate.distances).items():
            yield group
            yield f"{distance.relative:.1e}"
            yield f"{distance.share:.0%}"


def missing(words: Iterator[str], lines: list[str]) -> list[str]:
    """The words that are not whole on the screen: between blanks, in this order, if in several lines."""
    text = " ".join(lines)
    kept = set(text.split())
    joined = re.sub(r"\s+", " ", text)
    # A long name stands in several lines of a heading, so that only its parts can be looked for.
    return [word for word in dict.fromkeys(words) if word not in joined and not set(word.split()) <= kept]


def shows(show: Callable[[Console], None], words: Iterator[str], width: int) -> list[str]:
    console = terminal(width)
    show(console)
    text = written(console)
    lines = screen_lines(text, width, height=2 * text.count("\n") + 50)
    assert "…" not in text
    return missing(words, lines)


def shows_itself(results: Results, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What ``repr(compare(...))`` lacks on the screen."""
    monkeypatch.setenv("COLUMNS", str(width))
    text = repr(Comparison(results, Path("runs")))
    words = (word for word in words_of(results, every=False) if ": " not in word)  # failures are in the report
    lines = screen_lines(text, width, height=2 * text.count("\n") + 50)
    assert not [line for line in text.splitlines() if len(line) > width]
    return missing(words, lines)


def show_weights() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cnn.safetensors"
        write_parameters(path, load_task("mnist-cnn").parameters(0))
        main(["weights", str(path)])


def printed_lines(width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What ``diff``, ``list`` and ``weights`` lack on the screen."""
    results = made_up()
    lines = find_changes(results, make_results()).text().splitlines()
    lacking = []
    for command in (lambda: print_lines(lines, indent=4), lambda: main(["list"]), show_weights):
        console = terminal(width)
        monkeypatch.setattr("compare.report.layout.Console", lambda console=console: console)
        command()
        text = written(console)
        shown = screen_lines(text, width, height=2 * text.count("\n") + 50)
        said = lines if command.__code__.co_names[0] == "print_lines" else text.splitlines()
        lacking += missing(iter(said), shown)
        assert not [line for line in text.splitlines() if len(line) > width and " " in line.strip()]
    return lacking


def check(width: int) -> int:
    """Checks every table at one width; returns how many were checked."""
    results = (read_results(ROOT / "tests" / "data" / "recorded"), made_up(), make_results())
    with pytest.MonkeyPatch.context() as monkeypatch:
        for shown in results:
            for every in (True, False):
                lacking = shows(
                    lambda console, shown=shown, every=every: print_results(shown, console, verbose=every),  # type: ignore[misc]
                    words_of(shown, every=every),
                    width,
                )
                assert not lacking, (width, lacking)
            lacking = shows(
                lambda console, shown=shown: print_certificates(shown, console),  # type: ignore[misc]
                words_of_certificates(shown),
                width,
            )
            assert not lacking, (width, lacking)
            assert not (lacking := shows_itself(shown, width, monkeypatch)), (width, lacking)
        assert not (lacking := printed_lines(width, monkeypatch)), (width, lacking)
    return len(results) * 4 + 3


def run(count: int = len(WIDTHS)) -> str:
    """Checks as many widths, from 40 columns in steps of 7."""
    checked = sum(check(width) for width in WIDTHS[:count])
    return f"{checked} tables of {len(WIDTHS[:count])} widths from {WIDTHS[0]} to {WIDTHS[:count][-1]}: nothing is cut"
