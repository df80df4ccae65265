"""Certificates: how far each quantity is from the reference, the judgement, and how far two backends are apart."""

from typing import Literal

from compare.records.base import Count, Record, Sha256
from compare.records.cell import Subject


class Distance(Record):
    """How far one quantity is from the float64 reference, and how far it may be."""

    quantity: str
    absolute: float
    relative: float
    reference_absolute: float
    reference_relative: float
    limit: float
    """Of the relative distance."""
    absolute_limit: float
    passed: bool
    decidable: bool = True
    """Whether rounding alone moves the quantity so little that its distance says something."""

    @property
    def share(self) -> float:
        """How much of its limit a quantity uses up: the larger share of its relative and its absolute distance."""
        pairs = ((self.relative, self.limit), (self.absolute, self.absolute_limit))
        return max(distance / limit if limit else float(distance > 0) for distance, limit in pairs)


FAR = 30
"""Rounding does not lead this many times as far as three roundings allow; to 11 times, a ReLU at its kink did once."""


class Certificate(Subject):
    """Whether a backend computes the same model as the reference, and the figures that show it."""

    seed: Count
    granted: bool
    failure: str = ""
    """The first quantity that fails, with its layer; or that rounding alone moves too far, where ``undecidable``."""
    undecidable: bool = False
    """Whether rounding alone moves a quantity too far: those before it passed, and it and later ones were not judged.
    The certificate is granted all the same if those before it include some steps of training."""
    parameters_sha256: Sha256
    batches_sha256: Sha256
    data_sha256: Sha256
    parameter_counts: dict[str, Count]
    distances: list[Distance]

    @property
    def outcome(self) -> Literal["granted", "refused", "undecidable"]:
        """The judgement in a word."""
        if self.granted:
            return "granted"
        return "undecidable" if self.undecidable else "refused"

    @property
    def may_be_rounding(self) -> bool:
        """Whether it is refused by a figure that is too far off, but not so far that rounding could not lead there."""
        shares = {distance.quantity: distance.share for distance in self.distances if not distance.passed}
        return self.outcome == "refused" and shares.get(self.failure, FAR) < FAR


class Pair(Record):
    """How far two certified backends are from each other: the quantity in which they differ most."""

    task: str
    recipe: str
    first: str
    second: str
    quantity: str
    relative: float
