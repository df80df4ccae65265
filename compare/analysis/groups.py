"""Rows that may be ranked together, and what their speeds and accuracies show.

A group holds rows of the same task, recipe, mode, device, workload, conditions and data. Only certified rows with
completed runs are ranked, and only from three rounds on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from statistics import geometric_mean

from compare.analysis.equivalence import Equivalence, equivalent
from compare.analysis.rows import Row
from compare.analysis.statistics import MINIMUM_ROUNDS, SpeedRatio, compare_ratio

ALL_PAIRS = 6
"""In groups of up to this many rows every two rows are compared; in larger groups all rows with one row alone."""


@dataclass(frozen=True)
class Compared:
    """Two rows of a group, and the speed of the first relative to the second."""

    first: Row
    second: Row
    speed: SpeedRatio

    @property
    def input(self) -> str:
        """What the second row's loop does with its input, as the loop states it; empty if it does not."""
        return str(self.second.completed[0].settings.get("input", "")) if self.second.completed else ""


class Group:
    """Rows that may be ranked together.

    Attributes:
        rows: certified rows with completed runs that are comparable, in the order of their section.
        conflict: why they cannot be ranked together after all; empty if they can.
        rounds: number of rounds that all rows completed.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = list(rows)
        self.conflict = self._conflict()
        self._shared = [key for key in self.rows[0].speeds if all(key in row.speeds for row in self.rows)]
        self.rounds = len({round_ for _, round_ in self._shared})

    def _conflict(self) -> str:
        for field, what in (("batches_sha256", "batches"), ("parameters_sha256", "initial parameters")):
            hashes_by_seed: dict[int, set[str]] = {}
            for row in self.rows:
                for run in row.completed:
                    hashes_by_seed.setdefault(run.seed, set()).update({getattr(run, field)} - {None})
            if any(len(hashes) > 1 for hashes in hashes_by_seed.values()):
                return f"the rows were not trained on the same {what}"
        return ""

    @property
    def decided(self) -> bool:
        """Whether there are at least two rows, and rounds enough to compare them."""
        return len(self.rows) > 1 and self.rounds >= MINIMUM_ROUNDS and not self.conflict

    @cached_property
    def leader(self) -> int:
        """Index in ``rows`` of the row with the best mean speed, in the rounds that all of them completed."""
        if not self.decided:
            return 0
        means = [geometric_mean(row.speeds[key] for key in self._shared) for row in self.rows]
        return max(range(len(means)), key=means.__getitem__)

    @cached_property
    def comparisons(self) -> list[Compared]:
        """Every two rows, or in a large group the leader with each other row; empty if nothing can be compared."""
        if not self.decided:
            return []
        order = [self.leader, *(index for index in range(len(self.rows)) if index != self.leader)]
        pairs = [(a, b) for a, b in combinations(order, 2) if a == self.leader or len(order) <= ALL_PAIRS]
        comparisons = [compare_rows(self.rows[a], self.rows[b]) for a, b in pairs]
        return [comparison for comparison in comparisons if comparison is not None]

    def beside_leader(self, row: Row) -> Compared | None:
        """The comparison of the leader with another row; None if they share no round."""
        return self._beside_leader.get(id(row))

    @cached_property
    def _beside_leader(self) -> dict[int, Compared]:
        return {id(pair.second): pair for pair in self.comparisons if pair.first is self.rows[self.leader]}

    @cached_property
    def equivalences(self) -> list[Equivalence | None]:
        """Equivalence test of the accuracies of every two rows, over the seeds that both have; None if they share none.

        In a large group the first row is tested with each other row.
        """
        equivalences: list[Equivalence | None] = []
        for first, second in combinations(self.rows, 2):
            if first is not self.rows[0] and len(self.rows) > ALL_PAIRS:
                break
            seeds = [seed for seed in first.accuracies if seed in second.accuracies]
            one, other = ([row.accuracies[seed] for seed in seeds] for row in (first, second))
            equivalences.append(equivalent(one, other) if seeds else None)
        return equivalences


def compare_rows(first: Row, second: Row) -> Compared | None:
    """The ratio of two rows' speeds, paired by seed and round; None if they share no round."""
    shared = [key for key in first.speeds if key in second.speeds]
    if not shared:
        return None
    speed = compare_ratio([first.speeds[key] for key in shared], [second.speeds[key] for key in shared])
    if len({round_ for _, round_ in shared}) < MINIMUM_ROUNDS:  # a second seed is no second measurement of the machine
        speed = SpeedRatio(speed.ratio, None, "not distinguishable", speed.rounds)
    return Compared(first, second, speed)
