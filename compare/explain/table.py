"""An explanation in words and figures: the rows that its table has on a terminal and on a page."""

from collections.abc import Sequence

from backends.registry import about
from compare.analysis.sentence import join
from compare.records.effect import Effect, Explanation
from compare.text import clean, task_label

HEADINGS = (
    "default",
    "leaves the aligned model after step",
    "distance after 100 steps",
    "change of {measure}",
    "told from seeds",
)
MEASURES = {"accuracy": "accuracy, points", "r_squared": "R²"}


def headings(explanation: Explanation) -> list[str]:
    """The headings of the table."""
    return [heading.format(measure=MEASURES[explanation.measure]) for heading in HEADINGS]


def rows(explanation: Explanation) -> list[list[str]]:
    """A row of texts for each effect."""
    return [
        [
            f"{about(effect.framework).label}: {effect.name}",
            _first_step(effect),
            _distance(effect),
            change_text(effect),
            "-" if effect.interval is None else "yes" if effect.distinguishable else "no",
        ]
        for effect in explanation.effects
    ]


def change_text(effect: Effect) -> str:
    """The change of the accuracy in points, or of R², with its interval."""
    if effect.change is None:
        return "did not train"
    factor = 100.0 if effect.figures.measure == "accuracy" else 1.0
    ends = "" if effect.interval is None else f" ({' to '.join(f'{end * factor:+.2f}' for end in effect.interval)})"
    return f"{effect.change * factor:+.2f}{ends}"


def title(explanation: Explanation) -> str:
    """What was explained."""
    return f"{task_label(clean(explanation.task), clean(explanation.recipe))}: {join(explanation.aligned)}"


def answer(explanation: Explanation) -> str:
    """The largest effects in a sentence or two."""
    clear = [effect for effect in explanation.effects if effect.distinguishable or effect.change is None]
    said = "" if explanation.complete else "It was interrupted: these are the defaults that were measured. "
    said = f"It ended early ({clean(explanation.failure)}). " if explanation.failure else said
    if all(accuracy is None for figures in explanation.aligned.values() for accuracy in figures.accuracies):
        return f"{said}The aligned model itself does not train: its outputs are not finite."
    if not explanation.effects:
        return said + "No default of these frameworks changes anything of this task's recipe."
    if not clear:
        few = "one seed is too few to tell" if explanation.seeds == 1 else "none can be told from what seeds do"
        return f"{said}Of the changes of {_measure(explanation)}, {few}."
    factor, unit = (100.0, " points") if explanation.measure == "accuracy" else (1.0, "")
    words = []
    for effect in clear[:3]:
        what = f"{effect.name} ({about(effect.framework).label})"
        moved = f"{effect.change * factor:+.2f}{unit}" if effect.change is not None else "did not train"
        words.append(f"{what} {moved}")
    rest = len(explanation.effects) - len(clear)
    others = f" The other {'one' if rest == 1 else rest} cannot be told from what seeds do." if rest else ""
    return f"{said}The largest effects on the {_measure(explanation)}: {'; '.join(words)}.{others}"


def causes(explanation: Explanation) -> list[tuple[str, str]]:
    """For each effect that is of one default: its name; its cause, and where to change it."""
    found = []
    for effect in explanation.effects:
        change = f" To change it: {effect.where}." if effect.where else ""
        found.append((f"{about(effect.framework).label}: {effect.name}", f"{effect.cause}{change}"))
    return found


def silent(explanation: Explanation) -> list[str]:
    """For each framework, the defaults that change nothing here, in a sentence."""
    return [
        f"Not in this task, or already as {about(framework).label} has it: {', '.join(names)}."
        for framework, names in explanation.without_effect.items()
        if names
    ]


def how(explanation: Explanation) -> str:
    """How it was measured, in a few sentences."""
    seeds = f"{explanation.seeds} seed{'s' * (explanation.seeds != 1)}"
    return (
        "Each default was turned on by itself in the aligned model, which is the same in all frameworks (sidebyside"
        " parity certifies that); one row of each framework has all of its defaults. Distances are of the parameters,"
        " relative to their size, from the aligned model's; a model has left it where it is more than 3 times as far as"
        f" rounding alone leads. The changes of the {_measure(explanation)} are means over {seeds}, each against the"
        " aligned model of the same seed, with 95 % intervals: of twenty rows without any effect, one is told from"
        f" seeds by chance.{_lost(explanation)}"
    )


def _lost(explanation: Explanation) -> str:
    """Which rows are of fewer seeds than were asked for."""
    counts = {
        f"{about(effect.framework).label}'s {effect.name}": effect.figures.accuracies.count(None)
        for effect in explanation.effects
    }
    named = [f"{count} of {explanation.seeds} seeds of {name}" for name, count in counts.items() if count]
    return f" Not trained, and left out: {join(named)}." if named else ""


def _measure(explanation: Explanation) -> str:
    return MEASURES[explanation.measure].partition(",")[0]


def _first_step(effect: Effect) -> str:
    if effect.first_step is None:
        return "never"
    return str(effect.first_step) if effect.first_step else "0, before training"


def _distance(effect: Effect) -> str:
    distances: Sequence[float] = effect.figures.distances
    return f"{distances[-1]:.2g}" if len(distances) == len(effect.figures.steps) else "not finite"
