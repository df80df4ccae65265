"""Runs cells, each in a process of its own, and keeps what comes of them."""

import hashlib
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from backends.registry import about
from compare.certify.certificates import Certificates
from compare.certify.curves import check_curves
from compare.executors.base import Executor
from compare.folders import Scratch
from compare.interrupts import check
from compare.records.cell import Cell
from compare.records.certificate import Certificate
from compare.records.event import EpochEnd, EvidenceSummary, Measured, Phase
from compare.records.request import CellRequest
from compare.records.results import Results
from compare.records.run import Run
from compare.run.formulations import Formulations
from compare.run.options import RunOptions
from compare.run.outcomes import MissingEvidenceError, run_of_reply, uncertified
from compare.run.plan import list_cells
from compare.run.profiles import profiled
from compare.run.progress import Progress
from compare.run.references import References
from compare.run.repeating import given_options
from compare.run.replays import Replays
from compare.run.resume import check_same, definitions, documents, model_file, pending, widened
from compare.run.store import Store
from compare.text import label, labels, without_paths
from tasks.errors import one_line


class Runner:
    """Runs the cells of one comparison.

    Args:
        options: of the run.
        store: the folder that is written.
        executor: starts the workers.
        progress: is told how the run goes on.
        command: how to repeat the run, for the report.
        train: whether to train and measure; otherwise the cells are only certified.
    """

    def __init__(
        self,
        options: RunOptions,
        store: Store,
        executor: Executor,
        progress: Progress,
        *,
        command: str = "",
        train: bool = True,
    ) -> None:
        self.options = options
        self.store = store
        self.executor = executor
        self.progress = progress
        self.command = command
        self.train = train
        self.data = None if options.data_file is None else str(options.data_file)
        self._references = References(options, executor, progress)
        self._formulations = Formulations(options, executor)
        self._replays = Replays(options, self._references)
        self._measured: Run | None = None

    def run(self, cells: Sequence[Cell]) -> Results:
        """Runs the cells one after the other, and keeps the outcome of each before the next.

        Of an earlier run in the folder, what is complete is not run again, and its command is kept.

        Args:
            cells: in the order in which they are run.

        Raises:
            DifferentRunError: the earlier run is of another machine, version, setting, data set or definition.
            StoreError: the folder cannot be written to; ``store.results`` holds what was done.
            KeyboardInterrupt: the folder holds what was done.

        Returns:
            what was written.
        """
        self.begin(cells)
        try:
            self.work(cells)
        finally:
            self.finish()
        return self.store.results

    def work(self, cells: Sequence[Cell]) -> None:
        """Runs cells of a run that has begun, those that lack something or were measured on another machine.

        Args:
            cells: of some of its tasks; no other runner has cells of these at the same time.
        """
        self._replays.begin(cells, self.store.results.runs)
        certificates = Certificates(self.store.folder / "evidence", self.store.results.certificates)
        waiting = pending(cells, self.options, self.store, self.executor.name)
        for index, cell in enumerate(waiting):
            try:
                self.progress.started(cell, index, len(waiting))
                run, certificate = self._run_cell(cell, certificates)
                if not self.options.include_host:
                    run = run.model_copy(update={"message": without_paths(run.message)})
            except KeyboardInterrupt:
                self._keep(self._interrupted(cell))
                raise
            self._keep(run, certificate)
            self.progress.ended(cell, run, certificate)
            check()
        tasks = {(cell.task, cell.recipe) for cell in cells}
        for run in self._replays.look_again(self.store.results.runs_of(tasks), self.executor):
            self.store.write_run(run)
        if self.options.profile:
            for run in profiled(self.store.results.runs_of(tasks), self.options, self.executor, self.progress):
                self.store.write_run(run)

    def finish(self) -> None:
        """Holds the runs' learning curves and the certified backends against each other, and writes the results."""
        results = self.store.results
        for run in check_curves(results.runs):
            self.store.write_run(run)
        pairs = Certificates(self.store.folder / "evidence").pairs(results.certificates, results.pairs)
        self.store.finish(pairs)

    def begin(self, cells: Sequence[Cell]) -> None:
        """Writes what is known before the first cell, if the earlier run allows it."""
        settings = self.options.settings() | {"threads": self.executor.threads}
        if self.data and Path(self.data).is_file():
            settings["data_sha256"] = hashlib.sha256(Path(self.data).read_bytes()).hexdigest()
        earlier = self.store.results
        name = {"name": platform.node()} if self.options.include_host and not self.executor.name else {}
        options = widened(earlier, self.options) if self.store.earlier else self.options
        head = earlier.model_copy(
            update={
                "command": self._command(earlier.command),
                "host": self.executor.describe() | name,
                "settings": settings,
                "options": given_options(options),
                "definitions": earlier.definitions | definitions(cells),
                "own_tasks": earlier.own_tasks | documents(cells),
            }
        )
        if self.store.earlier:
            check_same(earlier, head, cells, self.executor.versions)
        self.store.begin(head, cells)
        if options != self.options and (rest := set(pending(list_cells(options), options, self.store)) - set(cells)):
            self.progress.note(f"left out this time: {labels(rest)}; to run these too, resume with no other option")

    def _command(self, earlier: str) -> str:
        """How to repeat the run: the earlier run's command, and this one's where it asks for something else."""
        if not (earlier and self.command) or earlier.endswith(self.command):
            return earlier or self.command
        return f"{earlier}, then {self.command}"

    def _interrupted(self, cell: Cell) -> Run:
        """What is left of a cell that was interrupted: what had been measured stands."""
        run = self._measured
        if run is None or run.cell != cell:
            return Run(**cell.model_dump(), status="interrupted", message="interrupted by the user")
        run = uncertified(run, "interrupted") if self.options.certify else run
        return run.model_copy(update={"compile_cache": self._cache(cell)})

    def _keep(self, run: Run, certificate: Certificate | None = None) -> None:
        """Keeps a run, unless it failed where an earlier one had not."""
        earlier = self.store.run_of(run.cell)
        if earlier is not None and earlier.status == "ok" and run.status != "ok":
            self.progress.note(f"the earlier result of {label(run, seed=run.seed, round=run.round)} is kept")
            return
        self.store.write_run(run, certificate)

    def _run_cell(self, cell: Cell, certificates: Certificates) -> tuple[Run, Certificate | None]:
        """Whatever goes wrong with one cell is its own outcome: the others are run all the same."""
        if cell.mode not in about(cell.backend).modes_on(cell.device):
            lacking = f"{cell.backend} has no {cell.mode} loop"
            lacking += f" for several devices ({cell.device})" if cell.mode in about(cell.backend).modes else ""
            return Run(**cell.model_dump(), status="skipped", message=lacking), None
        if message := self.executor.missing(cell.backend):
            return Run(**cell.model_dump(), status="skipped", message=message), None
        path = certificates.evidence_path(cell) if self.options.certify else None
        try:
            with Scratch() as calls:
                run, evidence = self._ask(cell, path, calls)
        except Exception as error:
            certificates.failed(cell)
            return Run(**cell.model_dump(), status="crashed", message=one_line(error)), None
        if path is None:
            return run, None
        try:
            if evidence is None:
                raise MissingEvidenceError
            certificate = certificates.certify(cell, evidence, self._references.of(cell))
            if certificate.may_be_rounding:
                certificate = certificates.certify(cell, evidence, self._references.of(cell, again=True))
            return run, certificate
        except Exception as error:
            certificates.failed(cell)
            if isinstance(error, MissingEvidenceError) or run.status != "ok":
                return run, None
            return uncertified(run, one_line(error)), None

    def _ask(self, cell: Cell, evidence: Path | None, calls: Path) -> tuple[Run, EvidenceSummary | None]:
        """Has the cell done by a worker; returns the run and the summary of its evidence."""
        self._measured = None

        def listen(event: Phase | EpochEnd | Measured) -> None:
            if isinstance(event, Measured):
                self._measured = event.run
            else:
                self.progress.event(cell, event)

        request = CellRequest(
            cell=cell,
            own_randomness=self.options.own_randomness,
            data=self.data,
            train=self.train,
            arrays=str(self.store.folder / "arrays" / f"{cell.file_name}.safetensors"),
            model=str(model_file(self.store.folder, cell)) if self.options.save_models else None,
            evidence=None if evidence is None else str(evidence),
        )
        request = self._formulations.asked(request)
        if self.options.certify and self.train:
            request = self._replays.extended(request, calls)
        wall, processor = time.perf_counter(), time.process_time()
        reply = self.executor.ask(cell.backend, request, listen, self.options.timeout)
        if reply.status == "timeout":
            reply = reply.model_copy(update={"message": f"{reply.message}; allow more with --timeout"})
        share = (time.process_time() - processor) / (time.perf_counter() - wall)
        run = self._formulations.noted(run_of_reply(cell, reply, self._measured), request)
        known = {"runner_cpu_share": share, "compile_cache": self._cache(cell), "host": self.executor.name}
        run = run.model_copy(update=known)
        if request.calls and run.status == "ok" and reply.status == "ok":
            try:
                run = run.model_copy(update={"check": self._replays.check(run, reply.calls, calls)})
            except Exception as error:
                run = uncertified(run, one_line(error))
        return run, reply.evidence

    def _cache(self, cell: Cell) -> Literal["empty", "filled", "kept"]:
        """What the compilers find: of several rounds, the first begins with an empty cache and fills it."""
        if self.options.rounds == 1 or self.executor.compile_cache is None:
            return "kept"
        return "empty" if cell.round == 0 else "filled"
