"""What should be known beside a row's speeds: what else was at work on the machine, and what looks odd."""

from collections.abc import Mapping, Sequence
from statistics import median_low

from compare.analysis.rows import Row
from compare.analysis.statistics import MINIMUM_ROUNDS
from compare.records.run import MachineRate, Run
from compare.text import clean
from tasks import load_task
from tasks.errors import SideBySideError
from tasks.training import SGD

DISTURBED = 0.25
"""Cores that other processes keep busy; a run that is timed beside more of them is marked."""
SLOW = 0.8
"""A run is marked if the machine did less than this share of the most that it did in the comparison."""
SPREAD = 1.15
"""How many times the slowest run's speed the fastest's may be in a row whose runs nothing disturbed."""
SHRUNK = 0.5
"""An epoch that takes less than this share of the earlier ones' time; a run that has one is marked."""


def remarks(row: Row, most: MachineRate | None) -> list[str]:
    """The remarks on a row, each in a sentence; ``most`` is the most that the machine did in the comparison."""
    noise = disturbed(row) or _gpu_disturbed(row) or _hot(row) or _slowed(row, most) or _spread(row)
    return [remark for remark in (noise, _shrinking(row), _cancelled(row)) if remark]


def disturbed(row: Row) -> str:
    """Whether other processes were busy while a completed run was timed; empty if they were not."""
    loads = [load for run in row.completed if (load := run.outside_load or 0.0) > DISTURBED]
    if not loads:
        return ""
    return (
        f"disturbed: {_in_runs(row, len(loads))}other processes kept {max(loads):.1f} cores busy while it was timed,"
        " so its speeds may be too low; run it again on an idle machine"
    )


def _gpu_disturbed(row: Row) -> str:
    """Whether other processes used the GPU of a completed run, or its driver kept its clock down."""
    shared = [gpu.other_processes for run in row.completed if (gpu := run.gpu) and gpu.other_processes]
    if shared:
        others = "another process" if max(shared) == 1 else f"{max(shared)} other processes"
        return (
            f"disturbed: {_in_runs(row, len(shared))}{others} used the GPU while it was timed, so its speeds may be too"
            " low; run it again on a GPU that nobody else uses"
        )
    slowed = [gpu for run in row.completed if (gpu := run.gpu) and gpu.slowed_for]
    if not slowed:
        return ""
    gpu = slowed[0]
    clock = (
        f" ({gpu.clock_mhz:,.0f} of {gpu.highest_clock_mhz:,.0f} MHz)"
        if gpu.clock_mhz and gpu.highest_clock_mhz
        else ""
    )
    return (
        f"slow clock: {_in_runs(row, len(slowed))}the GPU's driver kept its clock down for"
        f" {' and '.join(gpu.slowed_for)}{clock} while it was timed, so its speeds may be too low"
    )


def _hot(row: Row) -> str:
    """Whether the processor was slowed down for heat while a completed run was timed."""
    counts = [[rate.throttles for rate in run.machine if rate.throttles is not None] for run in row.completed]
    hot = [count for count in counts if count and count[-1] > count[0]]
    if not hot:
        return ""
    return (
        f"hot: {_in_runs(row, len(hot))}the processor slowed down because it was hot while it was timed, so its"
        " speeds may be too low; let the machine cool, and run it again"
    )


def _slowed(row: Row, most: MachineRate | None) -> str:
    """Whether the machine itself did less just before or after a completed run than beside others."""
    shares = [min(_share(rate, most) for rate in run.machine) for run in row.completed if most and run.machine]
    slow = [share for share in shares if share < SLOW]
    if not slow:
        return ""
    return (
        f"slow machine: {_in_runs(row, len(slow))}NumPy's own matrix products or copies, just before or after, reached"
        f" {min(slow):.0%} of what they reached beside other runs, so its speeds may be too low"
    )


def _spread(row: Row) -> str:
    """Whether a row's speeds lie far apart, and nothing that was seen of the machine tells why."""
    speeds = list(row.speeds.values())
    if len(speeds) < MINIMUM_ROUNDS or max(speeds) <= SPREAD * min(speeds):
        return ""
    return (
        f"unsteady: its fastest run was {max(speeds) / min(speeds):.2f} times as fast as its slowest, and nothing"
        " measured here explains it; close other programs, let the machine cool, and use more --rounds or"
        " --precision 5%"
    )


