"""The reference's evidence: which computations it needs, and where it is kept from run to run."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, load_file

from backends import REFERENCE
from backends.numpy.noise import ROUNDINGS
from compare.certify.judge import Reference, measure_noise
from compare.folders import cache
from compare.records.cell import Cell
from compare.records.event import EvidenceSummary
from compare.records.request import Copy, EvidenceRequest
from tasks import load_task
from tasks.files import TEMPORARY, write_whole
from tasks.schedules import CONSTANT
from tasks.training import Adam

SOURCES = (
    "tasks/*.py",
    "tasks/layers/*.py",
    "backends/base.py",
    "backends/numpy/*.py",
    "compare/certify/distance.py",
    "compare/certify/judge.py",
    "compare/certify/reference.py",
    "compare/records/quantity.py",
    "compare/worker/evidence.py",
)
"""What the reference's evidence depends on besides the request; a change of these makes what was kept stale."""
UNFINISHED_SECONDS = 3600.0
"""After so long an unfinished file in the cache belongs to no process that still writes it."""
ROOT = Path(__file__).parent.parent.parent


def requests_for(cell: Cell, folder: Path, data: str | None) -> list[EvidenceRequest]:
    """The computations of the reference for a cell's task, recipe and seed, which are independent of each other.

    The first is exact, in float64. The others are the copies in float32 that measure the noise: with each of the
    roundings and, for Adam, once more with the optimizer's scalars in float64.

    Args:
        cell: of any backend.
        folder: where the files are written.
        data: a data file in place of the task's own data.
    """
    reference_cell = cell.on(REFERENCE, "tuned", "cpu")
    adam = isinstance(load_task(cell.task, cell.recipe).recipe.optimizer, Adam)
    dtypes: tuple[Literal["float32", "mixed"], ...] = ("float32", "mixed") if adam else ("float32",)
    exact = (Copy(path=str(folder / "float64.0.safetensors"), dtype="float64", with_sizes=True),)
    noisy = [
        tuple(
            Copy(path=str(folder / f"{dtype}.{seed}.safetensors"), dtype=dtype, nudge_seed=seed, rounding=rounding)
            for seed, rounding in enumerate(ROUNDINGS)
        )
        for dtype in dtypes
    ]
    return [EvidenceRequest(cell=reference_cell, data=data, copies=copies) for copies in (exact, *noisy)]


def reference_key(cell: Cell, data: str | None) -> str:
    """The hash of everything that the reference's evidence follows from."""
    digest = hashlib.sha256()
    request: list[object] = [cell.task, cell.recipe, cell.seed, cell.batch_size, cell.learning_rate]
    if load_task(cell.task, cell.recipe).recipe.schedule != CONSTANT:
        request += [cell.epochs, cell.examples]  # the learning rate of a step depends on the length of the run
    digest.update(json.dumps(request).encode())
    digest.update(version("numpy").encode())
    if data:
        digest.update(Path(data).read_bytes())
    for pattern in SOURCES:
        sources = sorted(ROOT.glob(pattern))
        if not sources:  # a file has moved: what was kept would never become stale
            raise FileNotFoundError(f"no source of the reference matches {pattern}")
        for source in sources:
            digest.update(source.read_bytes())
    return digest.hexdigest()


def load_kept(key: str) -> Reference | None:
    """The reference that an earlier run kept; None where there is none, or where its checksum is not right."""
    arrays, summary = _files(key)
    try:
        kept = json.loads(summary.read_text())
        evidence, content = arrays.read_bytes(), kept["content"]
        if kept["sha256"] != _checksum(evidence, content):
            return None
        return Reference(load(evidence), content["noise"], EvidenceSummary.model_validate(content["summary"]))
    except (OSError, ValueError, TypeError, KeyError, ValidationError, SafetensorError):
        return None


def assemble(requests: Sequence[EvidenceRequest], summaries: Sequence[EvidenceSummary]) -> Reference:
    """The reference from the files that the requests named, and the replies' summaries."""
    exact, *noisy = requests
    evidence = load_file(exact.copies[0].path)
    noise = measure_noise(evidence, (load_file(copy.path) for request in noisy for copy in request.copies))
    return Reference(evidence, noise, summaries[1])


def keep(key: str, requests: Sequence[EvidenceRequest], reference: Reference) -> None:
    """Keeps the reference for later runs. Raises OSError where it cannot be written."""
    arrays, summary = _files(key)
    arrays.parent.mkdir(parents=True, exist_ok=True)
    for path in arrays.parent.glob(f".*{TEMPORARY}"):  # a process was killed while it wrote
        if time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
            path.unlink(missing_ok=True)
    evidence = Path(requests[0].copies[0].path).read_bytes()
    content = {"noise": reference.noise, "summary": reference.summary.model_dump()}
    write_whole(arrays, evidence)
    write_whole(summary, json.dumps({"content": content, "sha256": _checksum(evidence, content)}).encode())


def _checksum(evidence: bytes, content: Mapping[str, object]) -> str:
    return hashlib.sha256(evidence + json.dumps(content, sort_keys=True).encode()).hexdigest()


def _files(key: str) -> tuple[Path, Path]:
    path = cache().path / "reference" / key
    return path.with_suffix(".safetensors"), path.with_suffix(".json")
