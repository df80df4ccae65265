"""Lessons as a page, which needs nothing else, and as JSON."""

import base64
import hashlib
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from backends.lessons import load_lesson
from compare.lessons.page import write_lessons_html
from compare.lessons.result import LessonResult, lesson_json
from tests.lessons.common import Ran


class Page(HTMLParser):
    """What a page holds: tags with attributes, and the text of its style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.style = ""
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.style += data


@pytest.fixture(scope="session")
def page(ran: Ran, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "lessons.html"
    write_lessons_html(list(ran.values()), file)
    assert [path.name for path in file.parent.iterdir()] == ["lessons.html"]
    return file.read_text(encoding="utf-8")


def test_the_page_needs_nothing_else(page: str) -> None:
    parsed = Page(page)
    (policy,) = [a["content"] for tag, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(parsed.style.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"style-src 'sha256-{digest}'" in policy
    names = {tag for tag, _ in parsed.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "form", "base"}
    assert names >= {"table", "picture", "fieldset", "input"}
    for tag, attributes in parsed.tags:
        assert "style" not in attributes, "the policy would refuse it"
        for name in ("src", "srcset"):
            assert attributes.get(name, "data:image/").startswith("data:image/"), tag
        assert attributes.get("href", "#").startswith("#")
        assert not any(name.startswith("on") for name in attributes)
    assert "@import" not in parsed.style
    assert "url(" not in parsed.style


def test_the_page_has_every_lesson_and_every_picture(page: str, ran: Ran) -> None:
    parsed = Page(page)
    assert [a["id"] for tag, a in parsed.tags if tag == "article"] == list(ran)
    images = [a for tag, a in parsed.tags if tag == "img"]
    assert all(image["alt"] for image in images)
    captions = {
        caption
        for name, result in ran.items()
        if hasattr(load_lesson(name).module, "pictures")
        for caption in load_lesson(name).module.pictures(result.outputs)
    }
    assert {image["alt"] for image in images} == captions
    assert len(captions) >= 8
    radios = [a["id"] for tag, a in parsed.tags if tag == "input"]
    assert radios == [f"show-{column.framework}" for column in ran["neuron"].columns]
    for name in radios:
        assert f"#{name}:checked" in parsed.style


def test_the_page_escapes(hostile: LessonResult, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    write_lessons_html([hostile], file)
    text = file.read_text(encoding="utf-8")
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3  # the failure, the column, the output


def test_a_page_that_cannot_be_written_leaves_nothing(ran: Ran, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        write_lessons_html([ran["gradient"]], tmp_path / "nowhere" / "page.html")
    (tmp_path / "page.html").mkdir()
    with pytest.raises(OSError, match=r"page\.html"):
        write_lessons_html([ran["gradient"]], tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_json_holds_everything(ran: Ran) -> None:
    for result in ran.values():
        data = json.loads(json.dumps(lesson_json(result), allow_nan=False))
        assert data["lesson"] == result.name
        assert data["agreed"] is True
        assert data["note"] == result.note
        for column_data, ran_column in zip(data["frameworks"], result.columns, strict=True):
            assert column_data["source"] == ran_column.source
            assert column_data["outputs"] == ran_column.outputs
        assert {output["output"] for output in data["outputs"]} == {
            name for column in result.columns for name in column.outputs
        }
