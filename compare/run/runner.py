"""Runs cells, each in a process of its own, and writes what comes of them."""

import hashlib
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import backends
from backends.base import Setting
from compare import host
from compare.certify import reference
from compare.certify.certificates import Certificates
from compare.certify.judge import Reference
from compare.executors.base import Executor
from compare.records.cell import Cell
from compare.records.certificate import Certificate
from compare.records.event import EpochEnd, EvidenceSummary, Measured, Phase, Reply
from compare.records.request import CellRequest, EvidenceRequest
from compare.records.results import Results
from compare.records.run import Run
from compare.run.options import RunOptions
from compare.run.progress import Progress
from compare.run.store import now, write_results
from tasks.errors import SideBySideError


class ReferenceFailedError(SideBySideError):
    """The reference itself could not be computed."""


class Runner:
    """Runs the cells of one comparison.

    Args:
        options: of the run.
        folder: the folder that is written.
        executor: starts the workers.
        progress: is told how the run goes on.
        command: how to repeat the run, for the report.
        train: whether to train and measure; otherwise the cells are only certified.
    """

    def __init__(
        self,
        options: RunOptions,
        folder: Path,
        executor: Executor,
        progress: Progress,
        *,
        command: str = "",
        train: bool = True,
    ) -> None:
        self.options = options
        self.folder = folder
        self.executor = executor
        self.progress = progress
        self.command = command
        self.train = train
        self.data = None if options.data_file is None else str(options.data_file)
        self._reference: tuple[str, Reference] | None = None  # one at a time: they are large

    def run(self, cells: Sequence[Cell], earlier: Results | None = None) -> Results:
        """Runs the cells one after the other; ``results.json`` is written anew after each.

        Args:
            cells: in the order in which they are run.
            earlier: results to continue: cells that are ok in them are not run again, and their command is kept.

        Raises:
            SideBySideError: the earlier results are of another machine, thread budget, learning rate or data set.

        Returns:
            what was written. After a KeyboardInterrupt, which is raised again, the file holds what was done.
        """
        results = self._begin(cells, earlier)
        done = {run.cell for run in results.runs if run.status == "ok"}
        pending = [cell for cell in cells if cell not in done]
        with tempfile.TemporaryDirectory(prefix="sidebyside-", ignore_cleanup_errors=True) as scratch:
            certificates = Certificates(Path(scratch))
            try:
                for index, cell in enumerate(pending):
                    self.progress.started(cell, index, len(pending))
                    run, certificate = self._run_cell(cell, certificates)
                    results = _with(results, run, certificate)
                    write_results(self.folder, results)
                    self.progress.ended(cell, run, certificate)
            except KeyboardInterrupt:
                if cell not in [run.cell for run in results.runs]:
                    run = Run(**cell.model_dump(), status="interrupted", message="interrupted by the user")
                    results = _with(results, run, None)
                raise
            finally:
                results = results.model_copy(update={"pairs": certificates.pairs() or results.pairs})
                write_results(self.folder, results)
        return results

    def _begin(self, cells: Sequence[Cell], earlier: Results | None) -> Results:
        """The results before the first cell, written into the folder."""
        settings = self.options.settings()
        if self.data and Path(self.data).is_file():
            settings["data_sha256"] = hashlib.sha256(Path(self.data).read_bytes()).hexdigest()
        if earlier:
            _check_comparable(earlier, settings)
        results = earlier or Results(created=now(), host=host.describe_host())
        kept = [run for run in results.runs if run.status == "ok" or run.cell not in cells]
        command = results.command or self.command
        results = results.model_copy(update={"command": command, "settings": settings, "runs": kept})
        for name in ("arrays", *(["models"] if self.options.save_models else [])):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        write_results(self.folder, results)
        return results

    def _run_cell(self, cell: Cell, certificates: Certificates) -> tuple[Run, Certificate | None]:
        message = backends.missing(cell.backend)
        if message is None and cell.mode not in backends.modes(cell.backend):
            message = f"{cell.backend} has no {cell.mode} loop"
        if message:
            return Run(**cell.model_dump(), status="skipped", message=message), None
        path = certificates.evidence_path(cell) if self.options.certify else None
        run, evidence = self._ask(cell, path)
        if path is None:
            return run, None
        if evidence is None:
            certificates.failed(cell)
            return run, None
        try:
            return run, certificates.certify(cell, evidence, self._reference_of(cell, path.parent))
        except ReferenceFailedError as error:
            self.progress.note(str(error))
            certificates.failed(cell)
            return run, None

    def _ask(self, cell: Cell, evidence: Path | None) -> tuple[Run, EvidenceSummary | None]:
        """Has the cell done by a worker; returns the run and the summary of its evidence."""
        measured: list[Run] = []

        def listen(event: Phase | EpochEnd | Measured) -> None:
            if isinstance(event, Measured):
                measured.append(event.run)
            else:
                self.progress.event(cell, event)

        request = CellRequest(
            cell=cell,
            learning_rate=self.options.learning_rate,
            data=self.data,
            train=self.train,
            arrays=str(self.folder / "arrays" / f"{cell.file_name}.safetensors"),
            model=str(self.folder / "models" / f"{cell.file_name}.safetensors") if self.options.save_models else None,
            evidence=None if evidence is None else str(evidence),
        )
        wall, processor = time.perf_counter(), time.process_time()
        reply = self.executor.ask(cell.backend, request, listen, self.options.timeout)
        if reply.status == "timeout":
            reply = reply.model_copy(update={"message": f"{reply.message}; allow more with --timeout"})
        share = (time.process_time() - processor) / (time.perf_counter() - wall)
        run = _run_of(cell, reply, measured[-1] if measured else None)
        return run.model_copy(update={"runner_cpu_share": share, "compile_cache": self._cache(cell)}), reply.evidence

    def _cache(self, cell: Cell) -> Literal["empty", "filled", "kept"]:
        """What the compilers find: of several rounds, the first begins with an empty cache and fills it."""
        if self.options.rounds == 1:
            return "kept"
        return "empty" if cell.round == 0 else "filled"

    def _reference_of(self, cell: Cell, scratch: Path) -> Reference:
        """The reference for a cell: the one in memory, one that an earlier run kept, or a new one."""
        key = reference.reference_key(cell, self.data, self.options.learning_rate)
        if self._reference is None or self._reference[0] != key:
            found = reference.load_kept(key) or self._compute_reference(cell, key, scratch)
            self._reference = (key, found)
        return self._reference[1]

    def _compute_reference(self, cell: Cell, key: str, scratch: Path) -> Reference:
        self.progress.note(f"computing the reference of {cell.task} (kept for later runs)")
        requests = reference.requests_for(cell, scratch, self.data, self.options.learning_rate)
        with ThreadPoolExecutor(2) as pool:  # on half of the cores each; nothing is on the clock now
            summaries = list(pool.map(self._compute_evidence, requests, range(len(requests))))
        computed = reference.assemble(requests, summaries)
        try:
            reference.keep(key, requests, computed)
        except OSError as error:
            self.progress.note(f"the reference cannot be kept ({error.strerror}: {error.filename})")
        return computed

    def _compute_evidence(self, request: EvidenceRequest, index: int) -> EvidenceSummary:
        reply = self.executor.part(index % 2, 2).ask(backends.REFERENCE, request)
        if reply.evidence is None:
            raise ReferenceFailedError(f"the reference of {request.cell.task} failed: {reply.message}")
        return reply.evidence


