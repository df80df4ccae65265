"""Runs lessons and checks that the frameworks agree. :mod:`.terminal` and :mod:`.page` show what came of it.

Each framework runs in a process of its own, because two of them in one process have hung and crashed. A process runs
all the lessons that are asked for, so that a framework is imported once. Lessons run on the CPU in full float32.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from backends import missing
from backends.lessons import FRAMEWORKS, Lesson, load_lesson
from backends.lessons import available_lessons as _names
from compare.lessons.agreement import judge
from compare.lessons.processes import Job, run_jobs
from compare.lessons.result import FrameworkResult, LessonResult
from tasks.errors import UnknownNameError

_DISTRIBUTIONS = {
    "numpy": ("numpy",),
    "pytorch": ("torch",),
    "keras": ("keras", "tensorflow"),
    "jax": ("jax", "flax", "optax"),
}


def available_lessons() -> dict[str, str]:
    """The titles of the lessons by name, in the order in which they are best read."""
    return {name: load_lesson(name).title for name in _names()}


def run_lesson(name: str, backends: Sequence[str] | None = None) -> LessonResult:
    """Runs one lesson; see :func:`run_lessons`."""
    return run_lessons([name], backends)[0]


def run_lessons(
    names: Iterable[str] | None = None,
    backends: Sequence[str] | None = None,
    *,
    progress: Callable[[str, str], None] | None = None,
) -> tuple[LessonResult, ...]:
    """Runs lessons in every framework, one framework after the other, each in its own process.

    Args:
        names: of the lessons; None for all.
        backends: the frameworks; None for all. Those that are not installed get a column that says what to install.
        progress: called with the framework and the lesson before each is run.

    Raises:
        UnknownNameError: there is no such lesson or framework. Nothing has run then.
    """
    lessons = [load_lesson(name) for name in (_names() if names is None else names)]
    for backend in backends or ():
        if backend not in FRAMEWORKS:
            raise UnknownNameError("backend", backend, FRAMEWORKS)
    chosen = [framework for framework in FRAMEWORKS if backends is None or framework in backends]
    absent = {framework: message for framework in chosen if (message := missing(framework))}

    replies: dict[str, dict[Job, dict[str, Any]]] = {framework: {} for framework in chosen}
    with tempfile.TemporaryDirectory(prefix="sidebyside-lesson-") as scratch:
        folder = Path(scratch)
        for lesson in lessons:
            (folder / lesson.name).mkdir(exist_ok=True)
        # The second functions run when the first have run everywhere: they read what the others wrote.
        for stage in (0, 1):
            for framework in chosen:
                if framework in absent:
                    continue
                jobs = [(lesson.name, stage) for lesson in lessons if stage < len(lesson.functions(framework))]
                replies[framework].update(run_jobs(framework, jobs, folder, progress))

    results = []
    for lesson in lessons:
        columns = tuple(_column(lesson, framework, absent.get(framework), replies[framework]) for framework in chosen)
        results.append(
            LessonResult(
                lesson.name,
                lesson.title,
                lesson.about,
                lesson.note,
                lesson.shared_source,
                columns,
                judge(lesson, columns),
            )
        )
    return tuple(results)


def _column(
    lesson: Lesson, framework: str, absent: str | None, replies: Mapping[Job, dict[str, Any]]
) -> FrameworkResult:
    versions = {} if absent else _versions(framework)
    make = partial(FrameworkResult, framework, versions, lesson.source(framework))
    if absent:
        return make("missing", absent, {}, 0.0)
    parts = [replies[lesson.name, stage] for stage in range(len(lesson.functions(framework)))]
    seconds = sum(part.get("seconds", 0.0) for part in parts)
    for part in parts:
        if "error" in part:
            return make("failed", part["error"], {}, seconds)
    outputs = {name: value for part in parts for name, value in part["outputs"].items()}
    return make("ok", "", outputs, seconds)


def _versions(framework: str) -> dict[str, str]:
    found = {}
    for distribution in _DISTRIBUTIONS[framework]:
        try:
            found[distribution] = version(distribution)
        except PackageNotFoundError:
            found[distribution] = "unknown"
    return found
