"""The check of a run: what its own training, the one that was timed, was held against, and the judgement."""

from typing import Literal

from compare.records.base import Count, Record
from compare.records.certificate import FAR, Distance

Outcome = Literal["granted", "refused", "undecidable", "unchecked"]


class Window(Record):
    """Some steps of a run that the reference computed again, from what the run's model held before them."""

    first_step: Count
    """From 1, on through all training calls; those after the recipe's last step were made for their time."""
    last_step: Count
    first_apart: Count | None = None
    """The first step whose loss is too far from the reference's."""
    distances: list[Distance]
    """Of the losses and, where a call ends with these steps, of the test outputs and of one parameter: the first that
    is too far off, or the one that is nearest to its limit."""

    @property
    def passed(self) -> bool:
        """Whether nothing is too far off."""
        return all(distance.passed for distance in self.distances)

    @property
    def may_be_rounding(self) -> bool:
        """Whether something is too far off, but nothing so far that rounding could not lead there."""
        return not self.passed and all(distance.passed or distance.share < FAR for distance in self.distances)


class Check(Record):
    """Whether the run that was timed was the training that the task describes."""

    outcome: Outcome
    """``undecidable``: rounding alone moves what is compared too far. ``unchecked``: by an earlier version."""
    failure: str = ""
    """The first thing that is wrong, with its step; of a run that is granted, from where on comparing its losses with
    those of other runs says nothing."""
    steps: Count | None = None
    """Of the recipe, all of which were to be made."""
    seed: Count | None = None
    """By which the windows and the test examples were drawn, after the run."""
    windows: list[Window] = []

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against the run."""
        return self.outcome in ("granted", "unchecked")
