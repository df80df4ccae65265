"""The result of a lesson: what each framework returned, and whether the frameworks agree."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from backends.registry import REFERENCE, about, framework_backends

FRAMEWORKS = (REFERENCE, *framework_backends())
"""Those in which lessons are written."""


@dataclass(frozen=True)
class FrameworkResult:
    """The result of one lesson in one framework.

    Attributes:
        framework: ``numpy``, ``pytorch``, ``keras`` or ``jax``.
        versions: version numbers of the packages that the code imports; of the framework first.
        source: the code that ran.
        status: ``ok``; ``missing`` if the framework is not installed; ``failed`` if it raised, died or took too long.
        message: one line that says what to install or what went wrong; empty if the status is ``ok``.
        outputs: by name: numbers, strings, booleans and nested lists of these.
        seconds: how long the lesson took, including the framework's import if this lesson was the first.
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
        """What the code is written in, as people write it: ``PyTorch``; ``TensorFlow`` where it uses no Keras."""
        main = next(iter(self.versions), "")
        return {"tensorflow": "TensorFlow", "flax": "Flax"}.get(main, about(self.framework).label)


@dataclass(frozen=True)
class Agreement:
    """Whether the frameworks agree on one output.

    Attributes:
        output: name of the output.
        verdict: ``agree``; ``differ`` if the lesson says that they may, and ``alike`` if they do not nevertheless;
            ``disagree``, which is an error; ``alone`` if only one framework ran.
        largest_difference: largest difference of any framework from the first; None for an output without numbers.
        text: why they differ, or what is wrong.
    """

    output: str
    verdict: Literal["agree", "alike", "differ", "disagree", "alone"]
    largest_difference: float | None
    text: str


@dataclass(frozen=True)
class LessonResult:
    """The result of a lesson.

    Attributes:
        name: name of the lesson, as on the command line.
        title: one line.
        about: what is learned.
        note: what differs between the frameworks, and why.
        shared_source: code of the constants and helpers that all frameworks use.
        columns: one per framework, in the order NumPy, PyTorch, Keras, JAX.
        verdicts: one per output.
    """

    name: str
    title: str
    about: str
    note: str
    shared_source: str
    columns: tuple[FrameworkResult, ...]
    verdicts: tuple[Agreement, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """A line for each framework that failed and each output that disagrees. A missing framework is no failure."""
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
