"""Lessons as one web page that needs nothing but itself: no script, no request."""

import re
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from backends.lessons import load_lesson
from backends.registry import about
from compare.lessons.result import FRAMEWORKS, LessonResult
from compare.lessons.text import block_text, blocks, heading, is_block, shown, verdict_text
from compare.page.drawing import data_uris
from compare.page.page import read_style, render_page
from tasks.files import write_whole


def write_lessons_html(results: Sequence[LessonResult], path: Path) -> None:
    """Writes lessons as one web page; the file is whole or not there at all.

    Raises:
        OSError: the file cannot be written.
    """
    values = {
        "results": results,
        "frameworks": list(dict.fromkeys(column.framework for result in results for column in result.columns)),
        "labels": {name: about(name).label for name in FRAMEWORKS},
        "shown": shown,
        "is_block": is_block,
        "blocks": blocks,
        "block_text": block_text,
        "verdict_text": verdict_text,
        "heading": heading,
        "code": _html_code,
        "pictures": _pictures,
        "breakable": _breakable,
    }
    page = render_page("lessons.html.j2", read_style("lessons.css") + _code_style(), values)
    write_whole(path, page.encode())


def _breakable(name: str) -> Markup:
    """A name in which a line may break after each underscore."""
    return Markup("_<wbr>").join(name.split("_"))


def _html_code(source: str) -> Markup:
    """Highlighted Python; each line is an element, so that the rest of a long line can be indented."""
    html = highlight(source.rstrip("\n"), PythonLexer(stripnl=False), HtmlFormatter(nowrap=True))  # escapes the source
    lines = []
    for line, plain_line in zip(html.rstrip("\n").split("\n"), source.rstrip("\n").split("\n"), strict=True):
        indent = min((len(plain_line) - len(plain_line.lstrip())) // 4, 5)
        # A line may break after an opening bracket and before a dot, but not within a name.
        line = re.sub(r'(<span class="p">[(\[{,]+</span>)', r"\1<wbr>", line)
        line = line.replace('<span class="o">.</span>', '<wbr><span class="o">.</span>')
        lines.append(f'<span class="line in{indent}">{line or " "}</span>')
    return Markup("".join(lines))


def _code_style() -> str:
    def rules(style: str) -> str:
        text = HtmlFormatter(style=style, nobackground=True).get_style_defs(".code")
        # Pygments also styles line numbers and the background, for which the page has rules of its own.
        return "\n".join(line for line in text.splitlines() if line.startswith(".code ."))

    return f"\n{rules('xcode')}\n@media (prefers-color-scheme: dark) {{\n{rules('github-dark')}\n}}\n"


def _pictures(result: LessonResult) -> list[dict[str, str]]:
    """The lesson's charts with their captions, as data URIs for light and for dark paper."""
    module = load_lesson(result.name).module
    if not result.outputs or not hasattr(module, "pictures"):
        return []
    pictures = []
    for caption, chart in module.pictures(result.outputs).items():
        light, dark = data_uris(chart.configure_axis(labelFlush=False))  # the outer labels, too, stand at their ticks
        pictures.append({"caption": caption, "light": light, "dark": dark})
    return pictures
