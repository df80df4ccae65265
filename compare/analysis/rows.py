"""A row of the report: all runs of one backend, mode, device and workload."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean, median

from backends.base import EAGER
from compare.analysis.statistics import MINIMUM_ROUNDS, Estimate, flag_outliers, mean_interval, median_interval
from compare.records.certificate import Certificate
from compare.records.run import Run
from compare.text import MEASURES, clean

CONDITIONS = ("threads", "affinity", "flush_denormals", "last_batch", "learning_rate", "own_randomness")
"""Settings that rows must share to be ranked together: those of the machine and of the task, not of the backend."""

Key = tuple[int, int]
"""Seed and round."""


@dataclass(frozen=True)
class Row:
    """All runs of one backend, mode, device and workload.

    Attributes:
        runs: in the order of the file, including those that failed.
        certificate: the certificate of the row's backend, mode and device, if there is one.
        matrix_rate: the most operations per second that a large matrix product reached in any run of the comparison on
            the row's device: of one rate for all rows, so that a slow library does not flatter its framework.
    """

    runs: tuple[Run, ...]
    certificate: Certificate | None
    matrix_rate: float | None = None

    @property
    def first(self) -> Run:
        return self.runs[0]

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.first.backend, self.first.mode, self.first.device)

    @property
    def workload(self) -> tuple[int, int | None, int | None]:
        """Epochs, examples and batch size; None for all examples and for the recipe's batch size."""
        return (self.first.epochs, self.first.examples, self.first.batch_size)

    @cached_property
    def completed(self) -> tuple[Run, ...]:
        """The runs that ended with status ``ok``."""
        return tuple(run for run in self.runs if run.status == "ok")

    @property
    def verified(self) -> bool:
        return self.certificate_text == "granted"

    @cached_property
    def certificate_text(self) -> str:
        """``granted`` where the certificate and the checks of all completed runs are; else what speaks against it."""
        if self.certificate is None:
            return "unverified: no certificate"
        if not self.certificate.granted:
            return f"{self.certificate.outcome}: {clean(self.certificate.failure)}"
        for outcome in ("refused", "undecidable"):
            for run in self.completed:
                if run.check is not None and run.check.outcome == outcome:
                    return f"{outcome}: {clean(run.check.failure)}"
        if any(run.check is None for run in self.completed):
            return "unverified: a run was not checked"
        return "granted"

    @property
    def steps(self) -> int | None:
        """The training steps that the checks speak for; None if an earlier version made them."""
        return next((run.check.steps for run in self.completed if run.check is not None), None)

    @cached_property
    def status(self) -> str:
        """The status that all runs share, or how many runs ended with which: ``4 ok, 1 timeout``."""
        counts = Counter(run.status for run in self.runs)
        if len(counts) == 1:
            return self.first.status
        return ", ".join(f"{count} {status}" for status, count in counts.items())

    @cached_property
    def speeds(self) -> dict[Key, float]:
        """Training examples per second of the completed runs, by seed and round."""
        speeds = {(run.seed, run.round): run.examples_per_second for run in self.completed}
        return {key: speed for key, speed in speeds.items() if speed is not None and speed > 0}

    @property
    def rounds(self) -> int:
        return len({round_ for _, round_ in self.speeds})

    @cached_property
    def speed(self) -> Estimate | None:
        """The median speed; it has an interval only from three rounds on, however many seeds there are."""
        if not self.speeds:
            return None
        estimate = median_interval(list(self.speeds.values()))
        return estimate if self.rounds >= MINIMUM_ROUNDS else Estimate(estimate.value, None, estimate.count)

    @cached_property
    def outliers(self) -> int:
        return sum(flag_outliers(list(self.speeds.values()))) if self.speeds else 0

    @property
    def drifting(self) -> str:
        """From where on rounding alone drives right runs apart; empty where it does not, or the row is not verified."""
        records = (self.certificate, *(run.check for run in self.completed))
        found = [clean(record.failure) for record in records if record is not None and record.failure]
        return found[0] if found and self.verified else ""

    @cached_property
    def accuracies(self) -> dict[int, float]:
        """Test accuracy by seed: the mean over the seed's rounds."""
        by_seed: dict[int, list[float]] = {}
        for run in self.completed:
            if run.accuracy is not None:
                by_seed.setdefault(run.seed, []).append(run.accuracy)
        return {seed: fmean(accuracies) for seed, accuracies in by_seed.items()}

    @cached_property
    def measure(self) -> str:
        """What an accuracy of the row is called: R² where numbers are predicted."""
        return MEASURES[next((run.measure for run in self.completed), "accuracy")]

    @property
    def resolution(self) -> float:
        """The least difference of two accuracies: that of one test example; R² has none."""
        examples = [run.test_examples for run in self.completed if run.test_examples]
        return 1 / min(examples) if examples and self.measure == "accuracy" else 0.0

    @cached_property
    def accuracy(self) -> Estimate | None:
        """The mean over the seeds; its interval stays within 0 and 1, and one test example is its least deviation."""
        if not self.accuracies:
            return None
        estimate = mean_interval(list(self.accuracies.values()), self.resolution)
        if estimate.interval is None:
            return estimate
        low, high = estimate.interval
        return replace(estimate, interval=(max(low, 0.0) if self.measure == "accuracy" else low, min(high, 1.0)))

    def median_of(self, field: str) -> float | None:
        """The median of one field over the completed runs that have it."""
        values = [value for run in self.completed if (value := getattr(run, field, None)) is not None]
        return median(values) if values else None

    @property
    def share_of_matrix_rate(self) -> float | None:
        """The rate of the training's matrix products, the median of the runs, as a share of ``matrix_rate``."""
        rates = [rate for run in self.completed if (rate := run.operations_per_second) is not None]
        return median(rates) / self.matrix_rate if rates and self.matrix_rate else None

    def compile_seconds(self, *, warm: bool) -> float | None:
        """The median over the runs whose compilers found their cache filled by an earlier round, or over the others."""
        runs = [run for run in self.completed if (run.compile_cache == "filled") == warm]
        values = [run.compile_seconds for run in runs if run.compile_seconds is not None]
        return median(values) if values else None

    @property
    def conditions(self) -> tuple[tuple[str, object], ...]:
        settings = self.completed[0].settings if self.completed else {}
        return tuple((name, settings[name]) for name in CONDITIONS if name in settings)

    @cached_property
    def refusal(self) -> str:
        """Why the row is not ranked; empty if it may be."""
        if not self.completed:
            return self.status
        if not self.verified:
            return f"its certificate is {self.certificate_text}" if self.certificate else self.certificate_text
        if not self.speeds:
            return "no speed was measured"
        if eager := next((how for run in self.completed if (how := _compiled(run)).startswith(EAGER)), ""):
            return f"not compiled: {clean(eager)}"
        if any(run.versions != self.completed[0].versions for run in self.completed):
            return "its runs differ in versions"
        if len(self._data_hashes) > 1:
            return "its runs differ in data"
        if len({tuple(run.settings.get(name) for name in CONDITIONS) for run in self.completed}) > 1:
            return "its runs differ in settings"
        return ""

    @property
    def data_sha256(self) -> str | None:
        """Hash of the data that the runs were trained on, if it is known."""
        return next(iter(self._data_hashes), self.certificate.data_sha256 if self.certificate else None)

    @property
    def _data_hashes(self) -> list[str]:
        # Only the run that a certificate is made for reads its data back: the other runs have no hash.
        return list(dict.fromkeys(run.data_sha256 for run in self.completed if run.data_sha256 is not None))


def _compiled(run: Run) -> str:
    return str(run.settings.get("compiled", ""))


def measure_of(rows: Iterable[Row]) -> str:
    """What the accuracies of rows of one task are called."""
    return next((row.measure for row in rows if row.completed), MEASURES["accuracy"])


def measures_of(rows: Iterable[Row]) -> str:
    """The same in the plural."""
    measure = measure_of(rows)
    return "accuracies" if measure == "accuracy" else measure
