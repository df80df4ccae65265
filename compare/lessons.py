"""Runs lessons, checks that the frameworks agree, and shows them: in a terminal, as JSON, as a page.

Each framework runs in a process of its own, because two of them in one process have hung and crashed. A process runs
all the lessons that are asked for, so that a framework is imported once. Lessons run on the CPU in full float32.
"""

import ast
import base64
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from backends import missing
from backends.lessons import FRAMEWORKS, Lesson, load_lesson
from backends.lessons import available_lessons as _names
from tasks.errors import UnknownNameError

if TYPE_CHECKING:
    from markupsafe import Markup
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.text import Text

RELATIVE, ABSOLUTE = 1e-5, 1e-6
"""How far outputs may be apart: about 100 roundings of float32, relative, and below that an absolute floor."""
LIMIT_SECONDS = 300.0
"""The longest that one lesson may take in one framework, the import included."""
WIDE = 120
"""From this terminal width on, the frameworks stand side by side."""

LABELS = {"numpy": "NumPy", "pytorch": "PyTorch", "keras": "Keras", "jax": "JAX"}
_DISTRIBUTIONS = {
    "numpy": ("numpy",),
    "pytorch": ("torch",),
    "keras": ("keras", "tensorflow"),
    "jax": ("jax", "flax", "optax"),
}
_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
    "CUDA_VISIBLE_DEVICES": "-1",  # the outputs should not depend on a GPU and its TF32
    "JAX_PLATFORMS": "cpu",
    "PYTHONIOENCODING": "utf-8",
    "NO_COLOR": "1",
}
_ROOT = Path(__file__).resolve().parents[1]
_CHILD = (
    "import sys; root = sys.argv[1]; root in sys.path or sys.path.insert(0, root);"
    "from compare.lessons import _serve; _serve(sys.argv[2], sys.argv[3], sys.argv[4:])"
)

_Job = tuple[str, int]
"""A lesson's name, and whether its first (0) or its second (1) function is to run."""


@dataclass(frozen=True)
class Column:
    """One lesson in one framework.

    Attributes:
        framework: ``numpy``, ``pytorch``, ``keras`` or ``jax``.
        versions: of the framework's packages.
        source: the code that ran.
        status: ``ok``; ``missing``, the framework is not installed; ``failed``, it raised, died or took too long.
        message: one line: what to install, or what went wrong; empty where all is well.
        outputs: numbers, strings, booleans and nested lists of these, by name.
        seconds: how long the lesson took, the framework's import included where it came first.
    """

    framework: str
    versions: Mapping[str, str]
    source: str
    status: Literal["ok", "missing", "failed"]
    message: str
    outputs: Mapping[str, Any]
    seconds: float


@dataclass(frozen=True)
class Verdict:
    """Whether the frameworks agree on one output.

    Attributes:
        output: its name.
        verdict: ``agree``; ``differ``, as the lesson says they should or may; ``disagree``, which is an error;
            ``alone``, one framework ran.
        largest_difference: between any framework and the first, for numbers.
        text: why they differ, or what is wrong.
    """

    output: str
    verdict: Literal["agree", "differ", "disagree", "alone"]
    largest_difference: float | None
    text: str