def _run_of(cell: Cell, reply: Reply, measured: Run | None) -> Run:
    """The run that a reply comes to. What had been measured stands, even if the certificate failed afterwards."""
    if measured is not None and reply.status != measured.status:
        return measured.model_copy(update={"message": f"measured, but not certified: {reply.message}"})
    return reply.run or Run(**cell.model_dump(), status=reply.status, message=reply.message)


def _with(results: Results, run: Run, certificate: Certificate | None) -> Results:
    """The results with one more run, and with its subject's certificate in place of an earlier one."""
    certificates = results.certificates
    if certificate is not None:
        certificates = [c for c in certificates if c.subject != certificate.subject] + [certificate]
    return results.model_copy(update={"runs": [*results.runs, run], "certificates": certificates})


def _check_comparable(earlier: Results, settings: dict[str, Setting]) -> None:
    """Refuses to mix cells of another machine, thread budget, learning rate or data set into one comparison."""
    here = host.describe_host()
    for then, now_, names in (
        (earlier.host, here, ("cpu", "cores", "python")),
        (earlier.settings, settings, ("threads", "learning_rate", "data_sha256")),
    ):
        for name in names:
            if then.get(name) != now_.get(name):
                raise SideBySideError(
                    f"the earlier run had {name} {then.get(name)}, this one has {now_.get(name)}:"
                    " make it the same, or begin a new run"
                )
