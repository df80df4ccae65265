"""What a framework's own profiler says of a training call: which kernels ran, and when."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Kind = Literal["data", "product", "other"]
KINDS: tuple[Kind, ...] = ("data", "product", "other")
"""In this order time counts for a kind where kernels of several run at once."""


class Kernel(NamedTuple):
    """One run of a kernel, or of the framework's own code that prepares a batch.

    Attributes:
        kind: ``data`` prepares a batch; ``product`` is a matrix product or a convolution, with what is fused into it.
        name: the framework's.
        begin: in seconds, by the profiler's clock.
        end: the same.
    """

    kind: Kind
    name: str
    begin: float
    end: float


def covered(kernels: Iterable[Kernel]) -> dict[Kind, float]:
    """The seconds in which kernels of each kind run, on any thread; those of several kinds count for the first."""
    changes = sorted(
        change
        for kernel in kernels
        for change in ((kernel.begin, KINDS.index(kernel.kind), 1), (kernel.end, KINDS.index(kernel.kind), -1))
    )
    seconds, running, before = [0.0] * len(KINDS), [0] * len(KINDS), 0.0
    for at, kind, change in changes:
        first = next((index for index, count in enumerate(running) if count), None)
        if first is not None:
            seconds[first] += at - before
        running[kind] += change
        before = at
    return dict(zip(KINDS, seconds, strict=True))
