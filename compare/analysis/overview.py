"""All tasks of a run at a glance: speeds beside the fastest of the loop, and their geometric mean over the tasks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compare.analysis.groups import Group
from compare.analysis.rows import Key, Row
from compare.analysis.sections import Section
from compare.analysis.sentence import count_words, join
from compare.analysis.statistics import MINIMUM_ROUNDS, SpeedRatio, compare_ratio
from compare.analysis.sweeps import find_sweeps
from compare.text import times, times_range

Place = tuple[str, str, str]
"""Backend, mode and device."""


@dataclass(frozen=True)
class Standing:
    """One framework's loop over all tasks.

    Attributes:
        backend: of the rows.
        mode: of the rows.
        device: of the rows.
        ratios: for each task, the speed relative to that of the loop's fastest there.
        mean: the geometric mean over the tasks of the speed relative to that of the loop's fastest over all of them.
    """

    backend: str
    mode: str
    device: str
    ratios: tuple[float, ...]
    mean: SpeedRatio


@dataclass(frozen=True)
class Overview:
    """All tasks of a run.

    Attributes:
        titles: of the tasks.
        standings: by loop, the fastest first; none where too little is known.
    """

    titles: tuple[str, ...]
    standings: tuple[Standing, ...]

    @property
    def several_devices(self) -> bool:
        """Whether the standings are not all of one device."""
        return len({standing.device for standing in self.standings}) > 1

    @property
    def sentence(self) -> str:
        """Who is the fastest over all tasks, and by how much; of each loop one clause."""
        clauses = []
        for loop in dict.fromkeys((s.mode, s.device) for s in self.standings):
            first, *others = [s for s in self.standings if (s.mode, s.device) == loop]
            words = []
            for other in others:
                low, high = other.mean.interval or (other.mean.ratio, other.mean.ratio)
                interval = f"95 % interval {times_range(1 / high, 1 / low)}"
                words.append(f"{times(1 / other.mean.ratio)} times that of {other.backend} ({interval})")
            where = f" on {first.device}" if self.several_devices else ""
            clauses.append(f"of the {first.mode} loops{where}, {first.backend}'s speed is {join(words)}")
        return (
            f"Over the {count_words(len(self.titles))} tasks, by the geometric mean: {'; '.join(clauses)}."
            if clauses
            else ""
        )


def overview(sections: Sequence[Section]) -> Overview:
    """The standings of what was measured in every task but those of a sweep.

    The geometric mean is formed round by round, so that what slows a round of all frameworks cancels; see
    :func:`compare.analysis.statistics.compare_ratio`. Rows that are not ranked in every task are left out.

    There are none where there are fewer than two tasks, two frameworks, or three rounds that all have in common.
    """
    swept = {id(point.section) for sweep in find_sweeps(sections) for point in sweep.points}
    sections = [section for section in sections if id(section) not in swept]
    groups = [_groups(section) for section in sections]
    found: list[Standing] = []
    for loop in groups[0] if len(groups) > 1 else ():
        if all(loop in of_task for of_task in groups):
            found += _standings([of_task[loop] for of_task in groups])
    return Overview(tuple(section.title for section in sections), tuple(found))


def _groups(section: Section) -> dict[tuple[str, str], Group]:
    """The groups in which something is decided, by mode and device; none of those that have more than one."""
    groups: dict[tuple[str, str], list[Group]] = {}
    for group in section.groups:
        _, mode, device = group.rows[0].key
        groups.setdefault((mode, device), []).append(group)
    return {loop: of_loop[0] for loop, of_loop in groups.items() if len(of_loop) == 1 and of_loop[0].decided}


def _standings(groups: Sequence[Group]) -> list[Standing]:
    tasks = [{row.key: row for row in group.rows} for group in groups]
    places = [place for place in tasks[0] if all(place in rows for rows in tasks)]
    keys = [key for key in next(iter(tasks[0].values())).speeds if all(_has(rows, places, key) for rows in tasks)]
    if len(places) < 2 or len({round_ for _, round_ in keys}) < MINIMUM_ROUNDS:
        return []
    logs = np.log([[[rows[place].speeds[key] for key in keys] for rows in tasks] for place in places])
    by_round = np.exp(logs.mean(axis=1))
    leader = int(logs.mean(axis=(1, 2)).argmax())
    of_tasks = np.exp(logs.mean(axis=2))
    ratios = of_tasks / of_tasks.max(axis=0)
    standings = [
        Standing(*place, tuple(map(float, ratios[at])), compare_ratio(by_round[at], by_round[leader]))
        for at, place in enumerate(places)
    ]
    return sorted(standings, key=lambda standing: -standing.mean.ratio)


def _has(rows: dict[Place, Row], places: Sequence[Place], key: Key) -> bool:
    return all(key in rows[place].speeds for place in places)
