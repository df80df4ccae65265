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
from safetensors.numpy import load, load_file, save

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
from tasks.task import Recipe
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
AGAIN = 12
"""Further copies of the reference, computed before a backend is refused by a figure that rounding may have made."""
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


def second_requests_for(cell: Cell, folder: Path, data: str | None) -> list[EvidenceRequest]:
    """More float32 copies, from parameters that are moved otherwise: may rounding have led a backend there after all?

    Arguments as those of :func:`requests_for`. Where training is unstable, each copy shows a rounding error that has
    grown; of one run in a hundred, the error is several times as large as the largest of the first few copies'.
    """
    copies = further_copies(folder, "again", load_task(cell.task, cell.recipe).recipe)
    reference_cell = cell.on(REFERENCE, "tuned", "cpu")
    return [EvidenceRequest(cell=reference_cell, data=data, copies=part) for part in (copies[::2], copies[1::2])]


def further_copies(
    folder: Path, name: str, recipe: Recipe, first: int = len(ROUNDINGS), count: int = AGAIN
) -> tuple[Copy, ...]:
    """Float32 copies from other parameters than the first ones'; the roundings in turn, larger and larger.

    Those of a second look are two to five times as large. An input of a ReLU behind a normalization may be as far off
    as that: the normalization divides a small difference.

    Args:
        folder: for what is computed.
        name: the beginning of the files' names.
        recipe: of the task.
        first: the seed of the first copy; the next ones follow.
        count: of the copies.
    """
    adam = isinstance(recipe.optimizer, Adam)
    return tuple(
        Copy(
            path=str(folder / f"{name}.{seed}.safetensors"),
            dtype="mixed" if adam and seed % 2 else "float32",
            nudge_seed=seed,
            rounding=(1 + seed // len(ROUNDINGS)) * ROUNDINGS[seed % len(ROUNDINGS)],
        )
        for seed in range(first, first + count)
    )


def reference_key(cell: Cell, data: str | None) -> str:
    """The hash of everything that the reference's evidence follows from."""
    digest = hashlib.sha256()
    task = load_task(cell.task, cell.recipe)
    described = repr((task.recipe, task.source))
    request: list[object] = [cell.task, cell.recipe, described, cell.seed, cell.batch_size, cell.learning_rate]
    if task.recipe.schedule != CONSTANT:
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
        summary_of = EvidenceSummary.model_validate(content["summary"])
        return Reference(load(evidence), content["noise"], summary_of, content["again"])
    except (OSError, ValueError, TypeError, KeyError, ValidationError, SafetensorError):
        return None


def assemble(requests: Sequence[EvidenceRequest], summaries: Sequence[EvidenceSummary]) -> Reference:
    """The reference from the files that the requests named, and the replies' summaries."""
    exact, *noisy = requests
    evidence = load_file(exact.copies[0].path)
    noise = measure_noise(evidence, (load_file(copy.path) for request in noisy for copy in request.copies))
    return Reference(evidence, noise, summaries[1])


def with_more_copies(reference: Reference, requests: Sequence[EvidenceRequest]) -> Reference:
    """The reference with the noise of further copies, from the files that the requests named."""
    more = measure_noise(reference.evidence, (load_file(copy.path) for request in requests for copy in request.copies))
    noise = {
        name: (max(absolute, more[name][0]), max(relative, more[name][1]))
        for name, (absolute, relative) in reference.noise.items()
    }
    return reference._replace(noise=noise, again=True)


def keep(key: str, reference: Reference) -> None:
    """Keeps the reference for later runs. Raises OSError where it cannot be written."""
    arrays, summary = _files(key)
    arrays.parent.mkdir(parents=True, exist_ok=True)
    for path in arrays.parent.glob(f".*{TEMPORARY}"):  # a process was killed while it wrote
        if time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
            path.unlink(missing_ok=True)
    evidence = save(dict(reference.evidence))
    content = {"noise": reference.noise, "summary": reference.summary.model_dump(), "again": reference.again}
    write_whole(arrays, evidence)
    write_whole(summary, json.dumps({"content": content, "sha256": _checksum(evidence, content)}).encode())


def _checksum(evidence: bytes, content: Mapping[str, object]) -> str:
    return hashlib.sha256(evidence + json.dumps(content, sort_keys=True).encode()).hexdigest()


def _files(key: str) -> tuple[Path, Path]:
    path = cache().path / "reference" / key
    return path.with_suffix(".safetensors"), path.with_suffix(".json")
