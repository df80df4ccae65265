"""A row of the report: all runs of one backend, mode, device and workload."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, median

from compare.results import Certificate, Run
from compare.statistics import MINIMUM_ROUNDS, Estimate, flag_outliers, mean_interval, median_interval
from compare.text import clean

CONDITIONS = ("threads", "affinity", "flush_denormals", "last_batch")
"""Settings that rows must share to be ranked together: what the machine gives and what the task asks."""

Key = tuple[int, int]
"""Seed and round."""


@dataclass(frozen=True)
class Row:
    """All runs of one backend, mode, device and workload.

    Attributes:
        runs: in the order of the file, failed ones included.
        certificate: of the row's subject, if there is one.
    """

    runs: tuple[Run, ...]
    certificate: Certificate | None

    @property
    def first(self) -> Run:
        return self.runs[0]

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.first.backend, self.first.mode, self.first.device)

    @property
    def workload(self) -> tuple[int, int | None, int | None]:
        return (self.first.epochs, self.first.examples, self.first.batch_size)

    @cached_property
    def well(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.status == "ok")

    @property
    def verified(self) -> bool:
        return self.certificate is not None and self.certificate.granted

    @property
    def certificate_text(self) -> str:
        if self.certificate is None:
            return "unverified: no certificate"
        return "granted" if self.certificate.granted else f"refused: {clean(self.certificate.failure)}"

    @cached_property
    def status(self) -> str:
        """``ok``, or how many runs ended how."""
        counts = Counter(run.status for run in self.runs)
        if len(counts) == 1:
            return self.first.status
        return ", ".join(f"{count} {status}" for status, count in counts.items())

    @cached_property
    def speeds(self) -> dict[Key, float]:
        """Examples per second by seed and round, of the runs that ended well."""
        found = {(run.seed, run.round): run.examples_per_second for run in self.well}
        return {key: speed for key, speed in found.items() if speed is not None and speed > 0}

    @property
    def rounds(self) -> int:
        return len({round_ for _, round_ in self.speeds})

    @cached_property
    def speed(self) -> Estimate | None:
        """The median; its interval only from three rounds on, however many seeds there are."""
        if not self.speeds:
            return None
        estimate = median_interval(list(self.speeds.values()))
        return estimate if self.rounds >= MINIMUM_ROUNDS else Estimate(estimate.value, None, estimate.count)

    @cached_property
    def outliers(self) -> int:
        return sum(flag_outliers(list(self.speeds.values()))) if self.speeds else 0

    @cached_property
    def accuracies(self) -> dict[int, float]:
        """By seed: the mean over its rounds."""
        seeds = dict.fromkeys(run.seed for run in self.well if run.accuracy is not None)
        return {
            seed: fmean(run.accuracy for run in self.well if run.seed == seed and run.accuracy is not None)
            for seed in seeds
        }

    @cached_property
    def accuracy(self) -> Estimate | None:
        return mean_interval(list(self.accuracies.values())) if self.accuracies else None

    def median_of(self, field: str) -> float | None:
        """The median of a run's field over the runs that ended well."""
        values = [value for run in self.well if (value := getattr(run, field, None)) is not None]
        return median(values) if values else None

    def compile_seconds(self, *, warm: bool) -> float | None:
        """The median over the runs whose compilers found their cache filled by an earlier round, or over the others."""
        runs = [run for run in self.well if (run.compile_cache == "filled") == warm]
        values = [run.compile_seconds for run in runs if run.compile_seconds is not None]
        return median(values) if values else None

    @property
    def conditions(self) -> tuple[tuple[str, object], ...]:
        settings = self.well[0].settings if self.well else {}
        return tuple((name, settings[name]) for name in CONDITIONS if name in settings)

    @cached_property
    def refusal(self) -> str:
        """Why the row is not ranked; empty where it may be."""
        if not self.well:
            return self.status
        if not self.verified:
            return f"certificate {self.certificate_text}" if self.certificate else self.certificate_text
        if not self.speeds:
            return "no speed was measured"
        if any(run.versions != self.well[0].versions for run in self.well):
            return "its runs differ in versions"
        if len(self._data) > 1:
            return "its runs differ in data"
        if any([run.settings.get(name) for name in CONDITIONS] != self._conditions_values for run in self.well):
            return "its runs differ in settings"
        return ""

    @property
    def data_sha256(self) -> str | None:
        """Of the data that the runs were trained on, as far as it is known."""
        return next(iter(self._data), self.certificate.data_sha256 if self.certificate else None)

    @property
    def _data(self) -> list[str]:
        # Only the run that a certificate is made of reads its data back: the others have no hash.
        return list(dict.fromkeys(run.data_sha256 for run in self.well if run.data_sha256 is not None))

    @property
    def _conditions_values(self) -> list[object]:
        return [self.well[0].settings.get(name) for name in CONDITIONS]
