"""The effect of a framework's default: how far it leads from the aligned model, in its first steps and at the end."""

from compare.records.base import Amount, Count, Record, Score
from tasks.dataset import Measure


class EffectFigures(Record):
    """What training with some defaults came to."""

    steps: list[Count]
    """The numbers of steps after which the parameters were compared; 0 before the first."""
    distances: list[Amount] = []
    """Of the parameters from the aligned model's, relative to their size; it ends where they are no longer finite."""
    noise: list[Amount] = []
    """How far rounding alone leads: the same distance between aligned models from parameters a rounding error apart."""
    accuracies: list[Score | None]
    """On the test set after the whole run, by seed; None where it is not finite."""
    measure: Measure = "accuracy"
    test_examples: Count = 0
    """How many examples an accuracy is of."""


class Effect(Record):
    """One row of an explanation: a default, and what it does."""

    framework: str
    name: str
    cause: str
    where: str
    """How to have it otherwise."""
    mistake: bool = False
    """Whether it is no default, but what newcomers often write."""
    figures: EffectFigures
    first_step: Count | None
    """The first of the steps after which it is further from the aligned model than rounding leads; None if none is."""
    change: float | None
    """Of the accuracy, the mean over the seeds; None where no seed gave one."""
    interval: tuple[float, float] | None = None
    """95 % interval of the change; None with one seed."""

    @property
    def distinguishable(self) -> bool:
        """Whether the change can be told from what seeds do."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


class Explanation(Record):
    """The effects of the defaults of some frameworks on one task, each trained by the framework itself."""

    task: str
    recipe: str
    seeds: Count
    aligned: dict[str, EffectFigures]
    """The model with none of them, by framework."""
    effects: list[Effect]
    """The largest first."""
    without_effect: dict[str, list[str]]
    """By framework, the defaults that change nothing of this task's recipe."""
    complete: bool = True
    """Whether all effects were measured."""
    failure: str = ""
    """Why a default could not be trained, where that ended it."""

    @property
    def measure(self) -> Measure:
        """What every accuracy is; of a regression R²."""
        return next(iter(self.aligned.values())).measure


class Contribution(Record):
    """What one default has to do with the difference of two frameworks' accuracies, as newcomers have them."""

    name: str
    forward: float
    """By how much the accuracy changes where the first framework's becomes the second's, in the order of the list."""
    backward: float
    """The same in the opposite order, when all that follow have changed already."""
    interval: tuple[float, float] | None = None
    """95 % interval of the mean of the two, over the seeds."""

    @property
    def mean(self) -> float:
        return (self.forward + self.backward) / 2


class Between(Record):
    """Where the difference of two frameworks comes from, both with all their own defaults."""

    task: str
    recipe: str
    first: str
    second: str
    trained_by: str
    seeds: Count
    measure: Measure
    accuracies: tuple[float, float]
    """With all defaults of the first, and with all of the second: means over the seeds."""
    interval: tuple[float, float] | None = None
    """95 % interval of the difference, second minus first."""
    contributions: list[Contribution]
    """The largest first. Their forward changes add up to the whole difference, and so do their backward ones."""

    @property
    def difference(self) -> float:
        return self.accuracies[1] - self.accuracies[0]


class Cause(Record):
    """A default of a framework that explains how a backend differs."""

    framework: str
    name: str
    cause: str
    where: str


class Diagnosis(Record):
    """Whether a backend trains the model of a task and, if not, which defaults it has in the place of the recipe's."""

    task: str
    recipe: str
    backend: str
    granted: bool
    failure: str = ""
    """The first quantity that differs; empty where none does."""
    causes: list[Cause] = []
    """With these turned on, the reference is the backend's model; empty where neither one nor two explain it."""
    tried: Count = 0
    """How many defaults, and pairs of them, were tried."""
