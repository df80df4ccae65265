"""Certificates: how far each quantity is from the reference, the judgement, and how far two backends are apart."""

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


class Certificate(Subject):
    """Whether a backend computes the same model as the reference, and the figures that show it."""

    seed: Count
    granted: bool
    failure: str = ""
    """The first quantity that fails, with its layer."""
    parameters_sha256: Sha256
    batches_sha256: Sha256
    data_sha256: Sha256
    parameter_counts: dict[str, Count]
    distances: list[Distance]


class Pair(Record):
    """How far two certified backends are from each other: the quantity in which they differ most."""

    task: str
    recipe: str
    first: str
    second: str
    quantity: str
    relative: float
