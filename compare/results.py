"""What a run writes: the schema of ``results.json``, reading and writing it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backends.base import Setting
from tasks.errors import SideBySideError
from tasks.files import write_whole as write_whole

SCHEMA_VERSION = 1
FILE_NAME = "results.json"
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""For each older version of the schema that is still read: its content in, the next version's out."""
Status = Literal["ok", "diverged", "timeout", "out-of-memory", "crashed", "skipped", "interrupted"]
# Bounds that no real run reaches, and within which no median, ratio or sum of a report overflows.
Count = Annotated[int, Field(ge=0, le=10**18)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, le=1e18)]
Rate = Annotated[float, Field(ge=1e-18, le=1e18)]
Loss = Annotated[float, Field(ge=-1e300, le=1e300)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ResultsError(SideBySideError):
    """A results file that is missing, damaged, or newer than this version."""


class _Record(BaseModel):
    # JSON has no NaN and no infinity: written as null, they would make the whole file unreadable.
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class Run(_Record):
    """One cell and what came of it. Times are in seconds; a field is None where the cell did not get so far."""

    task: str
    recipe: str
    backend: str
    mode: str
    device: str
    seed: Count
    round: Count = 0
    epochs: Count
    examples: Count | None = None
    batch_size: Count | None = None
    status: Status
    message: str = ""
    versions: dict[str, str] = {}
    settings: dict[str, Setting] = {}
    parameter_count: Count | None = None
    parameter_counts: dict[str, Count] = {}
    parameters_sha256: Sha256 | None = None
    batches_sha256: Sha256 | None = None
    data_sha256: Sha256 | None = None
    losses: list[Loss] = []
    """The mean over each epoch's examples."""
    accuracies: list[Fraction] = []
    """Test accuracy after each of the training calls that ``accuracy_epochs`` counts."""
    accuracy_epochs: list[Count] = []
    accuracy: Fraction | None = None
    """Test accuracy after the last epoch."""
    test_examples: Annotated[Count, Field(ge=1)] | None = None
    """How many examples an accuracy is of."""
    import_seconds: Amount | None = None
    build_seconds: Amount | None = None
    first_epoch_seconds: Amount | None = None
    compile_seconds: Amount | None = None
    """Of the first training call of each length the seconds above those of steady epochs: tracing, compiling."""
    compile_cache: Literal["", "empty", "filled", "kept"] = ""
    """What the compilers found: no cache, one that an earlier round filled, or the user's own, as it happens to be."""
    epoch_seconds: list[Rate] = []
    """Steady epochs: the seconds of each timed call over the epochs in it, compilation excluded."""
    epochs_a_call: Count | None = None
    evaluate_seconds: Amount | None = None
    total_seconds: Amount | None = None
    """From the start of the process to its result, certificate and extra timing excluded."""
    first_epoch_end_seconds: Amount | None = None
    """From the start of the process to the end of the first epoch."""
    target_accuracy: Fraction | None = None
    seconds_to_target: Amount | None = None
    """Seconds of training calls until the test accuracy reached the target, evaluation off the clock."""
    examples_per_second: Rate | None = None
    """Median of the steady epochs."""
    inference_examples_per_second: Rate | None = None
    latency_seconds: Amount | None = None
    """Of a single example: the median."""
    latency_95_seconds: Amount | None = None
    peak_memory_bytes: Count | None = None
    """The process's peak above its level before the framework was imported; on a GPU the device's own peak."""
    import_memory_bytes: Count | None = None
    memory_source: str = ""
    operations_per_epoch: Count | None = None
    """Floating-point operations of the matrix products, forward and backward, by arithmetic."""
    matrix_operations_per_second: Rate | None = None
    """What a large float32 matrix product reaches in the same process."""
    runner_cpu_share: Amount | None = None
    """Of one core, used by the parent process while the cell ran."""
    load_average: Amount | None = None
    """Of the machine, over the minute before the cell."""

    @property
    def share_of_matrix_rate(self) -> float | None:
        """The rate of the training's matrix products, as a share of a large product's in the same process."""
        seconds = median(self.epoch_seconds) if self.epoch_seconds else 0.0
        if not (self.operations_per_epoch and self.matrix_operations_per_second and seconds > 0):
            return None
        return self.operations_per_epoch / seconds / self.matrix_operations_per_second


class Distance(_Record):
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


class Certificate(_Record):
    """Whether a backend computes the same model as the reference, and the figures that show it."""

    task: str
    recipe: str
    backend: str
    mode: str
    device: str
    seed: Count
    granted: bool
    failure: str = ""
    """The first quantity that fails, with its layer."""
    parameters_sha256: Sha256
    batches_sha256: Sha256
    data_sha256: Sha256
    parameter_counts: dict[str, Count]
    distances: list[Distance]

    @property
    def subject(self) -> tuple[str, ...]:
        """What is certified."""
        return (self.task, self.recipe, self.backend, self.mode, self.device)


class Pair(_Record):
    """How far two certified backends are from each other: the quantity in which they differ most."""

    task: str
    recipe: str
    first: str
    second: str
    quantity: str
    relative: float


class Results(_Record):
    """A run: everything in ``results.json``."""

    schema_version: Literal[1] = 1
    created: str
    command: str = ""
    host: dict[str, Setting]
    settings: dict[str, Setting] = {}
    runs: list[Run] = []
    certificates: list[Certificate] = []
    pairs: list[Pair] = []

    def certificate_of(self, run: Run) -> Certificate | None:
        """The certificate for a run's task, recipe, backend, mode and device."""
        subject = (run.task, run.recipe, run.backend, run.mode, run.device)
        return next((certificate for certificate in self.certificates if certificate.subject == subject), None)

    def verified(self, run: Run) -> bool:
        """Whether the run's model was certified; only such runs are ranked."""
        certificate = self.certificate_of(run)
        return certificate is not None and certificate.granted


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_results(folder: Path, results: Results) -> Path:
    """Writes ``results.json`` whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    write_whole(path, results.model_dump_json(indent=1).encode())
    return path


def read_results(folder: Path) -> Results:
    """Reads a run's folder, or a results file itself.

    Raises:
        ResultsError: there is none, it is damaged, or it was written by a newer version.
    """
    path = folder / FILE_NAME if folder.is_dir() else folder
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read ({error.strerror}); name the folder of a run") from error
    version = _version(content)
    if version is not None and version > SCHEMA_VERSION:
        raise ResultsError(f"{path}: written by a newer sidebyside (schema {version}); update to read it")
    try:
        return Results.model_validate_json(_upgraded(content, version))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "content"
        reason = " ".join(f"{where}: {first['msg']}".split())[:300]
        raise ResultsError(f"{path}: not a results file ({reason})") from error


def _upgraded(content: bytes, version: int | None) -> bytes:
    """An older version's content as this version would have written it; all other content as it is."""
    if version not in UPGRADES:
        return content
    values = json.loads(content)
    while version in UPGRADES:
        values = UPGRADES[version](values)
        version += 1
        values["schema_version"] = version
    return json.dumps(values).encode()


def _version(content: bytes) -> int | None:
    try:
        values: Any = json.loads(content)
    except (ValueError, RecursionError):
        return None
    version = values.get("schema_version") if isinstance(values, dict) else None
    return version if isinstance(version, int) else None
