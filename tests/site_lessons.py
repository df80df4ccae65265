"""The lessons' pages of the documentation site: see ``site.py``."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from backends.lessons import load_lesson
from backends.lessons.course import QUESTIONS
from compare.lessons.result import FrameworkResult, LessonResult
from compare.lessons.text import heading, shown, verdict_text
from compare.page.drawing import to_svg


def course(results: Sequence[LessonResult]) -> Iterator[str]:
    """A course: the lessons in the order in which they are best read, with questions for a class and their answers."""
    yield "# A course of lessons\n"
    yield "Each tells the same small idea in NumPy, PyTorch, Keras and JAX. They build on each other in this order.\n"
    for number, result in enumerate(results, 1):
        yield f"## {number}. [{result.title}](lessons/{result.name}.md)\n\n{result.about}\n"
        for question, answer in QUESTIONS[result.name]:
            yield f'??? question "{question}"\n\n    {answer}\n'


def lesson(result: LessonResult, folder: Path) -> Iterator[str]:
    """A lesson: its idea, its code in a tab for each framework, what it gave, and what differs."""
    yield f"# {result.title}\n\n{result.about}\n"
    if result.shared_source:
        yield f"What all frameworks use:\n\n```python\n{result.shared_source.rstrip()}\n```\n"
    for column in result.columns:
        code = "\n".join(f"    {line}".rstrip() for line in column.source.rstrip().splitlines())
        yield f'=== "{heading(column)}"\n\n    ```python\n{code}\n    ```\n'
    yield from _outputs(result)
    yield from _pictures(result, folder)
    yield f"\n## What differs\n\n{result.note}\n"


def _outputs(result: LessonResult) -> Iterator[str]:
    columns: list[FrameworkResult] = [column for column in result.columns if column.status == "ok"]
    yield "## What it gives\n"
    yield f"| | {' | '.join(heading(column) for column in columns)} | |"
    yield f"|---|{'---|' * len(columns)}---|"
    for verdict in result.verdicts:
        outputs = [column.outputs.get(verdict.output) for column in columns]
        values = ["" if output is None else shown(output) for output in outputs]
        cells = [f"<code>{_cell(value)}</code>" if value else "none" for value in values]
        yield f"| {verdict.output} | {' | '.join(cells)} | {_cell(verdict_text(verdict))} |"


def _cell(text: str) -> str:
    harmless = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "&#124;").replace("*", "&#42;")
    return harmless.replace("_", "&#95;").replace("\n", "<br>")


def _pictures(result: LessonResult, folder: Path) -> Iterator[str]:
    module = load_lesson(result.name).module
    if not result.outputs or not hasattr(module, "pictures"):
        return
    for at, (caption, chart) in enumerate(module.pictures(result.outputs).items()):
        file = folder / "lessons" / f"{result.name}-{at}.svg"
        file.write_text(to_svg(chart, background="white"), encoding="utf-8")
        yield f"\n![{caption}]({file.name})\n\n{caption}\n"
