"""Numbers that are predicted: run, certified, reported by R², answered by; and a training that loses its numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import r2_score

from compare.cli import main
from compare.run.reading import read_results
from tasks.dataset import r_squared, score
from tests.tasks.data_files import table
from tests.worker.fakes import posix_only

TASK = """
loss = "mean_squared_error"
batch_size = 8
epochs = 20
initial_weights = "keras"
target_accuracy = 0.5
layers = [{type = "Dense", units = 1}]
[optimizer]
type = "SGD"
learning_rate = 0.05
[data]
source = "csv"
file = "trees.csv"
target = "height"
ignore = ["id", "note", "kind", "constant"]
"""


@pytest.fixture
def heights(tmp_path: Path) -> Path:
    frame = table(tmp_path)
    frame["height"] = 100 + 7 * frame["length"] - 3 * frame["width"] + np.sin(np.arange(len(frame)))
    frame.to_csv(tmp_path / "trees.csv", index_label="id")
    (tmp_path / "heights.toml").write_text(TASK)
    return tmp_path / "heights.toml"


@posix_only
def test_a_regression_is_run_reported_and_answered_by(
    heights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    command = ["run", str(heights), "--backend", "numpy", "jax", "--seeds", "2", "--save-models"]
    assert main([*command, "--output", str(folder)]) == 0
    results = read_results(folder)
    assert all(results.verified(run) for run in results.runs)
    assert {run.measure for run in results.runs} == {"r_squared"}
    assert all((run.accuracy or 0) > 0.9 for run in results.runs)
    assert all(run.seconds_to_target is not None for run in results.runs)
    shown = capsys.readouterr().out
    assert "test R²" in shown
    assert "accuracy" not in shown
    page = (folder / "report.html").read_text()
    assert "Predicted values" in page
    assert "Test R² by epoch" in page
    assert main(["report", str(folder), "--format", "markdown"]) == 0
    assert "| test R² |" in capsys.readouterr().out
    model = str(next((folder / "models").glob("*.jax.*seed0*")))
    predict = ["predict", "--model", model, "--task", str(heights)]
    of = ["--backend", "numpy", "jax"]
    assert main([*predict, "--json", "5", "4", *of]) == 0
    answers = json.loads(capsys.readouterr().out)["inputs"][0]["answers"]
    assert answers["jax"]["answer"] == pytest.approx(100 + 35 - 12, abs=3)
    assert answers["jax"] == {"answer": answers["jax"]["outputs"][0], "outputs": answers["jax"]["outputs"]}
    assert main([*predict, "5", "4", *of]) == 0
    assert "numpy and jax agree: " in capsys.readouterr().out
    assert main([*predict, "--test-set", "--json", *of]) == 0
    measured = json.loads(capsys.readouterr().out)["r_squared"]["jax"]
    assert measured == pytest.approx(next(r.accuracy for r in results.runs if r.backend == "jax"), abs=1e-6)


@posix_only
def test_a_regression_whose_numbers_are_lost_has_no_r_squared(heights: Path, tmp_path: Path) -> None:
    heights.write_text(TASK.replace("learning_rate = 0.05", "learning_rate = 1e30"))
    folder = tmp_path / "run"
    main(["run", str(heights), "--backend", "numpy", "--output", str(folder)])
    (run,) = read_results(folder).runs
    assert run.status == "diverged"
    assert run.accuracy is None
    assert (folder / "report.html").stat().st_size


def test_r_squared_is_scikit_learns() -> None:
    random = np.random.RandomState(0)
    labels = random.normal(100, 20, 50).astype(np.float32)
    for predicted in (labels + random.normal(0, 5, 50), random.normal(0, 1, 50), labels, np.full(50, labels.mean())):
        assert r_squared(predicted, labels) == pytest.approx(r2_score(labels, predicted), abs=1e-9)
    equal = np.ones(4, np.float32)
    assert r_squared(equal, equal) == r2_score(equal, equal) == 1
    assert r_squared(equal + 1, equal) == r2_score(equal, equal + 1) == 0
    assert r_squared(np.array([1, np.nan]), np.ones(2, np.float32)) == -np.inf
    assert score(np.array([1, 0, 2, 1]), np.array([1, 1, 2, 0], np.int32)) == 0.5
    assert score(labels, labels) == 1
