"""Exports of stored results to experiment trackers: MLflow, and event files for TensorBoard.

Each run becomes a run there, once: what has been logged already is left out.
"""

import contextlib
import importlib.util
import logging
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType

from compare.records.results import Results
from compare.records.run import Run
from compare.text import clean, label
from tasks.errors import SideBySideError, one_line

KINDS = {"mlflow": ("mlflow", "mlflow:sqlite:///runs.db"), "tensorboard": ("tensorboard", "tensorboard:FOLDER")}
"""Each tracker's module, and an example of what is written for it."""
EXPERIMENT = "sidebyside"
TAG = "sidebyside.run"
"""The tag by which a run that has been logged is known again."""
FIGURES = (
    "accuracy", "examples_per_second", "inference_examples_per_second", "latency_seconds", "latency_95_seconds",
    "import_seconds", "build_seconds", "compile_seconds", "first_epoch_seconds", "total_seconds", "seconds_to_target",
    "peak_memory_bytes", "matrix_operations_per_second", "operations_per_second", "load_average", "outside_load",
    "parameter_count", "test_examples",
)  # fmt: skip
"""The fields of a run that are logged as figures of the whole run."""
CELL = ("task", "recipe", "backend", "mode", "device", "seed", "round", "epochs", "examples", "batch_size")
BATCH = 1000
"""Figures that MLflow takes at once."""


class TrackerError(SideBySideError):
    """Results cannot be logged; one line that says what to do."""


def check_target(target: str) -> str:
    """Where results are to be logged, if it is a place for them.

    Raises:
        TrackerError: it is none, or the tracker's package is not installed.
    """
    kind, _, place = target.partition(":")
    if kind not in KINDS or not place:
        raise TrackerError(f"log_to is {target!r}: give {' or '.join(example for _, example in KINDS.values())}")
    if importlib.util.find_spec(KINDS[kind][0]) is None:
        raise TrackerError(f'logging to {kind} needs the package {kind}: pip install "sidebyside[{kind}]"')
    return target


def log_results(results: Results, target: str) -> int:
    """Logs the runs of results that ended well and have not been logged there; returns how many these are.

    Raises:
        TrackerError: the tracker cannot be reached, or its files cannot be written.
    """
    kind, _, place = check_target(target).partition(":")
    log = _log_to_mlflow if kind == "mlflow" else _log_to_tensorboard
    try:
        return log(results, place)
    except Exception as error:
        raise TrackerError(f"logging to {target} has failed ({one_line(error)})") from error


def curves(run: Run) -> Iterator[tuple[str, int, float]]:
    """The figures of a run that go along with its training: name, epoch and value."""
    yield from (("training_loss", epoch, loss) for epoch, loss in enumerate(run.losses, 1))
    test = f"test_{run.measure}"
    if run.curve is None:
        yield from ((test, *pair) for pair in zip(run.accuracy_epochs, run.accuracies, strict=False))
        return
    yield from ((test, *pair) for pair in zip(run.curve.epochs, run.curve.accuracies, strict=False))
    yield from (("validation_loss", *pair) for pair in zip(run.curve.epochs, run.curve.losses, strict=False))


def figures(run: Run) -> dict[str, float]:
    """The figures of a whole run, by name."""
    found = {name: getattr(run, name) for name in FIGURES}
    found["r_squared" if run.measure == "r_squared" else "accuracy"] = found.pop("accuracy")
    return {name: float(value) for name, value in found.items() if value is not None}


def words(run: Run, results: Results) -> dict[str, str]:
    """What is no figure: the certificate, the machine, versions and settings."""
    certificate = results.certificate_of(run)
    said = {
        "certificate": "none" if certificate is None else certificate.outcome,
        "verified": str(results.verified(run)),
    }
    said |= {"check": run.check.outcome} if run.check else {}
    said |= {f"host.{name}": str(value) for name, value in (results.hosts.get(run.host) or results.host).items()}
    said |= {f"version.{name}": value for name, value in run.versions.items()}
    return {name: clean(value) for name, value in (said | {n: str(v) for n, v in run.settings.items()}).items()}


def _identity(run: Run, results: Results) -> str:
    return f"{results.created} {run.file_name}"


def _log_to_mlflow(results: Results, address: str) -> int:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    for name in ("mlflow", "alembic"):  # which tell of each table that they make
        logging.getLogger(name).setLevel(logging.WARNING)
    client = MlflowClient(tracking_uri=address)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    identity = client.create_experiment(EXPERIMENT) if experiment is None else experiment.experiment_id
    logged = 0
    for run in results.runs:
        tag = _identity(run, results)
        if run.status != "ok" or client.search_runs([identity], f"tags.`{TAG}` = '{tag}'", max_results=1):
            continue
        begin = int(1000 * datetime.fromisoformat(results.created).timestamp())
        name = label(run, seed=run.seed, round=run.round)
        made = client.create_run(identity, start_time=begin, run_name=name).info.run_id
        metrics = [Metric(name, value, begin, 0) for name, value in figures(run).items()]
        metrics += [Metric(name, value, begin, epoch) for name, epoch, value in curves(run)]
        params = [Param(name, str(getattr(run, name))) for name in CELL if getattr(run, name) is not None]
        client.log_batch(made, params=params, tags=[RunTag(*pair) for pair in words(run, results).items()])
        for start in range(0, len(metrics), BATCH):
            client.log_batch(made, metrics=metrics[start : start + BATCH])
        client.set_tag(made, TAG, tag)  # the last: a run that was interrupted is logged again
        client.set_terminated(made, "FINISHED", begin + int(1000 * (run.total_seconds or 0)))
        logged += 1
    return logged


def _log_to_tensorboard(results: Results, place: str) -> int:
    # TensorBoard writes with TensorFlow where it is installed, unless it finds this module; TensorFlow takes seconds.
    sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
    from tensorboard.summary import Writer

    logged = 0
    for run in results.runs:
        folder = Path(place) / results.created.replace(":", "") / run.file_name
        if run.status != "ok" or folder.exists():
            continue
        begin = datetime.fromisoformat(results.created).timestamp()
        begun = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(begun, ignore_errors=True)  # of a process that was ended in the middle
        with contextlib.closing(Writer(str(begun))) as writer:
            about = ", ".join(f"{name} {value}" for name, value in words(run, results).items())
            for name, epoch, value in curves(run):
                writer.add_scalar(name, value, epoch, wall_time=begin, description=about)
            for name, value in figures(run).items():
                writer.add_scalar(f"run/{name}", value, run.epochs, wall_time=begin)
        begun.rename(folder)
        logged += 1
    return logged
