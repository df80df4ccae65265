"""The report's page in a real browser: on a phone, on paper, and what it asks for."""

from collections.abc import Iterator
from pathlib import Path

import axe_core_python
import pytest

from compare.report.render import render
from compare.run.reading import read_results
from tests.analysis.runs import make_results
from tests.analysis.test_overview import make
from tests.browser import Tab, browser, needs_chromium
from tests.sources import ROOT

pytestmark = needs_chromium
RECORDED = ROOT / "tests" / "data" / "recorded"
BROKEN_WORDS = """(() => {
  const broken = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    for (const word of node.data.matchAll(/(?<![\\w=.])[A-Za-z]{2,20}(?![\\w=])/g)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((r) => Math.round(r.top)));
      if (lines.size > 1) broken.push(word[0]);
    }
  return broken;
})()"""
"""Words that stand on more than one line."""
AXE = Path(axe_core_python.__file__).parent / "axe.min.js"
BARRIERS = (
    "axe.run(document).then((found) => found.violations.map((each) => [each.id, each.nodes[0].html.slice(0, 200)]))"
)
CLOSED = """[...document.querySelectorAll("details")].filter(
  (d) => d.children.length > 1 && [...d.children].slice(1).every((child) => !child.checkVisibility())).length"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A recorded run, one with failures and rows that are not certified, and one of two tasks."""
    folder = tmp_path_factory.mktemp("pages")
    texts = [render(read_results(RECORDED), RECORDED, "html"), render(make_results(), None, "html")]
    texts.append(render(make(), None, "html"))
    paths = [folder / f"{number}.html" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with browser() as opened:
        yield opened


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_broken_at_any_width(tab: Tab, pages: list[Path], width: int) -> None:
    """No word, and no edge: what is wider than the page scrolls by itself."""
    for page in pages:
        tab.open(page, width)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, page.name
        assert tab.evaluate(BROKEN_WORDS) == [], page.name


def test_on_paper_nothing_is_folded(tab: Tab, pages: list[Path]) -> None:
    for page in pages:
        tab.call("Emulation.setEmulatedMedia", media="screen")
        tab.open(page)
        assert tab.evaluate(CLOSED) > 0, page.name
        tab.call("Emulation.setEmulatedMedia", media="print")
        assert tab.evaluate(CLOSED) == 0, page.name
    tab.call("Emulation.setEmulatedMedia", media="")


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_axe_finds_no_barrier(tab: Tab, pages: list[Path], width: int, scheme: str) -> None:
    """With everything unfolded."""
    tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    for page in pages:
        tab.open(page, width)
        tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        tab.evaluate(f"{AXE.read_text(encoding='utf-8')}; 0")
        assert tab.evaluate(BARRIERS) == [], page.name


def test_it_asks_for_nothing_and_complains_of_nothing(tab: Tab, pages: list[Path]) -> None:
    for page in pages:
        tab.open(page)
        requests = [p["request"]["url"] for method, p in tab.events if method == "Network.requestWillBeSent"]
        assert [url for url in requests if not url.startswith("data:")] == [page.as_uri()]
        assert [p for method, p in tab.events if method in ("Log.entryAdded", "Runtime.consoleAPICalled")] == []
