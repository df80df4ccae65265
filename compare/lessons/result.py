"""What a lesson gave: the columns of the frameworks, and whether they agree."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from backends.registry import about


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

    @property
    def label(self) -> str:
        """The framework's name as people write it: ``PyTorch``."""
        return about(self.framework).label


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
