"""Evidence of a sample: by the reference, by a faulty model, by a framework; and the certificate that it gets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

from backends.numpy.model import NumpyModel
from compare import parity
from compare.evidence import ROUNDINGS, gather
from compare.results import Certificate
from tasks.training import Adam
from tests.remote import RemoteBackend, task_of
from tests.samples import Sample

SUBJECT = {"task": "drawn", "recipe": "standard", "backend": "x", "mode": "tuned", "device": "cpu", "seed": 0}


@dataclass(frozen=True)
class Reference:
    """The evidence and the noise of the reference: what other evidence of a sample is judged by."""

    evidence: parity.Evidence
    noise: parity.Noise
    facts: dict[str, Any]


def make_reference(sample: Sample, folder: Path) -> Reference:
    exact, _ = numpy_evidence(NumpyModel, sample, folder, "float64")
    adam = isinstance(sample.recipe.optimizer, Adam)
    copies = [
        numpy_evidence(NumpyModel, sample, folder, dtype, nudge)
        for dtype in ("float32", *(["mixed"] if adam else []))
        for nudge in range(len(ROUNDINGS))
    ]
    return Reference(exact, parity.measure_noise(exact, [evidence for evidence, _ in copies]), copies[0][1])


def numpy_evidence(
    kind: type[NumpyModel], sample: Sample, folder: Path, dtype: Any = "float32", nudge: int = 0
) -> tuple[parity.Evidence, dict[str, Any]]:
    task = task_of(sample.recipe)
    model = kind(sample.recipe, task.parameters(0), "cpu", dtype)
    model.place(sample.dataset)
    path = folder / "numpy.safetensors"
    facts = gather(model, task, sample.dataset, 0, path, nudge, sizes=dtype == "float64")
    return {name: array.copy() for name, array in load_file(path).items()}, facts


def remote_evidence(
    remote: RemoteBackend, sample: Sample, folder: Path, *preparations: str, mode: Any = "tuned"
) -> tuple[parity.Evidence, dict[str, Any]]:
    task = task_of(sample.recipe)
    remote.build(task, task.parameters(0), mode=mode)
    for preparation in preparations:
        remote.call("apply", "tests.faults", preparation)
    remote.place(sample.dataset)
    path = folder / f"{remote.name}.safetensors"
    facts = remote.call("apply", "tests.faults", "gather", task, sample.dataset, 0, path)
    return load_file(path), facts


def judge(evidence: tuple[parity.Evidence, dict[str, Any]], reference: Reference) -> Certificate:
    arrays, facts = evidence
    return parity.judge(SUBJECT, facts, arrays, reference.evidence, reference.noise, reference.facts)
