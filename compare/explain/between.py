"""Where the difference of two frameworks comes from: the defaults of one become those of the other, one by one."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from backends.default import Default, with_all
from backends.registry import defaults
from compare.analysis.sentence import join
from compare.analysis.statistics import CONFIDENCE, student_interval
from compare.explain.trainings import EffectFailedError, Trainings
from compare.records.cell import Cell
from compare.records.effect import Between, Contribution
from compare.records.request import Turned
from compare.text import clean, task_label
from tasks import load_task
from tasks.errors import SideBySideError
from tasks.task import Task


def explain_between(
    cell: Cell,
    first: str,
    second: str,
    start: Callable[[str], Trainings],
    found: Callable[[str], None] = lambda name: None,
) -> Between:
    """Trains with all defaults of the first framework, and then with one after another of the second's in their place.

    Once in the order of the list and once from its end: what a default does depends on those that were turned before
    it, and how far the two orders disagree shows by how much.

    Args:
        cell: of the task; its backend does not matter.
        first: a framework.
        second: another.
        start: begins the trainings of a framework; one that has the rules of both trains all.
        found: is told of each default that was turned.

    Raises:
        SideBySideError: the two have nothing on this task in which they differ, or no framework has the rules of both.
    """
    task = load_task(cell.task, cell.recipe).with_learning_rate(cell.learning_rate)
    names = differing(task, first, second)
    if not names:
        raise SideBySideError(f"{first} and {second} have the same defaults in all that {cell.task} has")
    whole = [[*names[:count]] for count in range(len(names) + 1)]
    from_the_end = [[*names[len(names) - count :]] for count in range(1, len(names))]
    with start(_trainer(task, first, second, names)) as trainings:
        measure = trainings.figures().measure

        def accuracies(of_second: Sequence[str]) -> NDArray[np.float64]:
            turned = [turn for name in names for turn in _turned(second if name in of_second else first, name)]
            known = trainings.figures(turned).accuracies
            found(f"{len(of_second)} of {len(names)} as {second} has them")
            if None in known:
                raise EffectFailedError(f"a model with the defaults of {first} and {second} does not train")
            return np.array(known, np.float64)

        forward = [accuracies(each) for each in whole]
        backward = [forward[0], *(accuracies(each) for each in from_the_end), forward[-1]]
        trained_by = trainings.cell.backend
    return Between(
        task=cell.task,
        recipe=cell.recipe,
        first=first,
        second=second,
        trained_by=trained_by,
        seeds=trainings.seeds,
        measure=measure,
        accuracies=(float(forward[0].mean()), float(forward[-1].mean())),
        interval=_interval(forward[-1] - forward[0]),
        contributions=_contributions(names, forward, backward),
    )


def _contributions(
    names: Sequence[str], forward: Sequence[NDArray[np.float64]], backward: Sequence[NDArray[np.float64]]
) -> list[Contribution]:
    """What each default changed, the largest first.

    Args:
        names: of the defaults, in their order.
        forward: the accuracies by seed with the first so many of them turned.
        backward: the same with the last so many.
    """
    found = []
    for at, name in enumerate(names):
        back = len(names) - 1 - at
        changes = forward[at + 1] - forward[at], backward[back + 1] - backward[back]
        means = [float(change.mean()) for change in changes]
        interval = _interval((changes[0] + changes[1]) / 2)
        found.append(Contribution(name=name, forward=means[0], backward=means[1], interval=interval))
    return sorted(found, key=lambda each: -abs(each.mean))


def differing(task: Task, first: str, second: str) -> list[str]:
    """The names of the defaults by which two frameworks make different recipes of a task."""
    ordered = dict.fromkeys(
        default.name for name in (first, second) for default in defaults(name) if not default.mistake
    )
    found = []
    for name in ordered:
        one, other = (with_all(task.recipe, _named(framework, name)) for framework in (first, second))
        if one != other:
            found.append(name)
    return found


def between_lines(between: Between) -> list[str]:
    """The explanation in sentences."""
    points = between.measure == "accuracy"
    factor, unit = (100.0, " points") if points else (1.0, " of R²")
    what = task_label(clean(between.task), clean(between.recipe))
    one, other = between.accuracies
    both = f"{between.first} {one * factor:.2f}, {between.second} {other * factor:.2f}"
    seeds = f"{between.seeds} seed{'s' * (between.seeds != 1)}"
    said = [f"{what}, as a newcomer to each has it: {both} (means over {seeds}; {between.trained_by} trained both)."]
    ends = _ends(between.interval, factor)
    parts = [f"{each.name} {each.mean * factor:+.2f}" for each in between.contributions]
    said.append(f"Of the {between.difference * factor:+.2f}{unit} between them{ends}: {join(parts)}.")
    for each in between.contributions:
        orders = f"{each.forward * factor:+.2f} in one order and {each.backward * factor:+.2f} in the other"
        said.append(f"{each.name}: {each.mean * factor:+.2f}{_ends(each.interval, factor)}: {orders}.")
    if len(between.contributions) == 1:
        return said
    apart = max(abs(each.forward - each.backward) for each in between.contributions)
    said.append(
        f"The two orders disagree by up to {apart * factor:.2f}{unit}: to that extent, what one default does"
        " depends on the others, and belongs to none of them alone."
    )
    return said


def _ends(interval: tuple[float, float] | None, factor: float) -> str:
    return "" if interval is None else f" (95 % interval {interval[0] * factor:+.2f} to {interval[1] * factor:+.2f})"


def _interval(values: NDArray[np.float64]) -> tuple[float, float] | None:
    return student_interval(values.round(12), CONFIDENCE) if len(values) > 1 else None


def _named(framework: str, name: str) -> list[Default]:
    return [default for default in defaults(framework) if default.name == name]


def _turned(framework: str, name: str) -> list[Turned]:
    return [Turned(framework=framework, name=each.name) for each in _named(framework, name)]


def _trainer(task: Task, first: str, second: str, names: Sequence[str]) -> str:
    """The framework that has the rules of both."""
    needed = [
        with_all(task.recipe, [each for name in names for each in _named(framework, name)]).optimizer.convention
        for framework in (first, second)
    ]
    for framework in (first, second):
        if all(not convention or framework in convention for convention in needed):
            return framework
    raise SideBySideError(f"neither {first} nor {second} has the optimizer's rules of both")
