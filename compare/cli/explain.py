"""``sidebyside explain``: why frameworks give different results on a task."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from backends.registry import about, framework_backends
from compare.cli import pages
from compare.cli.run import Json
from compare.cli.status import FAILED, INTERRUPTED, OK
from compare.run.checks import flag
from tasks.errors import SideBySideError

if TYPE_CHECKING:
    from compare.records.effect import Effect, Explanation


def explain(
    task: Annotated[str, Parameter(name="TASK")],
    /,
    *,
    backend: Annotated[Sequence[str] | None, flag("--backend", several=True)] = None,
    between: Annotated[Sequence[str] | None, flag("--between", several=True)] = None,
    seeds: int | None = None,
    preset: Literal["quick", "full"] | None = None,
    html: Path | None = None,
    json: Json = False,
) -> int:
    """Explain why frameworks give different results: turn their defaults on, one at a time, in one aligned model.

    Args:
        task: The task, by name or file.
        backend: Frameworks whose defaults are turned on; all that are installed, unless named. For
            another backend, as keras-jax: says which default it was left with, where it is not the same model.
        between: Two frameworks: how much of the difference between them each default explains.
        seeds: Number of seeds of each whole run, 0 to N-1; five, unless given. One gives no interval.
        preset: quick trains the task's quick preset, full its recipe as it stands; quick, unless given.
        html: Write a page with a chart to this file.
    """
    from compare.explain.page import write_page
    from compare.explain.run import explain_by_name

    if backend is not None and any(name not in framework_backends() for name in backend):
        return _diagnose(task, backend, json=json, alone=(html, between, seeds, preset) == (None,) * 4)
    seeds, preset = 5 if seeds is None else seeds, preset or "quick"
    if between is not None:
        return _explain_between(task, between, seeds, preset, json=json, alone=backend is None and html is None)
    pages.check_page(html)
    explanation = explain_by_name(task, backend, seeds=seeds, preset=preset, found=_announce)
    if json:
        print(explanation.model_dump_json(indent=1))
    else:
        print_explanation(explanation)
    if html is not None:
        pages.write_page(html, lambda: write_page(explanation, html))
    return OK if explanation.complete else FAILED if explanation.failure else INTERRUPTED


def _explain_between(task: str, between: Sequence[str], seeds: int, preset: str, *, json: bool, alone: bool) -> int:
    from compare.explain.between import between_lines
    from compare.explain.run import between_by_name
    from compare.report.layout import print_lines

    if not alone:
        raise SideBySideError("--between goes with neither --backend nor --html: leave them out")
    if len(between) != 2:
        raise SideBySideError("--between needs two frameworks, as --between keras pytorch")

    def announce(name: str) -> None:
        print(name, file=sys.stderr, flush=True)

    explained = between_by_name(task, *between, seeds=seeds, preset=preset, found=announce)
    if json:
        print(explained.model_dump_json(indent=1))
    else:
        print_lines(between_lines(explained), indent=2)
    return OK


def _diagnose(task: str, backends: Sequence[str], *, json: bool, alone: bool) -> int:
    from compare.explain.diagnosis import diagnosis_lines
    from compare.explain.run import diagnosis_by_name
    from compare.report.layout import print_lines

    for name in backends:
        about(name)  # raises UnknownNameError
    if len(backends) > 1 or not alone:
        other = next(name for name in backends if name not in framework_backends())
        raise SideBySideError(f"{other} is no framework and is explained by itself: leave out all but its name")

    def announce(note: str) -> None:
        print(note, file=sys.stderr, flush=True)

    diagnosis = diagnosis_by_name(task, backends[0], announce)
    if json:
        print(diagnosis.model_dump_json(indent=1))
    else:
        print_lines(diagnosis_lines(diagnosis), indent=2)
    return OK if diagnosis.granted else FAILED


def _announce(effect: "Effect") -> None:
    from compare.explain.table import change_text

    print(f"{effect.framework}, {effect.name}: {change_text(effect)}", file=sys.stderr, flush=True)


def print_explanation(explanation: "Explanation") -> None:
    """Prints the answer, the table, and the causes."""
    from compare.explain import table
    from compare.report.layout import TextColumn, print_line, print_table, terminal

    console = terminal()
    print_line(table.title(explanation), console)
    print_line(table.answer(explanation), console)
    console.print()
    columns = [list(cells) for cells in zip(*table.rows(explanation), strict=True)]
    if columns:
        first, *others = [
            TextColumn(heading, cells, right=bool(at))
            for at, (heading, cells) in enumerate(zip(table.headings(explanation), columns, strict=True))
        ]
        print_table(first, others, console)
        console.print()
    for name, cause in table.causes(explanation):
        print_line(f"{name}. {cause}", console, indent=2)
    for sentence in [*table.silent(explanation), table.how(explanation)]:
        print_line(sentence, console, indent=2)


def defaults(
    name: Annotated[str | None, Parameter(name="NAME")] = None,
    /,
    *,
    backend: Annotated[Sequence[str] | None, flag("--backend", several=True)] = None,
    html: Path | None = None,
    json: Json = False,
) -> int:
    """Show what the installed frameworks do unless told otherwise: layers, optimizers, losses, initial weights.

    Args:
        name: A layer, an optimizer, a loss, or a kind of them: batchnorm, adam, optimizer; everything, unless given.
        backend: The frameworks; all that are installed, unless named.
        html: Write a page to this file.
    """
    from compare.explain import atlas
    from compare.explain.run import installed
    from compare.report.layout import print_line, print_table, terminal

    pages.check_page(html)
    found = atlas.read_atlas(installed(backend), name)
    if json:
        print(found.model_dump_json(indent=1))
    else:
        console = terminal()
        print_table(*atlas.table(found), console)
        console.print()
        for note in atlas.notes(found):
            print_line(note, console, indent=2)
    if html is not None:
        pages.write_page(html, lambda: atlas.write_page(found, html))
    return OK
