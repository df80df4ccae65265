"""Five hundred hostile strings in every text field: no script, no markup, no formula, no steering of the terminal."""

import csv
import io
import json
import re
import unicodedata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from compare.analysis.changes import find_changes
from compare.cli import main
from compare.records.certificate import Certificate
from compare.records.results import Results
from compare.report.charts import write_charts
from compare.report.render import FORMATS, render
from compare.report.terminal import print_results
from compare.run.reading import ResultsError, read_results
from tasks.errors import SideBySideError
from tests.analysis.runs import change, make_certificate, make_results, make_run
from tests.report.page import Page

SEEDS = (
    "<script>alert(1)</script>", "</style><script>alert(1)</script>", "</title><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>", "' onmouseover='alert(1)", "javascript:alert(1)", "<!--", "-->", "]]>", "<![CDATA[",
    "{{ 7 * 7 }}", "{% raw %}", "${7*7}", "=cmd|'/c calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r\n=1",
    "\x1b[2J\x1b[31m", "\x1b]0;owned\x07", "\x1b]8;;http://x\x1b\\link", "\x9b31m", "\u202egnp.exe", "\u2028x",
    "a|b|c", "| --- |", "](javascript:alert(1))", "![x](http://x/y.png)", "`code`", "# title", "\n\n# title\n",
    "&lt;script&gt;", "&#x3c;script&#x3e;", "%3Cscript%3E", "\\input{/etc/passwd}", "\\end{tabular}", "% comment",
    "a & b \\\\", "$x^2$", "../../etc/passwd", "\x00a\x1cb\x1dc\x1ed\x1f", "\ufeff", "\u0130\u0131", "a" * 5000, "",
    " ", "\"", "'", "\\",
)  # fmt: skip
WRAPS = ("{}", "x{}", "{}x", '">{}', "'>{}", "</td>{}", "\n{}", "{}\n", "<b>{}", "={}")
PAYLOADS = [wrap.format(seed) if wrap != "{}" else seed for seed in SEEDS for wrap in WRAPS]


def poison(texts: list[str]) -> Results:
    """Results whose every text field holds the next of the texts."""
    given = iter(texts * 2)

    def some() -> str:
        return next(given)

    fields: dict[str, Any] = {name: some() for name in ("task", "recipe", "mode", "device", "message", "memory_source")}
    subject = {name: fields[name] for name in ("task", "recipe", "mode", "device")}
    backend = some()
    maps: dict[str, Any] = {
        "versions": {some(): some()},
        "settings": {some(): some(), "threads": 2},
        "parameter_counts": {some(): 3},
    }
    runs = [make_run(backend, round_=r, **fields, **maps) for r in range(3)]
    runs += [make_run(f"{backend}2", round_=r, **fields, **maps) for r in range(3)]
    runs += [make_run(some(), **{**fields, "task": some()}), make_run(some()).model_copy(update={"status": "crashed"})]
    change(runs[-1], message=some())
    certificates: list[Certificate] = [
        make_certificate(backend, **subject),
        make_certificate(f"{backend}2", **subject),
        make_certificate(some(), granted=False, failure=some(), **subject),
    ]
    change(certificates[0].distances[0], quantity=some())
    results = make_results(
        runs=runs, certificates=certificates, host={some(): some(), "cpu": some()}, settings={some(): some()},
        created=some(), command=some(),
    )  # fmt: skip
    names = {name: subject[name] for name in ("task", "recipe")}
    change(results.pairs[0], **names, first=some(), second=some(), quantity=some())
    return results


# Each batch puts 25 payloads into the 25 or so fields; the offset moves each payload to other fields.
BATCHES = [PAYLOADS[at : at + 25] for at in range(0, len(PAYLOADS), 25)]


def test_there_are_five_hundred_payloads() -> None:
    assert len(PAYLOADS) == 500
    assert sum(map(len, BATCHES)) == 500


@pytest.fixture(scope="module")
def harmless() -> Page:
    return Page(render(poison(["word"] * 25), None, "html"))


def visible(text: str) -> bool:
    return all(c == "\n" or unicodedata.category(c)[0] != "C" for c in text)


