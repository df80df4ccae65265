"""Looks where the time of a cell's steps goes, by the framework's own profiler: apart from the run, off the clock."""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Sequence

from backends import load_backend
from backends.about import Mode
from backends.kernels import Kernel, covered
from compare.records.event import Reply
from compare.records.profile import KernelTime, Profile
from compare.records.request import ProfileRequest
from compare.worker.evidence import load_cell_task
from tasks.batches import Batches

STEPS = 200
"""The most steps that are looked at; with few, the beginning of a call, such as Keras's fit, would count for much."""
LONGEST = 5
"""So many kernels are named."""
_NUMBER = re.compile(r"\.\d+$")
"""What XLA tells the kernels of one kind apart by."""


def profile_cell(request: ProfileRequest) -> Reply:
    """Builds the cell's model anew and trains it three times by a few steps, the last time under the profiler."""
    cell = request.cell
    backend = load_backend(cell.backend)
    backend.configure(request.threads)
    task, dataset = load_cell_task(cell, request.data)
    size = {"examples": cell.examples, "batch_size": cell.batch_size}
    batches = task.batches(len(dataset.train_labels), cell.seed, epochs=1, **size)
    part = next(batches.parts(0, min(STEPS, batches.full_steps or 1), STEPS))
    backend.prepare_profile()
    mode: Mode = cell.mode  # type: ignore[assignment] # checked by build
    names = backend.formulations(task, cell.device, mode)
    formulation = request.formulation if request.formulation in names else None
    model = backend.build(task, task.parameters(cell.seed), device=cell.device, mode=mode, formulation=formulation)
    model.place(dataset)
    for _ in range(2):  # what is compiled is compiled
        model.train(part)
    seconds = []

    def train() -> None:
        start = time.perf_counter()
        model.train(part)
        seconds.append(time.perf_counter() - start)

    kernels = backend.kernels_of(train)
    return Reply(profile=make_profile(kernels, part, seconds[0]) if kernels else None)


def make_profile(kernels: Sequence[Kernel], batches: Batches, seconds: float) -> Profile:
    """The shares of a call that trained on the batches in so many seconds."""
    steps = batches.epochs * batches.steps
    shares = {kind: min(time_ / seconds, 1.0) for kind, time_ in covered(kernels).items()}
    times: defaultdict[str, float] = defaultdict(float)
    calls: Counter[str] = Counter()
    for kernel in kernels:
        if kernel.kind != "data":
            name = _NUMBER.sub("", kernel.name)
            times[name] += kernel.end - kernel.begin
            calls[name] += 1
    whole = sum(times.values()) or 1.0
    return Profile(
        steps=steps,
        step_seconds=seconds / steps,
        data=shares["data"],
        products=shares["product"],
        others=shares["other"],
        between=max(1.0 - sum(shares.values()), 0.0),
        kernels=calls.total() / steps,
        longest=tuple(
            KernelTime(name=name, share=min(taken / whole, 1.0), calls=calls[name] / steps)
            for name, taken in sorted(times.items(), key=lambda item: -item[1])[:LONGEST]
        ),
    )
