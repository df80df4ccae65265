"""A run: a cell, how it ended, and what was measured."""

from statistics import median
from typing import Annotated, Literal

from pydantic import Field, model_validator

from backends.base import Setting
from compare.records.base import Amount, Count, FiniteLoss, Fraction, Rate, Record, Score, Sha256, Status
from compare.records.cell import Cell
from compare.records.check import Check
from compare.records.profile import Profile
from tasks.dataset import Measure


class Curve(Record):
    """How a model does on the test set while it is trained."""

    epochs: list[Count]
    """The numbers of epochs after which it was tested: all of them, or about a hundred where there are more."""
    losses: list[FiniteLoss]
    """The recipe's loss on the whole test set, the validation loss; it ends where the loss is no longer finite."""
    accuracies: list[Score]
    apart: bool
    """Whether the curve is of a second training, off the clock: a stock loop is timed in few calls for all epochs."""
    training_losses: list[FiniteLoss] = []
    """Of a second training: the mean over each epoch's examples, to be held against those of the run."""


class MachineRate(Record):
    """What the machine did in a moment, by NumPy alone."""

    matrix_operations_per_second: Rate
    """Of float32 matrix products."""
    copied_bytes_per_second: Rate
    throttles: Count | None = None
    """How often a core has been slowed for heat since the system started; None where it does not tell."""


class Gpu(Record):
    """What NVIDIA's driver tells of the GPU that a cell ran on; a field is None where it does not tell."""

    name: str
    driver: str = ""
    memory_bytes: Count | None = None
    """Of the cell's process after its training, libraries and the framework's reserve included."""
    joules_per_example: Amount | None = None
    """Of the whole GPU, over the timed calls."""
    clock_mhz: Amount | None = None
    """Of its multiprocessors, right after the last timed call."""
    highest_clock_mhz: Amount | None = None
    slowed_for: list[str] = []
    """Why the driver kept the clock down then: heat, say."""
    other_processes: Count | None = None
    """That used the GPU too, right after the last timed call."""


class Run(Cell):
    """One cell and what came of it. Times are in seconds; a field is None where the cell did not get so far."""

    status: Status
    message: str = ""
    host: str = ""
    """The machine of a cluster that it ran on, one of the results' ``hosts``; empty for the machine of the run."""
    versions: dict[str, str] = {}
    settings: dict[str, Setting] = {}
    parameter_count: Count | None = None
    parameter_counts: dict[str, Count] = {}
    parameters_sha256: Sha256 | None = None
    batches_sha256: Sha256 | None = None
    data_sha256: Sha256 | None = None
    check: Check | None = None
    """Of this run itself, beside the certificate; None where none was asked for."""
    diverged_step: Count | None = None
    """The first step, counted from 1, whose loss, or the parameters after it, were not finite."""
    losses: list[FiniteLoss] = []
    """The mean over each epoch's examples."""
    nudged_losses: list[list[FiniteLoss]] = []
    """The same of trainings from moved parameters, off the clock: how far rounding can lead. Of one run of a task."""
    second_losses: list[list[FiniteLoss]] = []
    """Of trainings from moved parameters, made where the run's own losses were too far from those of the others."""
    measure: Measure = "accuracy"
    """What every accuracy of the run is; of a regression R², the coefficient of determination."""
    accuracies: list[Score] = []
    """Test accuracy after each of the training calls that ``accuracy_epochs`` counts."""
    accuracy_epochs: list[Count] = []
    curve: Curve | None = None
    accuracy: Score | None = None
    """Test accuracy after the last epoch."""
    test_examples: Annotated[Count, Field(ge=1)] | None = None
    """How many examples an accuracy is of."""
    import_seconds: Amount | None = None
    build_seconds: Amount | None = None
    first_epoch_seconds: Amount | None = None
    compile_seconds: Amount | None = None
    """Seconds spent tracing and compiling: first calls minus the time of their epochs once compiled."""
    compile_cache: Literal["", "empty", "filled", "kept"] = ""
    """The compilers' cache: empty, filled by an earlier round of this run, or the user's own, whatever is in it."""
    epoch_seconds: list[Rate] = []
    """Steady epochs: the seconds of each timed call over the epochs in it, compilation excluded."""
    epochs_a_call: Count | None = None
    race: dict[str, Rate] = {}
    """The race that chose the tuned loop's formulation: the examples per second of each; empty where there was none."""
    profile: Profile | None = None
    """Where the time of its steps goes; looked at for the first run of a row, where that was asked for."""
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
    gpu: Gpu | None = None
    operations_per_epoch: Count | None = None
    """Floating-point operations of the matrix products, forward and backward, by arithmetic."""
    matrix_operations_per_second: Rate | None = None
    """What a large float32 matrix product of the framework's reaches in the same process."""
    runner_cpu_share: Amount | None = None
    """Of one core, used by the parent process while the cell ran."""
    load_average: Amount | None = None
    """Of the machine, over the minute before the cell."""
    machine: list[MachineRate] = []
    """Before the framework was imported, and after the last timed call."""
    outside_load: Amount | None = None
    """Cores that other processes kept busy before and while the cell was timed, the mean; None if it is unknown."""

    @model_validator(mode="after")
    def _accuracies_are_shares(self) -> "Run":
        if self.measure == "accuracy" and min([self.accuracy or 0, *self.accuracies]) < 0:
            raise ValueError("an accuracy is below 0")
        return self

    @property
    def unchecked(self) -> bool:
        """Whether an earlier version measured it, which made no checks."""
        return self.check is not None and self.check.outcome == "unchecked"

    @property
    def operations_per_second(self) -> float | None:
        """The rate of the training's matrix products."""
        seconds = median(self.epoch_seconds) if self.epoch_seconds else 0.0
        return self.operations_per_epoch / seconds if self.operations_per_epoch and seconds > 0 else None