@pytest.mark.parametrize("index", range(len(BATCHES)))
def test_nothing_breaks_out(index: int, harmless: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compare.report.html.draw", lambda section, folder: [])  # charts are tested below
    results = poison(BATCHES[index])
    page = Page(render(results, None, "html"))
    allowed = {(tag, name) for tag, attributes in harmless.elements for name in attributes}
    assert {(tag, name) for tag, attributes in page.elements for name in attributes} <= allowed
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in harmless.elements}
    assert "onerror" not in {name for _, attributes in page.elements for name in attributes}
    for _, attributes in page.elements:
        assert re.fullmatch(r"#[a-z0-9-]+", attributes.get("href") or "#x")
    assert visible(page.text)

    rows = list(csv.reader(io.StringIO(render(results, None, "csv"))))
    assert {len(row) for row in rows} == {len(rows[0])}
    for cell in (cell for row in rows for cell in row):
        number = re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", cell)
        assert number or not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r")), cell
        assert visible(cell)

    markdown = render(results, None, "markdown")
    assert "<" not in markdown.replace("\n    ", "")[: markdown.find("Reproduce with")]
    assert visible(markdown)
    tables = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in tables} == {9}

    latex = render(results, None, "latex")
    assert visible(latex)
    assert "\\input" not in latex
    sections = latex.count("\\begin{tabular}")
    assert sections == latex.count("\\end{tabular}") == latex.count("\\begin{table}")
    assert visible(find_changes(results, results).text())
    with pytest.raises(SideBySideError) as caught:
        find_changes(results, poison(BATCHES[index - 1]))
    assert visible(str(caught.value))

    assert visible(render(results, None, "json"))
    assert Results.model_validate_json(render(results, None, "json")) == results
    terminal = io.StringIO()
    print_results(results, Console(file=terminal))
    assert visible(terminal.getvalue())


@pytest.mark.parametrize("index", range(len(BATCHES)))
def test_an_error_steers_no_terminal(index: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for key in BATCHES[index]:
        path = tmp_path / "results.json"
        path.write_text(json.dumps({"schema_version": 1, key: 1}))
        with pytest.raises(ResultsError):
            read_results(path)
        assert main(["report", str(path)]) == 2
        error = capsys.readouterr().err
        assert visible(error)
        assert error.count("\n") == 1


def test_the_largest_and_smallest_numbers_are_rendered(tmp_path: Path) -> None:
    counts = ("epochs", "parameter_count", "peak_memory_bytes", "operations_per_epoch")
    rates = ("examples_per_second", "inference_examples_per_second", "matrix_operations_per_second")
    runs = [
        make_run(
            name, round_=r, losses=[(-1) ** r * 1e300], epoch_seconds=[1e-18], total_seconds=1e18, accuracy=r % 2,
            **dict.fromkeys(counts, 10**18), **dict.fromkeys(rates, (1e18, 1e-18)[r % 2]),
        )
        for name in ("keras", "jax")
        for r in range(4)
    ]  # fmt: skip
    results = make_results(runs=runs)
    for form in FORMATS:
        assert "inf" not in re.sub('inference|data:image[^"]*', "", render(results, None, form))
    write_charts(results, None, tmp_path)
    print_results(results, Console(file=io.StringIO()))
    find_changes(results, results).text()


def test_charts_hold_no_script_and_write_nowhere_else(tmp_path: Path) -> None:
    for index in (0, 1, 2, 16):
        folder = tmp_path / str(index)
        for path in write_charts(poison(BATCHES[index]), None, folder):
            assert path.parent == folder
            if path.suffix == ".svg":
                tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter()}
                assert tags <= {"svg", "rect", "g", "path", "line", "text", "tspan", "title", "defs", "clipPath"}
                names = {name for element in ElementTree.parse(path).iter() for name in element.attrib}
                assert not [name for name in names if name.startswith("on")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "16", "2"]


def test_a_whole_page_with_hostile_charts_is_harmless() -> None:
    page = Page(render(poison(BATCHES[0]), None, "html"))
    assert not {tag for tag, _ in page.elements} & {"script", "iframe"}
    drawings = [attributes for tag, attributes in page.elements if tag == "svg"]
    assert {drawing["class"] for drawing in drawings} == {"network", "chart"}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not [tag for tag, attributes in page.elements if tag in ("image", "a", "use") and "xlink:href" in attributes]
