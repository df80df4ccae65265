"""Everything that one command measured: the content of ``results.json``."""

from collections.abc import Collection
from typing import Literal

from pydantic import JsonValue

from backends.base import Setting
from compare.records.base import Record, Sha256
from compare.records.certificate import Certificate, Pair
from compare.records.run import Run

SCHEMA_VERSION = 2


class Results(Record):
    """A run: everything in ``results.json``."""

    schema_version: Literal[2] = 2
    created: str
    command: str = ""
    host: dict[str, Setting]
    hosts: dict[str, dict[str, Setting]] = {}
    """The machines of a cluster, by the names that runs have for them."""
    settings: dict[str, Setting] = {}
    options: dict[str, JsonValue] = {}
    """Those of the run that differ from their defaults; a run that is resumed goes on with them."""
    definitions: dict[str, Sha256] = {}
    """By task and recipe: the hash of the architecture and the recipe."""
    own_tasks: dict[str, dict[str, JsonValue]] = {}
    """What the user's own tasks are made from, by name: the content of their files."""
    runs: list[Run] = []
    certificates: list[Certificate] = []
    pairs: list[Pair] = []

    def runs_of(self, tasks: Collection[tuple[str, str]]) -> list[Run]:
        """The runs of these tasks and recipes."""
        return [run for run in self.runs if (run.task, run.recipe) in tasks]

    def certificate_of(self, run: Run) -> Certificate | None:
        """The certificate for a run's task, recipe, backend, mode and device."""
        subject = run.subject
        return next((certificate for certificate in self.certificates if certificate.subject == subject), None)

    def verified(self, run: Run) -> bool:
        """Whether the run's model was certified and the run itself was checked; only such runs are ranked."""
        certificate = self.certificate_of(run)
        return certificate is not None and certificate.granted and run.check is not None and run.check.passed
