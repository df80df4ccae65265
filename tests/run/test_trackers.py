"""Results in experiment trackers: each tracker's own client reads back what was logged."""

from pathlib import Path
from typing import Any

import pytest

from compare.api import run_comparison
from compare.cli import main
from compare.records.results import Results
from compare.run.options import make_options
from compare.trackers import EXPERIMENT, TrackerError, check_target, curves, figures, log_results
from tasks.errors import SideBySideError
from tests.analysis.runs import make_results

pytestmark = pytest.mark.filterwarnings("ignore:.*noload:DeprecationWarning")  # MLflow asks SQLAlchemy for it


@pytest.fixture(scope="module")
def results() -> Results:
    return make_results()


def logged_runs(address: str) -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=address)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], max_results=1000))


def test_mlflows_client_reads_back_what_was_logged(results: Results, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    address = f"sqlite:///{tmp_path / 'runs.db'}"
    completed = [run for run in results.runs if run.status == "ok"]
    assert log_results(results, f"mlflow:{address}") == len(completed) > 1
    logged = {run.info.run_name: run for run in logged_runs(address)}
    assert len(logged) == len(completed)
    client = MlflowClient(tracking_uri=address)
    for run in completed:
        (entry,) = [
            each
            for each in logged.values()
            if all(
                each.data.params[name] == str(getattr(run, name))
                for name in ("task", "backend", "mode", "seed", "round")
            )
        ]
        assert {name: entry.data.metrics[name] for name in figures(run)} == figures(run)
        assert entry.data.tags["verified"] == str(results.verified(run))
        assert entry.info.status == "FINISHED"
        for name in {name for name, _, _ in curves(run)}:
            history = [
                (name, metric.step, metric.value) for metric in client.get_metric_history(entry.info.run_id, name)
            ]
            assert history == [point for point in curves(run) if point[0] == name]


def test_nothing_is_logged_twice(results: Results, tmp_path: Path) -> None:
    for target in (f"mlflow:sqlite:///{tmp_path / 'runs.db'}", f"tensorboard:{tmp_path / 'events'}"):
        part = results.model_copy(update={"runs": results.runs[:1]})
        assert log_results(part, target) == 1
        assert log_results(results, target) == sum(run.status == "ok" for run in results.runs) - 1
        assert log_results(results, target) == 0


def test_tensorboard_reads_back_what_was_logged(results: Results, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    assert log_results(results, f"tensorboard:{tmp_path}") > 1
    for run in [run for run in results.runs if run.status == "ok"]:
        (folder,) = tmp_path.glob(f"*/{run.file_name}")
        events = EventAccumulator(str(folder))
        events.Reload()
        for name in {name for name, _, _ in curves(run)}:
            read = [(name, event.step, float(make_ndarray(event.tensor_proto))) for event in events.Tensors(name)]
            assert read == [(n, epoch, pytest.approx(value, rel=1e-6)) for n, epoch, value in curves(run) if n == name]
        assert {tag.removeprefix("run/") for tag in events.Tags()["tensors"] if tag.startswith("run/")} == {
            *figures(run)
        }


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("wandb:x", "log_to is 'wandb:x': give mlflow:sqlite:///runs.db or tensorboard:FOLDER"),
        ("mlflow", "log_to is 'mlflow': give"),
        ("tensorboard:", "log_to is 'tensorboard:': give"),
    ],
)
def test_a_place_that_is_none_is_one_line(target: str, message: str) -> None:
    with pytest.raises(TrackerError) as error:
        check_target(target)
    assert message in str(error.value)


@pytest.mark.parametrize("value", [5, [["a"]], [None]])
def test_places_are_texts(value: object) -> None:
    with pytest.raises(SideBySideError, match="give a place, or several in a list"):
        make_options({"log_to": value})


def test_a_tracker_that_is_not_installed_is_said_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(TrackerError, match=r'needs the package mlflow: pip install "sidebyside\[mlflow\]"'):
        make_options({"log_to": "mlflow:sqlite:///runs.db"})


def test_a_run_logs_its_results_and_a_tracker_that_fails_costs_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    targets = [f"tensorboard:{tmp_path / 'file'}", f"tensorboard:{tmp_path / 'events'}"]
    options = {"tasks": "and-gate", "backends": "numpy", "certify": False, "output": tmp_path / "run"}
    comparison = run_comparison(make_options(options | {"log_to": targets}), "a test")
    assert [run.status for run in comparison.results.runs] == ["ok"]
    err = capsys.readouterr().err
    assert f"logging to {targets[0]} has failed" in err
    assert f"once that is mended: sidebyside report {tmp_path / 'run'} --log-to {targets[0]}" in err
    assert f"logged to {targets[1]}: 1 runs" in err
    assert main(["report", str(tmp_path / "run"), "--log-to", targets[1], f"tensorboard:{tmp_path / 'more'}"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"logged to {targets[1]}: 0 runs",
        f"logged to tensorboard:{tmp_path / 'more'}: 1 runs",
    ]
    assert main(["report", str(tmp_path / "run"), "--log-to", targets[0]]) == 2