@dataclass(frozen=True)
class LessonResult:
    """A lesson as it ran.

    Attributes:
        name: as on the command line.
        title: one line.
        about: what is learned.
        note: what differs between the frameworks, and why.
        shared_source: constants and helpers that all frameworks use.
        columns: one a framework, in the order NumPy, PyTorch, Keras, JAX.
        verdicts: one an output.
    """

    name: str
    title: str
    about: str
    note: str
    shared_source: str
    columns: tuple[Column, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """What went wrong, a line each: frameworks that failed, outputs that disagree. A missing framework did not."""
        failed = [
            f"{self.name}: {column.framework}: {column.message}" for column in self.columns if column.status == "failed"
        ]
        wrong = [f"{self.name}: {v.output}: {v.text}" for v in self.verdicts if v.verdict == "disagree"]
        return (*failed, *wrong)

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The outputs of the first framework that ran."""
        return next((column.outputs for column in self.columns if column.status == "ok"), {})


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

    replies: dict[str, dict[_Job, dict[str, Any]]] = {framework: {} for framework in chosen}
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
                replies[framework].update(_run_jobs(framework, jobs, folder, progress))

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


def _column(lesson: Lesson, framework: str, absent: str | None, replies: Mapping[_Job, dict[str, Any]]) -> Column:
    versions = {} if absent else _versions(framework)
    make = partial(Column, framework, versions, lesson.source(framework))
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


# ---- agreement ------------------------------------------------------------------------------------------------------


def judge(lesson: Lesson, columns: Sequence[Column]) -> tuple[Verdict, ...]:
    """Compares the outputs of the frameworks that ran with those of the first of them, within float32."""
    ran = [column for column in columns if column.status == "ok"]
    names = dict.fromkeys(name for column in ran for name in column.outputs)
    return tuple(_verdict(name, lesson, ran) for name in names)


def _verdict(name: str, lesson: Lesson, ran: Sequence[Column]) -> Verdict:
    if name in lesson.differs:
        return Verdict(name, "differ", None, lesson.differs[name])
    without = [LABELS[column.framework] for column in ran if name not in column.outputs]
    if without:
        return Verdict(name, "disagree", None, f"no such output in {', '.join(without)}")
    if len(ran) < 2:
        return Verdict(name, "alone", None, "nothing to compare with")
    first, *others = ran
    largest: float | None = None
    for other in others:
        difference, agrees = _compare(first.outputs[name], other.outputs[name], lesson.tolerances.get(name))
        if difference is not None:
            largest = max(difference, largest or 0.0)
        if not agrees:
            by = "" if difference is None else f", by {difference:.3g}"
            text = f"{LABELS[other.framework]} differs from {LABELS[first.framework]}{by}"
            return Verdict(name, "disagree", largest, text)
    return Verdict(name, "agree", largest, "")


def _compare(reference: Any, value: Any, tolerance: float | None) -> tuple[float | None, bool]:
    """The largest difference, None where the values are not numbers of one shape, and whether it is small enough."""
    left, right = _numbers(reference), _numbers(value)
    if left is None or right is None or left.shape != right.shape:
        return None, bool(reference == value)
    differences = np.abs(left - right)
    allowed = ABSOLUTE + RELATIVE * np.abs(left) if tolerance is None else tolerance
    return float(differences.max(initial=0.0)), bool((differences <= allowed).all())


def _numbers(value: Any) -> "np.ndarray[Any, np.dtype[np.float64]] | None":
    """A number or a nested list of numbers as an array; None for anything else (text, truth values, ragged lists)."""
    try:
        array = np.array(value)
    except ValueError:
        return None
    return array.astype(np.float64) if array.dtype.kind in "iuf" else None


# ---- processes ------------------------------------------------------------------------------------------------------


def _run_jobs(
    framework: str, jobs: Sequence[_Job], folder: Path, progress: Callable[[str, str], None] | None
) -> dict[_Job, dict[str, Any]]:
    """Runs jobs in a child process. Where one kills the child, the rest go on in another."""
    replies: dict[_Job, dict[str, Any]] = {}
    pending = list(jobs)
    silent = 0  # children that died without a single answer
    while pending:
        answers, death = _run_child(framework, pending, folder, progress)
        replies.update(zip(pending, answers, strict=False))
        pending = pending[len(answers) :]
        silent = 0 if answers else silent + 1
        if pending:
            # A framework that cannot even be imported is not tried again for every lesson.
            lost = pending if silent == 2 else pending[:1]
            replies.update({job: {"error": death} for job in lost})
            pending = pending[len(lost) :]
    return replies


def _run_child(
    framework: str, jobs: Sequence[_Job], folder: Path, progress: Callable[[str, str], None] | None
) -> tuple[list[dict[str, Any]], str]:
    """The answers of one child process, in order, and how it ended if it did not give them all."""
    command = [sys.executable, "-P", "-c", _CHILD, str(_ROOT), framework, str(folder)]
    command += [f"{name}:{stage}" for name, stage in jobs]
    answers: list[dict[str, Any]] = []
    late = threading.Event()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **_ENVIRONMENT},
            cwd=folder,
            start_new_session=True,
        )
        assert process.stdout is not None

        def stop() -> None:
            late.set()
            _kill(process)

        try:
            for name, _ in jobs:
                if progress:
                    progress(framework, name)
                timer = threading.Timer(LIMIT_SECONDS, stop)
                timer.daemon = True
                timer.start()
                try:
                    line = process.stdout.readline()
                finally:
                    timer.cancel()
                if not line.endswith(b"\n"):
                    break
                answers.append(json.loads(line))
            else:
                process.wait(10)
        except subprocess.TimeoutExpired:
            pass  # it has answered, and is killed below
        finally:
            _kill(process)
            process.stdout.close()
            code = process.wait()
        errors.seek(0)
        text = errors.read().decode(errors="replace").strip()
    if late.is_set():
        return answers, f"took longer than {LIMIT_SECONDS:g} seconds"
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
    return answers, _one_line(f"the process ended ({how}): {text.splitlines()[-1] if text else 'it said nothing'}")


def _kill(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError, PermissionError):  # no groups on Windows; already gone
        if process.poll() is None:
            process.kill()


def _serve(framework: str, folder: str, jobs: Sequence[str]) -> None:
    """The child: runs each job and writes one line of JSON for it."""
    # Frameworks print, from C++ too: what they write to stdout goes to stderr, and the answers have a channel alone.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for job in jobs:
        name, _, stage = job.partition(":")
        start = time.perf_counter()
        answer: dict[str, Any]
        try:
            outputs = load_lesson(name).run(framework, int(stage), Path(folder) / name)
            answer = {"outputs": plain(outputs)}
            json.dumps(answer, allow_nan=False)
        except Exception as error:
            answer = {"error": _one_line(f"{type(error).__name__}: {error}")}
        answer["seconds"] = time.perf_counter() - start
        channel.write(json.dumps(answer) + "\n")
        channel.flush()


def _one_line(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    line = "".join(character for character in line if character.isprintable())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def plain(value: Any) -> Any:
    """Outputs as JSON has them. A float32 becomes the shortest decimal that stands for it: 0.1, not 0.10000000149.

    Raises:
        TypeError: a value is none of what :data:`backends.lessons.Outputs` allows (a framework's tensor, say).
    """
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind == "f" and value.dtype.itemsize < 8:
            value = np.asarray(value).astype(str).astype(np.float64)
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"a lesson returned a {type(value).__name__}; it must return NumPy arrays, numbers, strings or lists"
    )


# ---- JSON -----------------------------------------------------------------------------------------------------------


def lesson_json(result: LessonResult) -> dict[str, Any]:
    """A result as plain data, ready for ``json.dumps``."""
    return {
        "lesson": result.name,
        "title": result.title,
        "about": result.about,
        "note": result.note,
        "agreed": not result.failures,
        "failures": list(result.failures),
        "shared_source": result.shared_source,
        "frameworks": [asdict(column) for column in result.columns],
        "outputs": [asdict(verdict) for verdict in result.verdicts],
    }


# ---- how values look ------------------------------------------------------------------------------------------------


def shown(value: Any) -> str:
    """A value for people: six digits, long arrays abbreviated."""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:.7g}"
    array = _numbers(value)
    if array is None:
        if all(isinstance(item, str) for item in value):
            return "\n".join(value)
        return str(value)
    if array.size > 40:
        flat = array.ravel()
        ends = [f"{item + 0:.6g}" for item in (*flat[:2], *flat[-2:])]
        shape = " x ".join(map(str, array.shape))
        return (
            f"{shape} numbers: {ends[0]} {ends[1]} … {ends[2]} {ends[3]}, from {array.min():.6g} to {array.max():.6g}"
        )
    return _array_text(array, 1)


def _array_text(array: "np.ndarray[Any, Any]", depth: int) -> str:
    if array.ndim == 1:
        return "[" + " ".join(f"{item + 0:.6g}" for item in array) + "]"  # + 0: a negative zero is a zero
    return "[" + ("\n" + " " * depth).join(_array_text(row, depth + 1) for row in array) + "]"


def is_block(value: Any) -> bool:
    """Whether a value needs room of its own: text of many lines, or a table of whole numbers."""
    if isinstance(value, str):
        return "\n" in value
    array = np.array(value) if _numbers(value) is not None else None
    return array is not None and array.ndim == 2 and array.dtype.kind in "iu" and 40 < array.size <= 1024


def block_text(value: Any) -> str:
    """A block as text: tables in full."""
    if isinstance(value, str):
        return value
    return "\n".join(" ".join(f"{item:3d}" for item in row) for row in value)


def _verdict_text(verdict: Verdict, *, reason: bool = True) -> str:
    if verdict.verdict == "agree":
        apart = verdict.largest_difference
        return f"agree to {apart:.1g}" if apart else "agree"
    word = {"differ": "may differ", "disagree": "DISAGREE", "alone": "one alone"}[verdict.verdict]
    return f"{word}: {verdict.text}" if reason else word


def _heading(column: Column) -> str:
    main = next(iter(column.versions.values()), "")
    return f"{LABELS[column.framework]} {main}".strip()


# ---- terminal -------------------------------------------------------------------------------------------------------


def print_lesson(result: LessonResult, console: "Console") -> None:
    """Prints a lesson: the four columns side by side from 120 columns on, one framework under another below that."""
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.text import Text

    console.print(Rule(Text(f"{result.name}: {result.title}", "bold"), align="left"))
    console.print(Text(" ".join(result.about.split())))
    if result.shared_source:
        console.print()
        console.print(Text("shared by all", "dim italic"))
        console.print(Padding(_Code(result.shared_source), (0, 0, 0, 2)))
    console.print()
    if console.width >= WIDE:
        _print_columns(result, console)
    else:
        _print_stacked(result, console)
    _print_blocks(result, console)
    console.print(Text("What differs, and why", "bold"))
    console.print(Text(result.note))
    if hasattr(load_lesson(result.name).module, "pictures"):
        console.print(Text(f"Pictures: sidebyside lesson {result.name} --html FILE", "dim italic"))
    for failure in result.failures:
        console.print(Text(f"error: {failure}", "bold red"))
    console.print()


def _print_columns(result: LessonResult, console: "Console") -> None:
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.MINIMAL, expand=True, pad_edge=False, padding=(0, 0), show_edge=False)
    for column in result.columns:
        table.add_column(Text(_heading(column), "bold"), ratio=1)
    cells = []
    for column in result.columns:
        parts: list[RenderableType] = [Text(column.message, "red")] if column.message else []
        for index, (about, body) in enumerate(_bodies(column.source)):
            if index:
                parts.append(Text("\nthen, in a new process:", "italic"))
            parts += [Text(about, "dim italic"), _Code(body)]
        cells.append(Group(*parts))
    table.add_row(*cells)
    console.print(table)
    console.print()

    ran = [column for column in result.columns if column.status == "ok"]
    if not ran:
        return
    outputs = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 1, 0, 0), show_lines=False)
    outputs.add_column(Text("output", "bold"), ratio=5)
    for column in ran:
        outputs.add_column(Text(LABELS[column.framework], "bold"), ratio=5, overflow="fold")
    for verdict in result.verdicts:
        # Why an output differs is told below the table: it would make the first column tall.
        name = Text.assemble((verdict.output, "bold"), "\n", _styled_verdict(verdict, reason=False))
        values = [column.outputs.get(verdict.output, "none") for column in ran]
        if any(map(is_block, values)):
            outputs.add_row(name, *[Text("below", "dim")] * len(ran))
        else:
            outputs.add_row(name, *(Text(shown(value)) for value in values))
    console.print(outputs)
    for verdict in result.verdicts:
        if verdict.verdict in ("differ", "disagree"):
            console.print(Text.assemble((verdict.output, "bold"), ": ", _styled_verdict(verdict)))
    console.print()


def _print_stacked(result: LessonResult, console: "Console") -> None:
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.text import Text

    for column in result.columns:
        console.print(Rule(Text(_heading(column), "bold"), align="left", style="dim"))
        if column.message:
            console.print(Text(column.message, "red"))
        console.print(_Code(column.source))
        for name, value in column.outputs.items():
            if is_block(value):
                continue
            text = shown(value)
            if "\n" in text or len(name) + len(text) + 4 > console.width:
                console.print(Text(f"  {name}:", "bold"))
                console.print(Padding(Text(text), (0, 0, 0, 4)))
            else:
                console.print(Text.assemble((f"  {name}: ", "bold"), text))
        console.print()
    if result.verdicts:
        console.print(Rule(Text("Do they agree?", "bold"), align="left", style="dim"))
    for verdict in result.verdicts:
        console.print(Text.assemble((verdict.output, "bold"), ": ", _styled_verdict(verdict)))
    console.print()


def _print_blocks(result: LessonResult, console: "Console") -> None:
    from rich.text import Text

    for verdict in result.verdicts:
        for heading, text in _blocks(result, verdict):
            console.print(Text(heading, "bold"))
            console.print(Text(text, no_wrap=True, overflow="crop"))
            console.print()


def _blocks(result: LessonResult, verdict: Verdict) -> list[tuple[str, str]]:
    """An output that needs room of its own, once where all agree and otherwise for each framework, with a heading."""
    ran = [column for column in result.columns if verdict.output in column.outputs]
    if not any(is_block(column.outputs[verdict.output]) for column in ran):
        return []
    if verdict.verdict == "agree":
        labels = ", ".join(LABELS[column.framework] for column in ran)
        return [(f"{verdict.output} (the same in {labels})", block_text(ran[0].outputs[verdict.output]))]
    return [
        (f"{verdict.output}: {LABELS[column.framework]}", block_text(column.outputs[verdict.output])) for column in ran
    ]


def _styled_verdict(verdict: Verdict, *, reason: bool = True) -> "Text":
    from rich.text import Text

    styles = {"agree": "green", "differ": "yellow", "disagree": "bold red", "alone": "dim"}
    return Text(_verdict_text(verdict, reason=reason), styles[verdict.verdict])


def _bodies(source: str) -> list[tuple[str, str]]:
    """The docstring and the body of each function, without indentation: a narrow column has no room for it."""
    lines = source.splitlines()
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            about = ast.get_docstring(node) or ""
            first = (node.body[0].end_lineno or 0) if about else node.body[0].lineno - 1
            found.append((about, textwrap.dedent("\n".join(lines[first : node.end_lineno])).strip("\n") + "\n"))
    return found


class _Code:
    """Python with syntax highlighting; a line that is too long goes on indented, so that it still reads as one line."""

    def __init__(self, code: str) -> None:
        self.code = code.rstrip("\n")

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        from rich.syntax import Syntax

        # ansi_dark takes the terminal's own sixteen colours, which its owner has made legible.
        text = Syntax(self.code, "python", theme="ansi_dark", background_color="default").highlight(self.code)
        text.rstrip()
        for line in text.split("\n", allow_blank=True):
            yield from _wrap(line, options.max_width)


def _wrap(line: "Text", width: int) -> "list[Text]":
    """Breaks a line of code after a space, comma or bracket, and indents what follows by two more."""
    from rich.text import Text

    indent = len(line.plain) - len(line.plain.lstrip(" "))
    indent = min(indent + 2, width // 2)
    pieces: list[Text] = []
    room = width
    while len(line.plain) > room:
        ends = [match.end() for match in re.finditer(r"[ ,(\[.=]+|(?<=.)(?=[)\]])", line.plain[: room + 1])]
        floor = indent if not pieces else 0
        spaces = [end for end in ends if end <= room and line.plain[end - 1] in " (" and end > max(floor, room // 2)]
        others = [end for end in ends if floor < end <= room]
        at = max(spaces or others or [room])
        head, line = line.divide([at])
        head.rstrip()
        pieces.append(head)
        room = width - indent
    pieces.append(line)
    pad = Text(" " * indent)
    return [pieces[0], *(pad + piece for piece in pieces[1:])]


# ---- page -----------------------------------------------------------------------------------------------------------


def write_lessons_html(results: Sequence[LessonResult], path: Path) -> None:
    """Writes lessons as one page that needs nothing else: no script, no request. It is whole or not there at all.

    Raises:
        OSError: the file cannot be written.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from compare.results import write_whole

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        shown=shown,
        is_block=is_block,
        blocks=_blocks,
        block_text=block_text,
        verdict_text=_verdict_text,
        code=_html_code,
        pictures=_pictures,
        heading=_heading,
        labels=LABELS,
        breakable=_breakable,
    )
    template = environment.get_template("lessons.html.j2")
    style = _PAGE_STYLE + _code_style()
    frameworks = list(dict.fromkeys(column.framework for result in results for column in result.columns))
    page = template.render(
        results=results,
        frameworks=frameworks,
        style=Markup(style),
        style_hash=_sha256(style),
    )
    write_whole(Path(path), page.encode())


def _sha256(text: str) -> str:
    import hashlib

    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _breakable(name: str) -> "Markup":
    """A name that may break after an underscore."""
    from markupsafe import Markup

    return Markup("_<wbr>").join(name.split("_"))


def _html_code(source: str) -> "Markup":
    """Highlighted Python, each line an element of its own, so that a long line goes on indented."""
    from markupsafe import Markup
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    html = highlight(source.rstrip("\n"), PythonLexer(stripnl=False), HtmlFormatter(nowrap=True))  # which escapes
    lines = []
    for line, plain_line in zip(html.rstrip("\n").split("\n"), source.rstrip("\n").split("\n"), strict=True):
        indent = min((len(plain_line) - len(plain_line.lstrip())) // 4, 5)
        # A line may break after an opening bracket and before a dot, not within a name.
        line = re.sub(r'(<span class="p">[(\[{,]+</span>)', r"\1<wbr>", line)
        line = line.replace('<span class="o">.</span>', '<wbr><span class="o">.</span>')
        lines.append(f'<span class="line in{indent}">{line or " "}</span>')
    return Markup("".join(lines))


def _code_style() -> str:
    from pygments.formatters import HtmlFormatter

    def rules(style: str) -> str:
        text = HtmlFormatter(style=style, nobackground=True).get_style_defs(".code")
        # Pygments also styles line numbers and the background, which this page has its own rules for.
        return "\n".join(line for line in text.splitlines() if line.startswith(".code ."))

    return f"\n{rules('xcode')}\n@media (prefers-color-scheme: dark) {{\n{rules('github-dark')}\n}}\n"


def _pictures(result: LessonResult) -> list[dict[str, str]]:
    """The lesson's charts, for a light and for a dark page, as data URIs with a caption."""
    module = load_lesson(result.name).module
    if not result.outputs or not hasattr(module, "pictures"):
        return []
    return [
        {"caption": caption, "light": _render(chart, dark=False), "dark": _render(chart, dark=True)}
        for caption, chart in module.pictures(result.outputs).items()
    ]


def _render(chart: Any, *, dark: bool) -> str:
    import vl_convert

    spec = chart.to_dict(validate=False)
    ink, faint = ("#e6e6e6", "#444c56") if dark else ("#1f2328", "#d0d7de")
    colors = ["#79b8ff", "#ffab70", "#85e89d", "#f97583"] if dark else ["#1f6feb", "#d9570a", "#1a7f37", "#cf222e"]
    font = "system-ui, sans-serif"
    axis = {"labelColor": ink, "titleColor": ink, "domainColor": faint, "tickColor": faint, "gridColor": faint}
    spec["padding"] = {"left": 5, "top": 5, "right": 30, "bottom": 5}  # the reader's font may be wider than ours
    spec["config"] = {
        "background": "transparent",
        "font": font,
        "view": {"stroke": None, "continuousWidth": 440, "continuousHeight": 260},
        "axis": {
            **axis,
            "gridOpacity": 0.6,
            "titleFontWeight": "normal",
            "labelFontSize": 12,
            "titleFontSize": 13,
            "labelFlush": False,
        },
        "legend": {"labelColor": ink, "titleColor": ink, "labelFontSize": 12, "titleFontWeight": "normal"},
        "title": {"color": ink, "fontWeight": "normal"},
        "header": {"labelColor": ink, "titleColor": ink},
        "text": {"fill": ink},
        "line": {"stroke": colors[0]},
        "range": {"category": colors},
    }
    wanted = re.search(r"/v(\d+\.\d+)", spec.get("$schema", ""))
    known = wanted is not None and wanted.group(1) in vl_convert.get_vegalite_versions()
    options: dict[str, Any] = {"vl_version": f"v{wanted.group(1)}"} if wanted and known else {}
    if len(json.dumps(spec)) > 300_000:  # as SVG, 12,544 pixels are 12,544 elements
        png = vl_convert.vegalite_to_png(spec, scale=2, **options)
        return "data:image/png;base64," + base64.b64encode(png).decode()
    svg = vl_convert.vegalite_to_svg(spec, **options)
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


_PAGE_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --faint: #59636e; --line: #d0d7de; --paper: #fff; --code: #f6f8fa;
  --good: #1a7f37; --note: #8a5300; --bad: #cf222e; --link: #0550ae; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --faint: #9da7b3; --line: #3d444d; --paper: #0d1117;
  --code: #161b22; --good: #56d364; --note: #e3b341; --bad: #ff7b72; --link: #79b8ff; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem clamp(.9rem, 2.5vw, 2.5rem) 4rem; font: 1rem/1.55 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .4rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p { max-width: 75ch; margin: .4rem 0; overflow-wrap: anywhere; }
a { color: var(--link); }
article { border-top: 1px solid var(--line); margin-top: 2.5rem; padding-top: 1.5rem; }
.name { font: .9rem ui-monospace, monospace; color: var(--faint); }
nav ol { columns: 20rem; padding-left: 1.6rem; margin: .8rem 0; }
.bad { color: var(--bad); font-weight: 600; }
.scroll { overflow-x: auto; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.code, .block { background: var(--code); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .8rem;
  margin: 0; font: .78rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.block { overflow-x: auto; width: max-content; max-width: 100%; }
.line { display: block; white-space: pre-wrap; overflow-wrap: anywhere; padding-left: 2ch; text-indent: -2ch; }
.in1 { padding-left: 6ch; text-indent: -6ch; } .in2 { padding-left: 10ch; text-indent: -10ch; }
.in3 { padding-left: 14ch; text-indent: -14ch; } .in4 { padding-left: 18ch; text-indent: -18ch; }
.in5 { padding-left: 22ch; text-indent: -22ch; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(0, 1fr)); gap: .8rem; align-items: start; }
.columns h4, .blocks h4 { margin: 0 0 .3rem; font-size: .95rem; }
.columns h4 small, .columns p { color: var(--faint); font-weight: normal; font-size: .85rem; }
.columns > section { min-width: 0; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
thead th { font-size: .85rem; color: var(--faint); }
tbody th { font-weight: 600; }
td { font: .78rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  white-space: pre-wrap; }
.verdict { display: block; font-weight: normal; font-size: .8rem; color: var(--faint); }
.verdict.agree { color: var(--good); } .verdict.differ { color: var(--note); }
.verdict.disagree { color: var(--bad); font-weight: 600; }
figure { margin: 1rem 0; } figure img { max-width: 100%; height: auto; display: block; }
figcaption { color: var(--faint); font-size: .88rem; margin-top: .3rem; }
.blocks { margin-top: 1rem; display: grid; gap: .9rem; } .blocks > div { min-width: 0; }
fieldset { display: none; border: 0; margin: 0; padding: 0; min-width: 0; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (max-width: 1099px) {
  .columns { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@media screen and (max-width: 799px) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  table .first { width: 42%; }
  @supports selector(:has(a)) {
    fieldset { display: flex; position: sticky; top: 0; z-index: 1; gap: .3rem; background: var(--paper);
      padding: .5rem 0; border-bottom: 1px solid var(--line); margin-top: 1rem; }
    fieldset label { flex: 1; text-align: center; padding: .55rem .2rem; border: 1px solid var(--line);
      border-radius: 6px; font-size: .9rem; cursor: pointer; }
    fieldset label:has(:checked) { background: var(--ink); color: var(--paper); border-color: var(--ink); }
    fieldset label:has(:focus-visible) { outline: 2px solid var(--link); outline-offset: 2px; }
    body:has(#show-numpy:checked) .of:not(.numpy), body:has(#show-pytorch:checked) .of:not(.pytorch),
    body:has(#show-keras:checked) .of:not(.keras), body:has(#show-jax:checked) .of:not(.jax) { display: none; }
    article { scroll-margin-top: 3.5rem; }
  }
}
@media print { article { break-before: page; } }
"""
