"""Runs lessons in every framework and checks that the frameworks agree.

Each framework runs in a process of its own, because two of them in one process have hung and crashed. A process runs
all the lessons that are asked for, so that a framework is imported once. Lessons run on the CPU in full float32.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import backends as registry
from backends.cores import usable_cores
from backends.lessons import Lesson, available_lessons, load_lesson
from backends.registry import about
from compare.executors.local import LocalExecutor
from compare.folders import Scratch
from compare.lessons.agreement import judge
from compare.lessons.result import FRAMEWORKS, LessonResult
from compare.lessons.result import FrameworkResult as FrameworkResult
from compare.records.event import Reply
from compare.records.request import LessonRequest
from tasks.errors import UnknownNameError

LIMIT_SECONDS = 300.0
"""The longest that one lesson may take in one framework, the import included."""
_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",  # the outputs should not depend on a GPU and its TF32
    "JAX_PLATFORMS": "cpu",
    "PYTHONIOENCODING": "utf-8",
    "NO_COLOR": "1",
}

Job = tuple[str, int]
"""A lesson's name, and whether its first (0) or its second (1) function is to run."""
Announce = Callable[[str, str], None]
"""Is called with the framework and the lesson before each is run."""


def lesson_titles() -> dict[str, str]:
    """The titles of the lessons by name, in the order in which they are best read."""
    return {name: load_lesson(name).title for name in available_lessons()}


def run_lesson(name: str, backends: Sequence[str] | None = None) -> LessonResult:
    """Runs one lesson; see :func:`run_lessons`."""
    return run_lessons([name], backends)[0]


def run_lessons(
    names: Iterable[str] | None = None, backends: Sequence[str] | None = None, *, announce: Announce | None = None
) -> tuple[LessonResult, ...]:
    """Runs lessons in every framework, one framework after the other, each in its own process.

    Args:
        names: of the lessons; None for all.
        backends: the frameworks; None for all. Those that are not installed get a result that says what to install.
        announce: called with the framework and the lesson before each is run.

    Raises:
        UnknownNameError: there is no such lesson or framework. Nothing has run then.
    """
    lessons = [load_lesson(name) for name in (available_lessons() if names is None else names)]
    for backend in backends or ():
        if backend not in FRAMEWORKS:
            raise UnknownNameError("backend", backend, FRAMEWORKS)
    chosen = [framework for framework in FRAMEWORKS if backends is None or framework in backends]
    absent = {framework: message for framework in chosen if (message := registry.missing(framework))}

    replies: dict[str, dict[Job, Reply]] = {framework: {} for framework in chosen}
    with Scratch() as scratch:
        for lesson in lessons:
            (scratch / lesson.name).mkdir(exist_ok=True)
        # The second functions run when the first have run everywhere: they read what the others wrote.
        for stage in (0, 1):
            for framework in chosen:
                if framework not in absent:
                    jobs = [(lesson.name, stage) for lesson in lessons if stage < len(lesson.functions(framework))]
                    replies[framework].update(run_jobs(framework, jobs, scratch, announce))

    results = []
    for lesson in lessons:
        columns = tuple(_result(lesson, name, absent.get(name), replies[name]) for name in chosen)
        texts = (lesson.name, lesson.title, lesson.about, lesson.note, lesson.shared_source)
        results.append(LessonResult(*texts, columns, judge(lesson, columns)))
    return tuple(results)


def run_jobs(framework: str, jobs: Sequence[Job], folder: Path, announce: Announce | None = None) -> dict[Job, Reply]:
    """Runs jobs in one worker. Where a job kills it, the others are run in another one.

    A framework whose worker dies twice without any answer cannot even be imported: the remaining jobs are not tried.
    """
    executor = LocalExecutor(usable_cores(), environment=_ENVIRONMENT, folder=folder)
    replies: dict[Job, Reply] = {}
    pending = list(jobs)
    silent = 0  # workers that died without a single answer
    while pending:
        with executor.open(framework) as session:
            answered = False
            while pending and session.alive:
                name, stage = job = pending.pop(0)
                if announce:
                    announce(framework, name)
                request = LessonRequest(framework=framework, lesson=name, stage=stage, folder=str(folder / name))
                replies[job] = session.ask(request, timeout=LIMIT_SECONDS)
                answered = answered or session.alive
        silent = 0 if answered else silent + 1
        if silent == 2:
            replies.update(dict.fromkeys(pending, replies[job]))
            break
    return replies


def _result(lesson: Lesson, framework: str, absent: str | None, replies: Mapping[Job, Reply]) -> FrameworkResult:
    source = lesson.source(framework)
    imported = re.findall(r"^ *(?:from|import) (\w+)", source, re.MULTILINE)
    versions = {} if absent else {name: v for name, v in about(framework).versions().items() if name in imported}
    make = partial(FrameworkResult, framework, versions, source)
    if absent:
        return make("missing", absent, {}, 0.0)
    parts = [replies[lesson.name, stage] for stage in range(len(lesson.functions(framework)))]
    seconds = sum(part.seconds for part in parts)
    for part in parts:
        if part.status != "ok":
            return make("failed", part.message, {}, seconds)
    outputs = {name: value for part in parts if isinstance(part.value, dict) for name, value in part.value.items()}
    return make("ok", "", outputs, seconds)
