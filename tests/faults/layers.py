"""A fault in a layer of a framework's own: the certificate is refused, and names the layer; in both loops."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from itertools import product
from pathlib import Path

import backends
from backends.about import Mode
from compare.certify.judge import Reference
from tasks.layers import Layer
from tests.certify.evidence import judge, make_reference
from tests.planted_in_frameworks import FAULTS, FUSED
from tests.remote import RemoteBackend, task_of
from tests.samples import SAMPLES

Case = tuple[str, Mode, type[Layer]]
LOOPS = tuple((name, mode) for name in backends.framework_backends() for mode in backends.modes(name))
CASES: list[Case] = [(name, mode, kind) for kind, (name, mode) in product(FAULTS, LOOPS)]
SMALL_SAMPLE = [(*LOOPS[number % len(LOOPS)], kind) for number, kind in enumerate(FAULTS)]
"""Each layer once, and each loop about as often as another."""


def run(count: int) -> str:
    """Plants ``count`` of the faults, or all that there are in the installed frameworks."""
    cases = [case for case in CASES if backends.missing(case[0]) is None][:count]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        references = make_references(folder)
        remotes = {name: stack.enter_context(closing(RemoteBackend(name))) for name, _, _ in cases}
        for case in cases:
            check(case, remotes[case[0]], references)
    return f"{len(cases)} of {len(cases)} faults in the layers of {len(remotes)} frameworks named with their layer"


def make_references(folder: Path) -> dict[str, Reference]:
    """The references of the samples in which faults are planted."""
    return {name: make_reference(SAMPLES[name], folder) for name in {sample for sample, _, _ in FAULTS.values()}}


def check(case: Case, remote: RemoteBackend, references: dict[str, Reference]) -> None:
    """Raises AssertionError unless a network is right without the fault, and the fault's layer is named with it."""
    name, mode, kind = case
    sample, node, _ = FAULTS[kind]
    without = failure(remote, mode, sample, references[sample])
    assert without == "", f"{name} {mode}, undisturbed: {without}"
    remote.call("apply", "tests.planted_in_frameworks", "plant", name, kind)
    try:
        named = failure(remote, mode, sample, references[sample])
    finally:
        remote.call("apply", "tests.planted_in_frameworks", "clear")
    fused = mode == "tuned" and name != "jax" and kind in FUSED
    expected = f"output of layers {', '.join(FUSED.values())}" if fused else f"output of layer {node}"
    assert named == expected, f"{name} {mode}, {kind.kind}: {named!r} is named, not {expected!r}"


def failure(remote: RemoteBackend, mode: Mode, sample: str, reference: Reference) -> str:
    """What the certificate names as wrong in the outputs of layers and network before training, if anything."""
    task = task_of(SAMPLES[sample].recipe)
    remote.build(task, task.parameters(0), mode=mode)
    answers = remote.call("apply", "tests.worker.gathering", "answers", SAMPLES[sample].dataset)
    names = before_training(reference.summary.quantities)
    summary = reference.summary.model_copy(update={"quantities": names})
    return judge((answers, summary), reference._replace(summary=summary)).failure


def before_training(quantities: Sequence[str]) -> tuple[str, ...]:
    """The outputs among the quantities that a certificate compares first."""
    return tuple(quantities[: quantities.index("logits") + 1])
