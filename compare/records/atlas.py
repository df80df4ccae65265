"""The atlas of defaults, as it was read from the installed frameworks."""

from compare.records.base import Record


class AtlasRow(Record):
    """One thing that is set, and what each framework sets it to."""

    kind: str
    name: str
    argument: str
    values: dict[str, str]
    """By framework."""
    differs: bool
    """Whether the frameworks that have it do not all have the same."""
    effect: float | None = None
    """How far it leads in a small example; see :mod:`compare.explain.example`. None where there is no example."""


class Atlas(Record):
    """The rows, and the versions that they were read from."""

    versions: dict[str, dict[str, str]]
    """By framework, of its packages."""
    rows: list[AtlasRow]