def _shrinking(row: Row) -> str:
    """Whether a timed call of a completed run took far less time an epoch than those before it."""
    shrunk = [(run, found) for run in row.completed if (found := _shrunk(run.epoch_seconds))]
    if not shrunk:
        return ""
    run, (before, after) = shrunk[0]
    load = run.outside_load or 0.0
    why = (
        f"other processes kept {load:.1f} cores busy meanwhile, which may be the reason; or"
        if load > DISTURBED
        else "either other programs slowed the first ones, or"
    )
    seen = f"{_seconds(before)} at first and {_seconds(after)} later"
    return f"{_in_runs(row, len(shrunk))}its epochs took {seen}: {why} the later ones did less work"


def _cancelled(row: Row) -> str:
    """Why rounding alone leads far, where that is a bias that an optimizer moves by what rounding makes of 0."""
    if "undecidable" not in row.certificate_text:
        return ""
    try:
        recipe = load_task(row.first.task, row.first.recipe).recipe
    except SideBySideError:  # of another package, which is not here
        return ""
    cancelled = recipe.architecture.cancelled_biases
    if isinstance(recipe.optimizer, SGD) or not cancelled:
        return ""
    node, norm = cancelled[0]
    more = f", and so with {len(cancelled) - 1} more layers" if len(cancelled) > 1 else ""
    advice = "; bias = false leaves it out" if hasattr(node.layer, "bias") else ""
    return (
        f"the bias of {node.name} is taken away again by {norm.name}{more}: its gradient is 0 but for rounding, by"
        f" whose size {type(recipe.optimizer).__name__} divides it, so that rounding alone trains it{advice}"
    )


def machine_warning(host: Mapping[str, object]) -> str:
    """What makes all speeds of a machine doubtful, and what to do; empty where nothing is known to."""
    governor = clean(host.get("governor", "performance"))
    if governor == "performance":
        return ""
    return (
        f"The processor's frequency follows the governor {governor}, which may change it while speeds are measured: set"
        " it to performance (cpupower frequency-set --governor performance), and run this again."
    )


def most_of(runs: Sequence[Run]) -> dict[str, MachineRate]:
    """By machine, the most that it did beside any of the runs; a machine where nothing was measured is left out."""
    rates: dict[str, list[MachineRate]] = {}
    for run in runs:
        rates.setdefault(run.host, []).extend(run.machine)
    return {
        host: MachineRate(
            matrix_operations_per_second=max(rate.matrix_operations_per_second for rate in of_host),
            copied_bytes_per_second=max(rate.copied_bytes_per_second for rate in of_host),
        )
        for host, of_host in rates.items()
        if of_host
    }


def matrix_rates(runs: Sequence[Run]) -> dict[tuple[str, str], float]:
    """By machine and device, the most operations per second that a large matrix product reached in any run."""
    rates: dict[tuple[str, str], float] = {}
    for run in runs:
        if run.matrix_operations_per_second is not None:
            place = (run.host, run.device)
            rates[place] = max(run.matrix_operations_per_second, rates.get(place, 0.0))
    return rates


def machines(rows: Sequence[Row], hosts: Mapping[str, Mapping[str, object]]) -> dict[str, list[Row]]:
    """The rows of each machine of a cluster, by what is said of it; empty where all of a run was on one machine."""
    found: dict[str, list[Row]] = {}
    for row in rows if len(hosts) > 1 else ():
        if row.first.host in hosts:
            host = hosts[row.first.host]
            said = f"measured on the machine {row.first.host}: {clean(host.get('cpu', ''))}, {host.get('cores')} cores"
            found.setdefault(said, []).append(row)
    return found


def _share(rate: MachineRate, most: MachineRate) -> float:
    """The smaller of the two shares of the most."""
    return min(
        rate.matrix_operations_per_second / most.matrix_operations_per_second,
        rate.copied_bytes_per_second / most.copied_bytes_per_second,
    )


def _in_runs(row: Row, count: int) -> str:
    return f"in {count} of {len(row.completed)} runs " if len(row.completed) > 1 else ""


def _shrunk(epoch_seconds: Sequence[float]) -> tuple[float, float] | None:
    """The seconds of the earlier epochs, and of the first that took far less; None if none did."""
    for number in range(1, len(epoch_seconds)):
        earlier, later = median_low(epoch_seconds[:number]), epoch_seconds[number]
        if later < SHRUNK * earlier:
            return earlier, later
    return None


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds:.2g} s"
