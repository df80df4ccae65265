"""The page: it needs nothing else, can be read, stays small, and a notebook shows the same."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from safetensors.numpy import save_file

from compare.page.page import TEMPLATES
from compare.records.check import Check
from compare.records.results import Results
from compare.report.html import render_cell
from compare.report.render import FORMATS, render
from compare.report.terminal import print_results
from tests.analysis.runs import make_certificate, make_results, make_run
from tests.report.page import Page


def test_the_page_needs_nothing_else(page: Page) -> None:
    text = page.text
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "srcset", "href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/", "#")), value
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert all(a.get("alt") for tag, a in page.elements if tag == "img")
    assert all(a.get("tabindex") == "0" and a.get("aria-label") for _, a in page.elements if a.get("role") == "region")
    assert "sidebyside run --rounds 5" in text
    assert "step by step losses, confusions, digits and weights are left out" in text


def test_the_page_links_to_the_lessons_beside_it(tmp_path: Path, results: Results) -> None:
    def links(beside: Path | None) -> list[str | None]:
        elements = Page(render(results, None, "html", beside=beside)).elements
        return [a["href"] for tag, a in elements if tag == "a" and not (a["href"] or "").startswith("#")]

    assert links(None) == links(tmp_path) == []
    (tmp_path / "lessons.html").write_text("")
    assert links(tmp_path) == ["lessons.html"]


def test_a_notebooks_cell_shows_the_same_and_styles_nothing_else(results: Results, page: Page) -> None:
    cell = Page(render_cell(results, None))
    assert not {tag for tag, _ in cell.elements} & {"html", "head", "meta", "body", "main", "script", "link", "a"}
    assert not [a for _, a in cell.elements if "id" in a]
    assert [row for row in cell.rows if row] == [row for row in page.rows if row]
    images = [[a["src"] for tag, a in p.elements if tag == "img"] for p in (cell, page)]
    assert images[0] == images[1]


def selectors(style: str) -> Iterator[str]:
    """What the outermost rules of a style apply to, those inside ``@media`` included."""
    rest = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL).strip()
    while rest:
        head, _, rest = rest.partition("{")
        depth, at = 1, 0
        while depth:
            depth += {"{": 1, "}": -1}.get(rest[at], 0)
            at += 1
        if head.startswith("@media"):
            yield from selectors(rest[: at - 1])
        else:
            yield head.strip()
        rest = rest[at:].strip()


def test_every_rule_of_the_style_holds_within_the_report_alone() -> None:
    assert list(selectors("a { b {} } @media x { c { d: e } }")) == ["a", "c"]
    found = list(selectors((TEMPLATES / "report.css").read_text()))
    assert len(found) > 5
    assert [name for name in found if ".sidebyside" not in name] == []


def luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("style", [(TEMPLATES / f"{name}.css").read_text() for name in ("report", "lessons")])
def test_text_can_be_read_on_light_and_on_dark_paper(style: str) -> None:
    """The contrast that WCAG 2 AA asks of text: 4.5."""
    colors = re.findall(r"--(ink|faint|good|bad|link|paper|code): (#[0-9a-f]{3,6})", style)
    half = len(colors) // 2
    assert {name for name, _ in colors} >= {"ink", "faint", "good", "bad", "link", "paper", "code"}
    for inks in (dict(colors[:half]), dict(colors[half:])):
        assert len(inks) == half
        for name in inks.keys() - {"paper", "code"}:
            for paper in ("paper", "code"):
                light, dark_ = sorted((luminance(inks[name]), luminance(inks[paper])), reverse=True)
                assert (light + 0.05) / (dark_ + 0.05) >= 4.5, (name, paper)


def test_five_hundred_cells_stay_under_five_megabytes(tmp_path: Path) -> None:
    tasks = ("iris-mlp", "mnist-mlp", "mnist-cnn", "mnist-dense", "and-gate")
    names = ("pytorch", "keras", "jax", "numpy", "other")
    generator = np.random.default_rng(0)
    (tmp_path / "arrays").mkdir()
    runs, certificates = [], []
    for task in tasks:
        for name in names:
            for mode in ("tuned", "stock"):
                distances = make_certificate(name).distances * 32
                certificates.append(make_certificate(name, task=task, mode=mode, distances=distances))
                runs += [make_run(name, task=task, mode=mode, round_=r, seed=s) for r in range(5) for s in range(2)]
    for run in runs:
        arrays = {
            "step_losses": generator.random((3, 900)).astype(np.float32),
            "first_kernel": generator.standard_normal((784, 64)).astype(np.float32),
        }
        if (run.seed, run.round) == (0, 0):  # only these are drawn
            save_file(arrays, tmp_path / "arrays" / f"{run.cell.file_name}.safetensors")
    results = make_results(runs=runs, certificates=certificates)
    assert len(runs) == 500
    text = render(results, tmp_path, "html")
    assert len(text.encode()) < 5_000_000
    assert text.count('class="run"') == 500
    assert text.count("Distance between the learning curves</h3>") == len(tasks)


def test_no_runs_are_no_error() -> None:
    results = make_results(runs=[], certificates=[], pairs=[])
    for form in FORMATS:
        assert render(results, None, form)
    console = Console(file=io.StringIO(), width=100)
    print_results(results, console)
    shown = (render(results, None, "markdown"), Page(render(results, None, "html")).text, console.file.getvalue())  # type: ignore[attr-defined]
    assert all("The run has begun, and no cell has finished yet." in text for text in shown)


def test_an_unknown_form_is_refused(results: Results) -> None:
    with pytest.raises(ValueError, match="choose from markdown"):
        render(results, None, "pdf")  # type: ignore[arg-type]


def test_of_many_checks_those_that_are_not_granted_are_shown() -> None:
    refused = Check(outcome="refused", failure="loss of step 7", steps=10)
    runs = [make_run("jax", round_=round_, check=Check(outcome="granted", steps=10)) for round_ in range(20)]
    text = Page(render(make_results(runs=[*runs, make_run("jax", round_=20, check=refused)]), None, "html")).text
    assert "jax tuned cpu round 20: refused: loss of step 7" in text
    assert "Shown are 12 of 21 runs; results.json has all." in text
    assert "Shown are" not in Page(render(make_results(runs=runs[:12]), None, "html")).text
