"""The command ``sidebyside lesson``."""

import json as json_module
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from backends.registry import REFERENCE
from compare.cli.run import Json
from compare.cli.status import FAILED, OK
from compare.run.checks import flag
from tasks.errors import SideBySideError
from tasks.files import check_output


def lesson(
    name: Annotated[str | None, Parameter(name="NAME")] = None,
    /,
    *,
    backend: Annotated[Sequence[str] | None, flag("--backend", several=True)] = None,
    html: Path | None = None,
    json: Json = False,
) -> int:
    """Show the same small idea in NumPy, PyTorch, Keras and JAX.

    Args:
        name: The lesson; without it, the lessons are listed.
        backend: The frameworks; all that are installed, unless named.
        html: Write a page to this file; without NAME, of all lessons.
    """
    from compare.lessons.result import lesson_json
    from compare.lessons.run import lesson_titles, run_lessons
    from compare.report.layout import print_lines, see_width

    titles = lesson_titles()
    for word in backend or ():
        if word in titles:
            raise SideBySideError(f"{word} is a lesson: write it before --backend")
    if name is None and html is None:
        if json:
            print(json_module.dumps(titles, indent=1))
        else:
            print_lines([f"{key:18} {title}" for key, title in titles.items()], indent=19)
        return OK
    if html:
        _check_page(html)

    def announce(framework: str, lesson: str) -> None:
        print(f"{lesson}: {framework}", file=sys.stderr)

    results = run_lessons(list(titles) if name is None else [name], backend, announce=announce)
    if html:
        from compare.lessons.page import write_lessons_html

        try:
            write_lessons_html(results, html)
        except OSError as error:
            raise SideBySideError(f"{html}: cannot be written ({error.strerror}); name another file") from error
        print(f"written: {html}", file=sys.stderr)
    if json:
        print(json_module.dumps([lesson_json(result) for result in results], indent=1))
    if not json and not html:
        from rich.console import Console

        from compare.lessons.terminal import print_lesson

        see_width(console := Console())
        for result in results:
            print_lesson(result, console)
    failures = [failure for result in results for failure in result.failures]
    if not any(column.framework != REFERENCE and column.status != "missing" for r in results for column in r.columns):
        failures += dict.fromkeys(column.message for r in results for column in r.columns if column.status == "missing")
    for failure in failures:
        print(f"sidebyside: {failure}", file=sys.stderr)
    return FAILED if failures else OK


def _check_page(path: Path) -> None:
    """Raises SideBySideError where no page can be written to this file."""
    if path.suffix.lower() not in ("", ".html"):
        raise SideBySideError(f"{path}: name a file that ends in .html")
    check_output(path)
