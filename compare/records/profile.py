"""Where the time of a training step goes, by a framework's own profiler."""

from compare.records.base import Count, Fraction, Rate, Record


class KernelTime(Record):
    """One of the kernels that took the most time."""

    name: str
    share: Fraction
    """Of the time of all kernels, those that ran side by side counted each."""
    calls: Rate
    """In a step."""


class Profile(Record):
    """The time of the steps of one training call, apart from the run and off the clock; the profiler slows it down."""

    steps: Count
    step_seconds: Rate
    """With the profiler on."""
    data: Fraction
    """Of the time: preparing batches, as far as the framework names it."""
    products: Fraction
    """Matrix products and convolutions, with what is fused into them."""
    others: Fraction
    """All other kernels, where no product runs beside them."""
    between: Fraction
    """No kernel runs."""
    kernels: Rate
    """Runs of kernels in a step."""
    longest: tuple[KernelTime, ...]
    """By their time, the most first."""
