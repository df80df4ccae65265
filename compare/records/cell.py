"""What is run: a subject, and a cell, which is a subject with a seed, a round and a workload."""

import re
from hashlib import sha256
from typing import Annotated, Self

from pydantic import Field

from compare.records.base import Count, Record

_SAFE = re.compile(r"[A-Za-z0-9_-]*")
"""Names of tasks that are files' names too; of others, which variations have, the hash tells them apart."""


class Subject(Record):
    """What a certificate is about: one task and recipe on one backend, mode and device."""

    task: str
    recipe: str
    backend: str
    mode: str
    device: str

    @property
    def subject(self) -> "Subject":
        """The subject of a record that holds more."""
        return Subject(**{name: getattr(self, name) for name in Subject.model_fields})

    @property
    def file_name(self) -> str:
        """A name that is safe as a file name, without an ending."""
        task = self.task if _SAFE.fullmatch(self.task) else f"{self.task}-{sha256(self.task.encode()).hexdigest()[:8]}"
        return _file_name(task, self.recipe, self.backend, self.mode, self.device)


class Cell(Subject):
    """One training of one subject: with a seed, in a round, for some epochs."""

    seed: Count
    round: Count = 0
    epochs: Count
    examples: Count | None = None
    batch_size: Count | None = None
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """In place of the recipe's."""

    @property
    def cell(self) -> "Cell":
        """The cell of a record that holds more."""
        return Cell(**{name: getattr(self, name) for name in Cell.model_fields})

    @property
    def file_name(self) -> str:
        """A name that is safe as a file name, without an ending, and that no other cell has."""
        workload = [f"epochs{self.epochs}"]
        workload += [f"examples{self.examples}"] if self.examples is not None else []
        workload += [f"batch{self.batch_size}"] if self.batch_size is not None else []
        workload += [_file_name(f"rate{self.learning_rate:g}")] if self.learning_rate is not None else []
        return f"{self.short_file_name}.{'.'.join(workload)}"

    @property
    def short_file_name(self) -> str:
        """The name that earlier versions gave to a cell's files: cells that differ in their workload shared it."""
        return f"{super().file_name}.{_file_name(f'seed{self.seed}', f'round{self.round}')}"

    def on(self, backend: str, mode: str, device: str) -> Self:
        """The same work on another backend, mode and device."""
        return self.model_copy(update={"backend": backend, "mode": mode, "device": device})


def _file_name(*words: str) -> str:
    return ".".join(re.sub(r"[^A-Za-z0-9_@-]+", "-", word) for word in words)
