"""Sweeps: variations of one task that differ in the values of the same keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from compare.analysis.rows import Row
from compare.analysis.sections import Section
from compare.text import clean, task_label
from tasks.variation import split


@dataclass(frozen=True)
class Point:
    """One variation.

    Attributes:
        values: of the keys that are swept.
        section: its rows.
    """

    values: tuple[str, ...]
    section: Section


@dataclass(frozen=True)
class Sweep:
    """Variations of a task, in the order of the run.

    Attributes:
        title: the task, and the changes that all variations share.
        keys: those that are swept; of the last the value changes first.
        points: the variations.
    """

    title: str
    keys: tuple[str, ...]
    points: tuple[Point, ...]

    @property
    def heading(self) -> str:
        """The title, and what is swept."""
        return f"{self.title}, sweep of {' and '.join(self.keys)}"

    @property
    def rows(self) -> list[tuple[tuple[str, ...], str, Row]]:
        """The swept values, the label and the row of every row that was completed."""
        return [(p.values, p.section.label(row), row) for p in self.points for row in p.section.rows if row.completed]

    @property
    def names(self) -> list[str]:
        """The labels of the rows, each once: those of the lines that are drawn."""
        return list(dict.fromkeys(name for _, name, _ in self.rows))


def find_sweeps(sections: Sequence[Section]) -> list[Sweep]:
    """The sweeps among a run's sections."""
    together: dict[tuple[str, str, tuple[str, ...]], list[tuple[list[str], Section]]] = {}
    for section in sections:
        task, changes = split(section.task)
        keys = tuple(change.partition("=")[0] for change in changes)
        together.setdefault((task, section.recipe, keys), []).append(([c.partition("=")[2] for c in changes], section))
    sweeps = []
    for (task, recipe, keys), found in together.items():
        swept = [at for at in range(len(keys)) if len({values[at] for values, _ in found}) > 1]
        if not swept:
            continue
        shared = [f"{keys[at]}={found[0][0][at]}" for at in range(len(keys)) if at not in swept]
        points = tuple(Point(tuple(clean(values[at]) for at in swept), section) for values, section in found)
        title = task_label(clean(" ".join([task, *shared])), clean(recipe))
        sweeps.append(Sweep(title, tuple(clean(keys[at]) for at in swept), points))
    return sweeps
