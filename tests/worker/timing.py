"""What the benchmark times inside a worker: how time and memory grow with the data, and what the clock itself costs."""

from itertools import count
from operator import truediv
from statistics import median

from backends.base import Model
from compare.worker import clocks, memory
from tasks import load_task

SIZES = (1_920, 3_840, 7_680)
"""Examples in one epoch."""


def time_sizes(model: Model, rounds: int) -> tuple[list[float], list[int]]:
    """In the framework's process: an example's time in larger epochs over that in the smallest; the memory held.

    Args:
        model: of the task mnist-mlp.
        rounds: how often each size is timed.
    """
    task = load_task("mnist-mlp")
    model.place(task.source.load(None))
    seeds = count()  # other examples of the 60,000 each time: the same again would come out of the processor's cache

    def seconds(size: int) -> float:
        """Of as many epochs as make the same number of examples: drift of the machine hits all sizes alike."""
        epochs = [task.batches(60_000, next(seeds), epochs=1, examples=size) for _ in range(SIZES[-1] // size)]
        return clocks.clock(lambda: [model.train(batches) for batches in epochs])

    held = []
    for size in SIZES:
        model.train(task.batches(60_000, next(seeds), epochs=1, examples=size))  # compiles
        held.append(memory.resident_bytes())
    timed = [[seconds(size) for size in SIZES] for _ in range(rounds)]
    smallest, *larger = zip(*timed, strict=True)
    return [median(map(truediv, of_size, smallest)) for of_size in larger], held


def clock_share() -> float:
    """What the clock around a call costs, beside the shortest call that is timed."""
    calls = 100_000

    def nothing() -> None: ...

    def timed() -> None:
        for _ in range(calls):
            clocks.clock(nothing)

    def bare() -> None:
        for _ in range(calls):
            nothing()

    cost = min(clocks.clock(timed) for _ in range(5)) - min(clocks.clock(bare) for _ in range(5))
    return cost / calls / clocks.CALL_SECONDS
