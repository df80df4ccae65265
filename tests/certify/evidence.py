"""Evidence of a sample: by the reference, by a faulty model, by a framework; and the certificate that it gets."""

from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

from backends.numpy.model import NumpyModel
from backends.numpy.noise import ROUNDINGS, NoisyModel
from compare.certify import judge as judging
from compare.certify.judge import Evidence, Reference
from compare.certify.reference import AGAIN
from compare.records.cell import Cell
from compare.records.certificate import Certificate
from compare.records.event import EvidenceSummary
from compare.records.request import Copy
from tasks.training import Adam
from tests.remote import RemoteBackend, task_of
from tests.samples import Sample
from tests.worker.gathering import gather

CELL = Cell(task="drawn", recipe="standard", backend="x", mode="tuned", device="cpu", seed=0, epochs=1)
Gathered = tuple[Evidence, EvidenceSummary]


def make_reference(sample: Sample, folder: Path, *, brief: bool = False, again: bool = False) -> Reference:
    """The reference for a sample; ``again``: with the noise of further copies, as before a run is refused."""
    exact, _ = numpy_evidence(NoisyModel, sample, folder, brief=brief, dtype="float64", with_sizes=True)
    adam = isinstance(sample.recipe.optimizer, Adam)
    roundings = [ROUNDINGS[seed % 3] for seed in range(3 + AGAIN if again else 3)]
    copies = [
        numpy_evidence(NoisyModel, sample, folder, brief=brief, dtype=dtype, nudge_seed=seed, rounding=rounding)
        for dtype in ("float32", *(["mixed"] if adam else []))
        for seed, rounding in enumerate(roundings)
    ]
    return Reference(exact, judging.measure_noise(exact, [evidence for evidence, _ in copies]), copies[0][1])


def numpy_evidence(
    kind: type[NumpyModel], sample: Sample, folder: Path, *, brief: bool = False, **copy: Any
) -> Gathered:
    """What a model of the reference's kind gives; ``copy``: with which arithmetic, see Copy; ``brief``: see gather."""
    task = task_of(sample.recipe)
    asked = Copy(path=str(folder / "numpy.safetensors"), **copy)
    noise = (asked.rounding, asked.nudge_seed) if issubclass(kind, NoisyModel) else ()
    model = kind(sample.recipe, task.parameters(0), "cpu", asked.dtype, *noise)
    model.place(sample.dataset)
    summary = gather(model, task, sample.dataset, CELL, asked, brief=brief)
    return {name: array.copy() for name, array in load_file(asked.path).items()}, summary


def remote_evidence(
    remote: RemoteBackend,
    sample: Sample,
    folder: Path,
    *preparations: str | tuple[str, str],
    mode: Any = "tuned",
    brief: bool = False,
    **build: Any,
) -> Gathered:
    task = task_of(sample.recipe)
    remote.build(task, task.parameters(0), mode=mode, **build)
    for preparation in preparations:
        where = ("tests.planted", preparation) if isinstance(preparation, str) else preparation
        remote.call("apply", *where)
    remote.place(sample.dataset)
    copy = Copy(path=str(folder / f"{remote.name}.safetensors"))
    summary = remote.call("apply", "tests.worker.gathering", "gather", task, sample.dataset, CELL, copy, brief=brief)
    return load_file(copy.path), summary


def judge_twice(
    gathered: Gathered, reference: Reference, sample: Sample, folder: Path, *, cell: Cell = CELL, **how: bool
) -> Certificate:
    """As a run does: before a refusal by what may be rounding, the reference computes more copies."""
    certificate = judge(gathered, reference, cell)
    return (
        judge(gathered, make_reference(sample, folder, again=True, **how), cell)
        if certificate.may_be_rounding
        else certificate
    )


def judge(gathered: Gathered, reference: Reference, cell: Cell = CELL) -> Certificate:
    evidence, summary = gathered
    return judging.judge(cell, summary, evidence, reference)
