"""Which default a backend was left with: the one with which the reference becomes the backend's own model."""

from collections.abc import Callable, Sequence
from itertools import combinations

from safetensors.numpy import load_file

from backends import REFERENCE
from backends.default import Default, with_all
from backends.registry import about, defaults, framework_backends
from compare.certify.judge import Evidence, Reference, judge
from compare.certify.reference import assemble, requests_for, second_requests_for, with_more_copies
from compare.executors.base import Executor
from compare.folders import Scratch
from compare.records.cell import Cell
from compare.records.certificate import Certificate
from compare.records.effect import Cause, Diagnosis
from compare.records.event import EvidenceSummary
from compare.records.quantity import Quantity
from compare.records.request import CellRequest, EvidenceRequest, Turned
from compare.text import clean, task_label
from tasks import load_task
from tasks.errors import SideBySideError
from tasks.task import Recipe

GIVEN = ("initial weights", "order of the examples", "last batch")
"""Defaults that cannot be met with: a certificate gives every backend its initial weights and its batches."""
MOST_PAIRS = 60
"""Pairs that are tried, the most likely first: each costs as much as a certificate."""
Turn = tuple[str, Default]
"""A framework, and a default of it."""
Compute = Callable[[Sequence[Turn]], Reference]
"""Computes the reference with some defaults turned on."""


class DiagnosisError(SideBySideError):
    """A backend, or the reference, gave no evidence; the message says why."""


def diagnose(cell: Cell, executor: Executor, note: Callable[[str], None] = lambda text: None) -> Diagnosis:
    """Certifies a backend's model and, where it is refused, looks for the default that explains it.

    Args:
        cell: of the backend and the task.
        executor: starts the workers.
        note: is told what is tried.

    Raises:
        DiagnosisError: the backend or the reference gave no evidence.
    """
    task = load_task(cell.task, cell.recipe).with_learning_rate(cell.learning_rate)
    with Scratch() as folder:
        file = folder / "evidence.safetensors"
        reply = executor.ask(cell.backend, CellRequest(cell=cell, train=False, evidence=str(file)))
        if reply.evidence is None:
            raise DiagnosisError(f"{cell.backend}: {reply.message or reply.status}")
        summary, evidence = reply.evidence, load_file(file)

        def compute(turns: Sequence[Turn]) -> Reference:
            note(f"computing the reference{f' with {_names(turns)}' if turns else ''}")
            turned = tuple(Turned(framework=framework, name=default.name) for framework, default in turns)

            def answered(requests: Sequence[EvidenceRequest]) -> tuple[list[EvidenceRequest], list[EvidenceSummary]]:
                asked = [request.model_copy(update={"turned": turned}) for request in requests]
                return asked, _answers(executor, asked)

            reference = assemble(*answered(requests_for(cell, folder, None)))
            if not _judged(cell, summary, evidence, reference).may_be_rounding:
                return reference
            return with_more_copies(reference, answered(second_requests_for(cell, folder, None))[0])

        return find_causes(cell, task.recipe, (evidence, summary), compute)


def find_causes(cell: Cell, recipe: Recipe, gathered: tuple[Evidence, EvidenceSummary], compute: Compute) -> Diagnosis:
    """The diagnosis from a backend's evidence.

    Args:
        cell: that gave the evidence.
        recipe: of its task.
        gathered: the evidence, and its summary.
        compute: computes the reference with some defaults turned on.
    """
    evidence, summary = gathered
    aligned = judge(cell, summary, evidence, compute([]))
    diagnosis = Diagnosis(
        task=cell.task, recipe=cell.recipe, backend=cell.backend, granted=aligned.granted, failure=aligned.failure
    )
    if aligned.granted or aligned.failure.startswith("hash of"):
        return diagnosis
    tried, passed = 0, {}
    singles = candidates(recipe)
    for turn in singles:
        certificate = _judged(cell, summary, evidence, compute([turn]))
        tried += 1
        if certificate.granted:
            return diagnosis.model_copy(update={"causes": [_cause(turn)], "tried": tried})
        passed[_names([turn])] = sum(distance.passed for distance in certificate.distances)
    pairs = [pair for pair in combinations(singles, 2) if pair[0][1].name != pair[1][1].name]
    for pair in sorted(pairs, key=lambda pair: -sum(passed[_names([turn])] for turn in pair))[:MOST_PAIRS]:
        tried += 1
        if _judged(cell, summary, evidence, compute(pair)).granted:
            first, second = sorted(pair, key=lambda turn: -passed[_names([turn])])
            return diagnosis.model_copy(update={"causes": [_cause(first), _cause(second)], "tried": tried})
    return diagnosis.model_copy(update={"tried": tried})


def candidates(recipe: Recipe) -> list[Turn]:
    """The defaults of all frameworks that make another recipe, each recipe once."""
    found: dict[str, Turn] = {}
    for framework in framework_backends():
        for default in defaults(framework):
            changed = with_all(recipe, [default])
            if default.name not in GIVEN and changed != recipe:
                found.setdefault(repr(changed), (framework, default))
    return list(found.values())


def diagnosis_lines(diagnosis: Diagnosis) -> list[str]:
    """The diagnosis in sentences."""
    what = task_label(clean(diagnosis.task), clean(diagnosis.recipe))
    if diagnosis.granted:
        return [
            f"{diagnosis.backend} has the model of {what}: its certificate is granted, so there is nothing to explain."
        ]
    said = [f"{diagnosis.backend} does not train the model of {what}. First to differ: {clean(diagnosis.failure)}."]
    if diagnosis.failure.startswith("hash of"):
        held = diagnosis.failure.removeprefix("hash of the ")
        return [*said, f"It does not hold the {held} that it was given: it draws, or orders, by itself."]
    if not diagnosis.causes:
        return [*said, f"None of the {diagnosis.tried} known defaults, and pairs of them, that were tried explains it."]
    for cause in diagnosis.causes:
        change = f" To change it: {cause.where}." if cause.where else ""
        said.append(f"Explained by: {cause.name}, as {about(cause.framework).label} has it. {cause.cause}{change}")
    with_them = "it" if len(diagnosis.causes) == 1 else "both"
    return [*said, f"With {with_them} in the reference, the certificate is granted."]


def _judged(cell: Cell, summary: EvidenceSummary, evidence: Evidence, reference: Reference) -> Certificate:
    """The certificate over what the backend has: a default may add a layer, whose outputs it does not know."""
    known = {part.text for text in evidence for part in Quantity.of(text).parts}
    shared = tuple(name for name in reference.summary.quantities if name in known)
    held = reference.summary.model_copy(update={"quantities": shared})
    return judge(cell, summary, evidence, reference._replace(summary=held))


def _answers(executor: Executor, requests: Sequence[EvidenceRequest]) -> list[EvidenceSummary]:
    replies = executor.ask_all(REFERENCE, requests)
    for reply in replies:
        if reply.evidence is None:
            raise DiagnosisError(f"the reference failed: {reply.message}")
    return [reply.evidence for reply in replies if reply.evidence is not None]


def _cause(turn: Turn) -> Cause:
    framework, default = turn
    return Cause(framework=framework, name=default.name, cause=default.cause, where=default.where)


def _names(turns: Sequence[Turn]) -> str:
    return " and ".join(f"{default.name} as {about(framework).label} has it" for framework, default in turns)
