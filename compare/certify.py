"""Makes the certificates of a run: each backend's evidence against the reference's, which is computed once and kept."""

import hashlib
import itertools
import json
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs
from safetensors import SafetensorError
from safetensors.numpy import load, load_file

from backends import REFERENCE
from backends.numpy.noise import ROUNDINGS
from compare import parity
from compare.parity import Evidence, Noise
from compare.plan import Cell
from compare.process import run_worker
from compare.results import Certificate, Pair
from tasks import load_task
from tasks.errors import SideBySideError
from tasks.files import write_whole
from tasks.training import Adam

ROOT = Path(__file__).parent.parent
SOURCES = ("tasks/*.py", "backends/base.py", "backends/numpy/*.py", "compare/evidence.py", "compare/parity.py")
"""What the reference's evidence depends on besides the request; a change of these makes what was kept stale."""


class ReferenceFailedError(SideBySideError):
    """The reference itself could not be computed."""


class Reference(NamedTuple):
    """The reference's evidence in float64, the noise of float32, and the hashes and counts of what it held."""

    evidence: Evidence
    noise: Noise
    facts: dict[str, Any]


class Certifier:
    """The certificates of one run.

    Args:
        make_request: makes a worker's request for a cell; keyword arguments replace its fields.
        note: is told in one line what takes time.
    """

    def __init__(self, make_request: Callable[..., dict[str, Any]], note: Callable[[str], None]) -> None:
        self._make_request = make_request
        self._note = note
        self._folder = tempfile.TemporaryDirectory(prefix="sidebyside-", ignore_cleanup_errors=True)
        self._paths: dict[tuple[str, ...], Path] = {}
        self._reference: tuple[tuple[str, str, int], Reference] | None = None
        self.certificates: list[Certificate] = []

    def close(self) -> None:
        """Removes the evidence."""
        self._folder.cleanup()

    def failed(self, cell: Cell) -> None:
        """Notes that a cell gave no evidence: the next of its subject is asked for it."""
        self._paths.pop(cell.subject, None)

    def evidence_path(self, cell: Cell) -> str | None:
        """The file for a cell's evidence; None where the cell's subject has given evidence already."""
        if cell.subject in self._paths:
            return None
        self._paths[cell.subject] = Path(self._folder.name) / f"{cell.name}.safetensors"
        return str(self._paths[cell.subject])

    def certify(self, cell: Cell, facts: dict[str, Any]) -> Certificate:
        """Judges the evidence that a cell's worker has written.

        Args:
            facts: what :func:`compare.evidence.gather` returned in the worker.
        """
        reference = self._reference_of(cell)
        subject = {**dict(zip(("task", "recipe", "backend", "mode", "device"), cell.subject, strict=True))}
        certificate = parity.judge(
            {**subject, "seed": cell.seed},
            facts,
            load_file(self._paths[cell.subject]),
            reference.evidence,
            reference.noise,
            reference.facts,
        )
        self.certificates.append(certificate)
        return certificate

    def pairs(self) -> list[Pair]:
        """The distance of each two subjects of the same task and recipe."""
        pairs = []
        groups: dict[tuple[str, str], dict[str, Path]] = {}
        for c in (certificate for certificate in self.certificates if certificate.granted):
            path = self._paths[c.task, c.recipe, c.backend, c.mode, c.device]
            groups.setdefault((c.task, c.recipe), {})[f"{c.backend} {c.mode} {c.device}"] = path
        for (task, recipe), paths in groups.items():
            pairs += parity.compare_pairs({label: load_file(path) for label, path in paths.items()}, task, recipe)
        return pairs

    def _reference_of(self, cell: Cell) -> Reference:
        key = (cell.task, cell.recipe, cell.seed)
        if self._reference is None or self._reference[0] != key:  # one at a time: they are large
            self._reference = (key, self._load_or_compute(cell))
        return self._reference[1]

    def _load_or_compute(self, cell: Cell) -> Reference:
        """The reference, from the folder of those that are kept or computed."""
        reference_cell = replace(cell, backend=REFERENCE, mode="tuned", device="cpu")
        request = self._make_request(reference_cell, train=False)
        kept = platformdirs.user_cache_path("sidebyside") / "reference" / _key(request)
        arrays, facts = kept.with_suffix(".safetensors"), kept.with_suffix(".json")
        try:
            return Reference(load(arrays.read_bytes()), **json.loads(facts.read_text()))
        except (OSError, ValueError, TypeError, SafetensorError):
            pass  # not kept, or not whole: computed anew
        self._note(f"computing the reference of {cell.task} (kept for later runs)")
        dtypes = ["float64", "float32"]
        if isinstance(load_task(cell.task, cell.recipe).recipe.optimizer, Adam):
            dtypes.append("mixed")
        with ThreadPoolExecutor(2) as pool:  # on half of the cores each; nothing is on the clock now
            computed = list(pool.map(partial(self._compute, request), dtypes, itertools.count()))
        ((exact,), _), (_, found), *_ = computed
        in_float32 = [path for paths, _ in computed[1:] for path in paths]
        reference = Reference(
            load_file(exact), parity.measure_noise(load_file(exact), map(load_file, in_float32)), found
        )
        try:
            arrays.parent.mkdir(parents=True, exist_ok=True)
            write_whole(arrays, exact.read_bytes())
            write_whole(facts, json.dumps({"noise": reference.noise, "facts": reference.facts}).encode())
        except OSError as error:
            self._note(f"the reference cannot be kept ({error.strerror}: {arrays.parent})")
        return reference

    def _compute(self, request: dict[str, Any], dtype: str, index: int) -> tuple[list[Path], dict[str, Any]]:
        """Computes the reference's evidence in one precision; returns a file for each copy, and the facts."""
        copies = 1 if dtype == "float64" else len(ROUNDINGS)
        half = max(1, request["threads"] // 2)
        request = {**request, "dtype": dtype, "threads": half, "first_core": index % 2 * half}
        paths = [Path(self._folder.name) / f"reference.{dtype}.{copy}.safetensors" for copy in range(copies)]
        result = run_worker({**request, "evidence": list(map(str, paths))})
        if result["status"] != "ok":
            raise ReferenceFailedError(f"the reference of {request['cell']['task']} failed: {result['message']}")
        return paths, result["evidence"]


def _key(request: dict[str, Any]) -> str:
    """The hash of all that the reference's evidence follows from."""
    digest = hashlib.sha256()
    cell = request["cell"]
    digest.update(json.dumps([cell["task"], cell["recipe"], cell["seed"]]).encode())
    digest.update(version("numpy").encode())
    if request["data"]:
        digest.update(Path(request["data"]).read_bytes())
    for pattern in SOURCES:
        for source in sorted(ROOT.glob(pattern)):
            digest.update(source.read_bytes())
    return digest.hexdigest()
