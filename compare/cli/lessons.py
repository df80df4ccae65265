"""The command ``sidebyside lesson``."""

import json as json_module
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from backends.registry import REFERENCE, missing
from compare.cli.run import Json
from compare.cli.status import FAILED, OK
from compare.run.checks import flag
from tasks.errors import SideBySideError, UnknownNameError
from tasks.files import check_output

if TYPE_CHECKING:
    from compare.lessons.result import LessonResult


def lesson(
    name: Annotated[str | None, Parameter(name="NAME")] = None,
    /,
    *,
    backend: Annotated[Sequence[str] | None, flag("--backend", several=True)] = None,
    html: Path | None = None,
    notebook: Path | None = None,
    json: Json = False,
) -> int:
    """Show the same small idea in NumPy, PyTorch, Keras and JAX.

    Args:
        name: The lesson; without it, the lessons are listed.
        backend: The frameworks; all that are installed, unless named.
        html: Write a page to this file; without NAME, of all lessons.
        notebook: Write an executed notebook to this file. For several lessons or frameworks, write one file for each,
            named like FILE-neuron-jax.ipynb.
    """
    from compare.lessons.result import lesson_json
    from compare.lessons.run import lesson_titles, run_lessons
    from compare.report.layout import print_lines

    titles = lesson_titles()
    for word in backend or ():
        if word in titles:
            raise SideBySideError(f"{word} is a lesson: write it before --backend")
    if notebook and (html or json):
        raise SideBySideError("--notebook goes with neither --html nor --json: call lesson twice")
    if notebook:
        return _write_notebooks([name] if name else list(titles), backend, notebook)
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
        _write_page(results, html)
    if json:
        print(json_module.dumps([lesson_json(result) for result in results], indent=1))
    if not json and not html:
        _print(results)
    failures = [failure for result in results for failure in result.failures]
    if not any(column.framework != REFERENCE and column.status != "missing" for r in results for column in r.columns):
        failures += dict.fromkeys(column.message for r in results for column in r.columns if column.status == "missing")
    for failure in failures:
        print(f"sidebyside: {failure}", file=sys.stderr)
    return FAILED if failures else OK


def _write_page(results: "Sequence[LessonResult]", file: Path) -> None:
    from compare.lessons.page import write_lessons_html

    try:
        write_lessons_html(results, file)
    except OSError as error:
        raise SideBySideError(f"{file}: cannot be written ({error.strerror}); name another file") from error
    print(f"written: {file}", file=sys.stderr)


def _print(results: "Sequence[LessonResult]") -> None:
    from rich.console import Console

    from compare.lessons.terminal import print_lesson
    from compare.report.layout import see_width

    see_width(console := Console())
    for result in results:
        print_lesson(result, console)


def _write_notebooks(lessons: Sequence[str], frameworks: Sequence[str] | None, file: Path) -> int:
    """Writes a notebook for each lesson and framework; says what could not be written."""
    from backends.lessons import load_lesson
    from compare.lessons.notebook import NotebookError, write_notebook
    from compare.lessons.result import FRAMEWORKS

    if file.suffix != ".ipynb":
        raise SideBySideError(f"{file}: name a file that ends in .ipynb")
    for framework in frameworks or ():
        if framework not in FRAMEWORKS:
            raise UnknownNameError("backend", framework, FRAMEWORKS)
    for lesson in lessons:
        load_lesson(lesson)
    chosen = [name for name in FRAMEWORKS if name in (frameworks or FRAMEWORKS)]
    alone, failed = len(lessons) == len(chosen) == 1, False
    for framework in chosen:
        if message := missing(framework):
            print(f"sidebyside: {message}", file=sys.stderr)
            failed |= framework in (frameworks or ())
            continue
        for lesson in lessons:
            path = file if alone else file.with_name(f"{file.stem}-{lesson}-{framework}.ipynb")
            check_output(path)
            try:
                write_notebook(lesson, framework, path)
            except NotebookError as error:
                print(f"sidebyside: {error}", file=sys.stderr)
                failed = True
            except OSError as error:
                raise SideBySideError(f"{path}: cannot be written ({error.strerror}); name another file") from error
            else:
                print(f"written: {path}", file=sys.stderr)
    return FAILED if failed else OK


def _check_page(path: Path) -> None:
    """Raises SideBySideError where no page can be written to this file."""
    if path.suffix.lower() not in ("", ".html"):
        raise SideBySideError(f"{path}: name a file that ends in .html")
    check_output(path)
