"""Runs cells, each in a process of its own, and writes what comes of them."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import backends
from backends.base import Setting, usable_cores
from compare import measure
from compare.certify import Certifier, ReferenceFailedError
from compare.plan import Cell
from compare.process import run_worker
from compare.results import Certificate, Results, Run, now, write_results
from tasks.errors import SideBySideError


class Progress(Protocol):
    """Is told how a run goes on."""

    def started(self, cell: Cell, index: int, count: int) -> None: ...
    def event(self, cell: Cell, event: dict[str, Any]) -> None: ...
    def ended(self, cell: Cell, run: Run, certificate: Certificate | None) -> None: ...
    def note(self, text: str) -> None: ...


@dataclass(frozen=True)
class Options:
    """What holds for all cells of a run.

    Attributes:
        output: the folder that is written.
        threads: the thread budget of each worker.
        timeout: seconds that a cell may take; None for no limit.
        data: a data file in place of MNIST.
        train: whether to train and measure; otherwise the cells are only certified.
        certify: whether each task, backend, mode and device gets a certificate.
        save_models: whether the trained parameters are kept.
        compile_cache: a folder for the compilers' caches; None for the user's own, kept from run to run.
        command: as it was typed, for the report.
        settings: of the whole run, for the report.
    """

    output: Path
    threads: int = field(default_factory=usable_cores)
    timeout: float | None = None
    data: Path | None = None
    train: bool = True
    certify: bool = True
    save_models: bool = False
    compile_cache: Path | None = None
    command: str = ""
    settings: dict[str, Setting] = field(default_factory=dict)


def make_request(cell: Cell, options: Options, **replaced: Any) -> dict[str, Any]:
    """What a worker is asked to do; see :class:`compare.worker.CellWork`."""
    return {
        "cell": cell.as_dict(),
        "threads": options.threads,
        "first_core": 0,
        "dtype": "float32",
        "data": str(options.data) if options.data else None,
        "train": options.train,
        "arrays": None,
        "model": None,
        "evidence": [],
    } | replaced


def run_cells(cells: Sequence[Cell], options: Options, progress: Progress, earlier: Results | None = None) -> Results:
    """Runs the cells one after the other; ``results.json`` is written anew after each.

    Args:
        cells: in the order in which they are run.
        earlier: results to go on from: what ended well in them is not run again, and their command stays recorded.

    Raises:
        SideBySideError: the earlier results are of another machine, thread budget or data set.

    Returns:
        what was written. After a KeyboardInterrupt, which is raised again, the file holds what was done.
    """
    settings = options.settings | {"threads": options.threads}
    if options.data and options.data.is_file():
        settings["data_sha256"] = hashlib.sha256(options.data.read_bytes()).hexdigest()
    if earlier:
        _check_comparable(earlier, settings)
    results = earlier or Results(created=now(), host=measure.describe_host())
    results.command, results.settings = results.command or options.command, settings
    results.runs = [run for run in results.runs if run.status == "ok" or Cell.of(run.model_dump()) not in cells]
    done = {Cell.of(run.model_dump()) for run in results.runs if run.status == "ok"}
    pending = [cell for cell in cells if cell not in done]
    for folder in ("arrays", *(["models"] if options.save_models else [])):
        (options.output / folder).mkdir(parents=True, exist_ok=True)
    write_results(options.output, results)
    certifier = Certifier(lambda cell, **replaced: make_request(cell, options, **replaced), progress.note)
    try:
        for index, cell in enumerate(pending):
            progress.started(cell, index, len(pending))
            run, certificate = _run_cell(cell, options, progress, certifier)
            results.runs.append(run)
            if certificate is not None:
                results.certificates = [c for c in results.certificates if c.subject != certificate.subject]
                results.certificates.append(certificate)
            write_results(options.output, results)
            progress.ended(cell, run, certificate)
    except KeyboardInterrupt:
        if cell not in [Cell.of(run.model_dump()) for run in results.runs]:
            results.runs.append(Run(**cell.as_dict(), status="interrupted", message="interrupted by the user"))
        raise
    finally:
        results.pairs = certifier.pairs() or results.pairs
        certifier.close()
        write_results(options.output, results)
    return results


def _check_comparable(earlier: Results, settings: dict[str, Setting]) -> None:
    """Refuses to mix cells of another machine, thread budget or data set into one comparison."""
    here = measure.describe_host()
    for then, now_, names in (
        (earlier.host, here, ("cpu", "cores", "python")),
        (earlier.settings, settings, ("threads", "data_sha256")),
    ):
        for name in names:
            if then.get(name) != now_.get(name):
                raise SideBySideError(
                    f"the run to go on with had {name} {then.get(name)}, this one has {now_.get(name)}:"
                    " make it the same, or begin a new run"
                )


def cache_state(cell: Cell, options: Options) -> Literal["empty", "filled", "kept"]:
    """What the compilers find: of several rounds the first begins with an empty cache and fills it for the others."""
    if options.compile_cache is None:
        return "kept"
    return "empty" if cell.round == 0 else "filled"


def _run_cell(cell: Cell, options: Options, progress: Progress, certifier: Certifier) -> tuple[Run, Certificate | None]:
    if message := backends.missing(cell.backend):
        return Run(**cell.as_dict(), status="skipped", message=message), None
    if cell.mode not in backends.modes(cell.backend):
        return Run(**cell.as_dict(), status="skipped", message=f"{cell.backend} has no {cell.mode} loop"), None
    path = certifier.evidence_path(cell) if options.certify else None
    request = make_request(
        cell,
        options,
        arrays=str(options.output / "arrays" / f"{cell.name}.safetensors"),
        model=str(options.output / "models" / f"{cell.name}.safetensors") if options.save_models else None,
        evidence=[path] if path else [],
    )
    wall, processor = time.perf_counter(), time.process_time()
    result = run_worker(
        request,
        timeout=options.timeout,
        on_event=lambda event: progress.event(cell, event),
        compile_cache=options.compile_cache,
    )
    result["runner_cpu_share"] = (time.process_time() - processor) / (time.perf_counter() - wall)
    facts = result.pop("evidence", None)
    run = Run(**cell.as_dict(), **result, compile_cache=cache_state(cell, options))
    if facts is None:
        if path is not None:
            certifier.failed(cell)
        return run, None
    try:
        return run, certifier.certify(cell, facts)
    except ReferenceFailedError as error:
        progress.note(str(error))
        return run, None
