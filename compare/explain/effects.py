"""The effects of the defaults of some frameworks on one task: each turned on alone, and all of a framework together."""

from collections.abc import Callable, Sequence

import numpy as np

from backends.default import Default
from backends.registry import defaults
from compare.analysis.statistics import CONFIDENCE, student_interval
from compare.explain.trainings import EffectFailedError, Trainings
from compare.records.cell import Cell
from compare.records.effect import Effect, EffectFigures, Explanation
from compare.records.request import Turned
from tasks import load_task
from tasks.task import Task

ALL = "all its defaults together"
"""The name of the row with all defaults of a framework, as a newcomer has them."""
BEYOND = 3.0
"""A model has left the aligned one where it is more than so many times as far from it as rounding leads."""
FLOOR = 1e-6
"""A distance below this share of the parameters' size, added to that, is never called leaving."""


def explain_task(
    cell: Cell,
    frameworks: Sequence[str],
    start: Callable[[str], Trainings],
    found: Callable[[Effect], None] = lambda effect: None,
) -> Explanation:
    """The effects of all defaults of some frameworks on a task, the largest first.

    What was found before an interrupt, or before a default that cannot be trained, is kept.

    Args:
        cell: of the task; its backend does not matter.
        frameworks: whose defaults are turned on, each by the framework itself: some have no other's rules.
        start: begins the trainings of a framework.
        found: is told of each effect as soon as it is known.
    """
    task = load_task(cell.task, cell.recipe).with_learning_rate(cell.learning_rate)
    of_each = {name: of_task(task, name) for name in frameworks}
    effects: list[Effect] = []
    aligned: dict[str, EffectFigures] = {}
    complete, failure = False, ""
    try:
        for framework, chosen in of_each.items():
            with start(framework) as trainings:
                aligned[framework] = trainings.figures()
                own = [default for default in chosen if not default.mistake]
                together = [(_all_of(own), own)] if len(own) > 1 else []
                for default, turned in [*((each, [each]) for each in chosen), *together]:
                    figures = trainings.figures([Turned(framework=framework, name=each.name) for each in turned])
                    effects.append(make_effect(framework, default, figures, aligned[framework]))
                    found(effects[-1])
        complete = True
    except KeyboardInterrupt:
        if not effects:
            raise
    except EffectFailedError as error:
        if not effects:
            raise
        failure = str(error)
    silent = {
        name: [each.name for each in defaults(name) if each not in chosen and not each.mistake]
        for name, chosen in of_each.items()
    }
    return Explanation(
        task=cell.task,
        recipe=cell.recipe,
        seeds=trainings.seeds,
        aligned=aligned,
        effects=by_size(effects),
        without_effect=silent,
        complete=complete,
        failure=failure,
    )


def of_task(task: Task, framework: str) -> list[Default]:
    """The defaults of a framework that change something of a task's recipe."""
    return [default for default in defaults(framework) if default.change(task.recipe) != task.recipe]


def make_effect(framework: str, default: Default, figures: EffectFigures, aligned: EffectFigures) -> Effect:
    """The row of a default, from what training with it and without it came to."""
    change, interval = paired_change(figures, aligned)
    return Effect(
        framework=framework,
        name=default.name,
        cause=default.cause,
        where=default.where,
        mistake=default.mistake,
        figures=figures,
        first_step=first_step(figures, aligned),
        change=change,
        interval=interval,
    )


def first_step(figures: EffectFigures, aligned: EffectFigures) -> int | None:
    """The first of the steps after which a model is further from the aligned one than rounding leads."""
    for step, distance, noise in zip(figures.steps, figures.distances, aligned.noise, strict=False):
        if distance > BEYOND * noise + FLOOR:
            return step
    diverged = len(figures.distances) < len(aligned.noise)
    return figures.steps[len(figures.distances)] if diverged else None


def paired_change(first: EffectFigures, second: EffectFigures) -> tuple[float | None, tuple[float, float] | None]:
    """The mean difference of two models' accuracies over the seeds that both have, with its 95 % interval."""
    pairs = zip(first.accuracies, second.accuracies, strict=True)
    differences = np.array([one - other for one, other in pairs if one is not None and other is not None])
    # Two accuracies cannot be closer than one example, even if all seeds have the same difference.
    least = 1 / second.test_examples if second.test_examples and second.measure == "accuracy" else 0.0
    if not len(differences):
        return None, None
    mean = float(differences.mean())
    return mean, student_interval(differences.round(12), CONFIDENCE, least) if len(differences) > 1 else None


def by_size(effects: Sequence[Effect]) -> list[Effect]:
    """The largest first: by the change of the accuracy, where it can be told from that of seeds; then by distance."""

    def size(effect: Effect) -> tuple[bool, float, float]:
        distances = effect.figures.distances
        last = distances[-1] if len(distances) == len(effect.figures.steps) else float("inf")
        if effect.change is None:  # it did not even train
            return True, float("inf"), last
        return effect.distinguishable, abs(effect.change) if effect.distinguishable else 0.0, last

    return sorted(effects, key=size, reverse=True)


def _all_of(own: Sequence[Default]) -> Default:
    names = ", ".join(default.name for default in own)
    return Default(ALL, f"As a newcomer has them: {names}.", "", lambda recipe: recipe)
