"""How much faster several devices train one model than one of them does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backends.devices import single_devices
from compare.analysis.groups import Compared, compare_rows
from compare.analysis.rows import Row
from compare.text import times, times_range


@dataclass(frozen=True)
class Scaling:
    """A row of several devices beside the row of one.

    Attributes:
        pair: the two rows, and the speed of the several devices relative to that of one.
        efficiency: the share that this is of what could be expected: of as many times the speed as there are GPUs; of
            the same speed for the devices of a CPU, which share its cores.
    """

    pair: Compared
    efficiency: float

    def text(self, label: Callable[[Row], str]) -> str:
        """The sentence that says so.

        Args:
            label: gives what a row is called; its device is a part of that.
        """
        speed = self.pair.speed
        several, one = label(self.pair.first), label(self.pair.second)
        interval = f" (95 % interval {times_range(*speed.interval)})" if speed.interval else ""
        share = f"scaling efficiency {100 * self.efficiency:.{0 if self.efficiency >= 0.1 else 1}f} %"
        if _on_cpu(self.pair.first):
            share += ", where 100 % is the speed of one, for they share the CPU's cores"
        return f"{several} trains {times(speed.ratio)} times as fast as {one}{interval}: {share}"


def scalings(rows: Sequence[Row]) -> list[Scaling]:
    """Every row of several devices that has a row of one device beside it, with the same work."""
    ones: dict[tuple[object, ...], Row] = {}
    for row in rows:
        kind = row.first.device.partition(":")[0]
        if len(single_devices(row.first.device)) == 1:
            ones.setdefault((kind, *_work(row)), row)
    found = []
    for row in rows:
        kind, count = row.first.device.partition(":")[0], len(single_devices(row.first.device))
        one = ones.get((kind, *_work(row)))
        pair = compare_rows(row, one) if count > 1 and one is not None else None
        if pair is not None:
            found.append(Scaling(pair, pair.speed.ratio / (1 if _on_cpu(row) else count)))
    return found


def _on_cpu(row: Row) -> bool:
    return row.first.device.startswith("cpu")


def _work(row: Row) -> tuple[object, ...]:
    return row.first.backend, row.first.mode, row.first.host, row.workload, row.conditions
