"""What a worker tells its parent: a line of JSON on its standard output for each event, the last of them the reply."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from compare.records.base import Count, FiniteLoss, Record, Score, Sha256, Status
from compare.records.effect import EffectFigures
from compare.records.profile import Profile
from compare.records.run import Run
from tasks.dataset import Measure


class Phase(Record):
    """A new phase of the work has begun: ``import``, ``build``, ``train``, ``measure`` or ``certify``."""

    event: Literal["phase"] = "phase"
    name: str


class EpochEnd(Record):
    """Training has reached the end of an epoch; loss and accuracy are None where they are not finite."""

    event: Literal["epoch"] = "epoch"
    epoch: int
    epochs: int
    loss: FiniteLoss | None = None
    accuracy: Score | None
    measure: Measure = "accuracy"


class Measured(Record):
    """The cell is measured. This stands even if the certificate that is computed next should fail."""

    event: Literal["measured"] = "measured"
    run: Run


class EvidenceSummary(Record):
    """The part of the evidence that is not arrays: names, hashes and counts of what the framework holds."""

    quantities: tuple[str, ...]
    """The names of the arrays, in the order in which they were computed."""
    parameters_sha256: Sha256
    data_sha256: Sha256
    batches_sha256: Sha256
    parameter_counts: dict[str, Count]
    """By layer."""
    parameter_count: Count


class TrainingCall(Record):
    """One call of ``Model.train`` in a cell; its steps are counted from 1, on through all calls of the cell."""

    first_step: int
    last_step: int
    losses: int
    """How many losses it returned: one of each step, or the mean of each epoch."""

    @property
    def steps(self) -> int:
        """How many steps it made."""
        return self.last_step - self.first_step + 1

    @property
    def steps_a_loss(self) -> int:
        """Of how many steps each of its losses is the mean."""
        return -(-self.steps // max(self.losses, 1))


class Reply(Record):
    """The answer to a request. After it, the worker waits for the next request."""

    event: Literal["reply"] = "reply"
    status: Status = "ok"
    message: str = ""
    """What went wrong, in one line."""
    run: Run | None = None
    """To a CellRequest: what was measured, as far as it came."""
    evidence: EvidenceSummary | None = None
    """To an EvidenceRequest, or a CellRequest that names a file for the evidence."""
    calls: tuple[TrainingCall, ...] = ()
    """To a CellRequest: the training calls, first those of the recipe, then those that were made for their time."""
    effect: EffectFigures | None = None
    """To an EffectRequest."""
    profile: Profile | None = None
    """To a ProfileRequest; None where the backend has no profiler."""
    value: JsonValue = None
    """To a LessonRequest its outputs by name, to a CallRequest what the function returned."""
    seconds: float = 0.0
    """How long the work took."""


AnyEvent = Annotated[Phase | EpochEnd | Measured | Reply, Field(discriminator="event")]
