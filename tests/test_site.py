"""The documentation site: it is built without a warning, its links lead somewhere, and it asks for nothing."""

import importlib.util
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.browser import browser, needs_chromium
from tests.site import PAGES, linked, main, sections
from tests.sources import ROOT

LESSONS = ("neuron", "and-gate")
needs_mkdocs = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("mkdocs", "material", "mkdocstrings")),
    reason="the packages of the documentation are not installed",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    assert main(LESSONS, folder) == 0
    return folder


class Links(HTMLParser):
    """The places that a page leads to and takes its parts from, and its own anchors."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.parts: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value:
                (self.links if tag == "a" else self.parts).append(value)


def wrong_links(site: Path) -> Iterator[str]:
    pages = {path: Links(path) for path in site.rglob("*.html") if "404" not in path.name}
    for path, page in pages.items():
        for link in [*page.links, *page.parts]:
            target, _, anchor = unquote(link).partition("#")
            if target.startswith(("data:", "https://squidfunk.github.io", "https://zensical")):  # who made the theme
                continue
            file = (path.parent / target).resolve() if target else path
            if target.startswith(("http", "//")) or not file.exists():
                yield f"{path.name}: {link}"
            elif anchor and file in pages and anchor not in pages[file].anchors:
                yield f"{path.name}: {link}: no such anchor"


@pytest.mark.slow
@needs_mkdocs
def test_every_link_leads_somewhere(site: Path) -> None:
    assert list(wrong_links(site)) == []
    assert all((site / page.replace(".md", ".html")).is_file() for page in PAGES.values())
    assert all((site / "lessons" / f"{name}.html").is_file() for name in LESSONS)
    api = (site / "api.html").read_text(encoding="utf-8")
    assert ":func:" not in api
    assert "Further rounds until the ratios" in api  # the options of a run, defined once


@pytest.mark.slow
@needs_mkdocs
@needs_chromium
def test_it_works_without_a_network(site: Path) -> None:
    """Served from this machine: a search, too, asks nobody else."""
    handler = partial(QuietHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, browser() as tab:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}/"
        for page in ("index", "lessons/neuron", "api", "published"):
            tab.open(f"{root}{page}.html")
            requests = [p["request"]["url"] for method, p in tab.events if method == "Network.requestWillBeSent"]
            assert [url for url in requests if not url.startswith((root, "data:", "blob:"))] == []
            assert [p["entry"]["text"] for method, p in tab.events if method == "Log.entryAdded"] == []
            assert tab.evaluate("document.documentElement.scrollWidth") <= 1280
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def test_each_section_of_the_readme_is_on_a_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = dict(sections(text))
    assert set(found) == set(PAGES)
    assert sum(len(part.splitlines()) for part in found.values()) >= len(text.splitlines())


def test_links_lead_within_the_site_or_nowhere() -> None:
    text = "[a](CONTRIBUTING.md), [b](tests/data/plugin), [c](https://example.org), [d](#e)"
    assert linked(text) == "[a](contributing.md), b, [c](https://example.org), [d](#e)"
