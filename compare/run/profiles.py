"""Asks for the profiles of a run's rows, one after the other, when everything is measured."""

from collections.abc import Iterator, Sequence

from compare.executors.base import Executor
from compare.records.request import ProfileRequest
from compare.records.run import Run
from compare.run.options import RunOptions
from compare.run.progress import Progress
from compare.text import label


def profiled(runs: Sequence[Run], options: RunOptions, executor: Executor, progress: Progress) -> Iterator[Run]:
    """The first run of each row that lacks a profile, with it."""
    first = {run.subject: run for run in reversed(runs) if run.status == "ok"}
    for run in reversed(first.values()):
        if run.profile is not None or run.host != executor.name:
            continue
        progress.note(f"looking where the time of {label(run)} goes")
        request = ProfileRequest(
            cell=run.cell,
            data=None if options.data_file is None else str(options.data_file),
            formulation=str(run.settings.get("formulation", "")) or None,
        )
        reply = executor.ask(run.backend, request, timeout=options.timeout)
        if reply.profile is not None:
            yield run.model_copy(update={"profile": reply.profile})
        else:
            why = reply.message or f"{run.backend} has no profiler"
            progress.note(f"no profile of {label(run)}: {why}")
