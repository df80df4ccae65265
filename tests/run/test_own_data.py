"""Tasks on data in files of a user's own: run from anywhere, kept without a folder's name, gone on with."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from compare import compare
from compare.cli import main
from compare.run.reading import read_results
from tasks import file_source, load_task
from tasks.architecture import sequence
from tasks.array_files import NPZ
from tasks.csv_file import CSV
from tasks.errors import SideBySideError
from tasks.layers import Dense
from tasks.source import Source
from tasks.task import Recipe, Task
from tasks.training import Adam
from tests.run.test_own_tasks import forget
from tests.tasks.data_files import arrays, pictures, source_of, table
from tests.worker.fakes import posix_only

RECIPE = """
loss = "cross_entropy"
batch_size = 8
epochs = 3
initial_weights = "keras"
layers = [{layers}]
[optimizer]
type = "Adam"
learning_rate = 0.05
[data]
"""
TREES = (
    RECIPE.replace("{layers}", '{type = "Dense", units = 3}')
    + """
source = "csv"
file = "../trees.csv"
label = "kind"
ignore = ["id", "note"]
"""
)


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    table(tmp_path)
    (tmp_path / "tasks").mkdir()
    path = tmp_path / "tasks" / "trees.toml"
    path.write_text(TREES)
    return path


def forget_all() -> None:
    """As another process."""
    forget()
    file_source._PLACES.clear()


@posix_only
def test_a_table_of_ones_own_is_run_gone_on_with_and_answered_by(
    trees: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    command = ["run", str(trees), "--backend", "numpy", "--save-models"]
    assert main([*command, "--output", str(folder)]) == 0
    results = read_results(folder)
    assert all(results.verified(run) for run in results.runs)
    assert results.own_tasks["trees"]["data"]["file"] == "trees.csv"  # type: ignore[index, call-overload]
    assert str(tmp_path) not in (folder / "results.json").read_text()
    forget_all()
    assert main(["report", str(folder)]) == 0  # needs no data
    forget_all()
    assert main(["run", "--resume", str(folder), "--seeds", "2"]) == 2
    assert_says_how_to_go_on(folder, capsys.readouterr().err)
    assert main(["run", str(trees), "--resume", str(folder), "--seeds", "2"]) == 0
    assert len(read_results(folder).runs) == 2
    forget_all()
    monkeypatch.chdir(tmp_path)  # where the data are
    assert main(["run", "--resume", str(folder), "--seeds", "3"]) == 0
    capsys.readouterr()
    model = next((folder / "models").glob("trees.*"))
    task = load_task("trees")
    assert main(["predict", "--model", str(model), "--task", str(trees), *["5", "4", "3", "0.1"], "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)["inputs"][0]["answers"]
    assert set(answers["pytorch"]["probabilities"]) == set(task.source.classes)
    rows = task.source.from_numbers(np.array([[5, 4, 3, 0.1]]))
    assert abs(rows).max() < 3  # standardised, as those that were trained on
    weights = load_file(model)
    logits = rows @ weights["0_dense/kernel"] + weights["0_dense/bias"]
    np.testing.assert_allclose(answers["pytorch"]["outputs"], logits[0], rtol=1e-4, atol=1e-5)
    table(tmp_path, rows=36)
    assert main(["run", str(trees), "--resume", str(folder), "--seeds", "4"]) == 2
    assert "the earlier run had another definition of trees standard" in capsys.readouterr().err


def assert_says_how_to_go_on(folder: Path, error: str) -> None:
    assert "trees.csv: cannot be read" in error
    assert f"name the task's file too (sidebyside run trees.toml --resume {folder}), or change to the folder" in error


CONV = '{type = "Conv2D", filters = 2}, {type = "Flatten"}, {type = "Dense", units = 2}'


@posix_only
def test_pictures_of_ones_own_are_trained_on_and_answered_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures(tmp_path / "shades")
    data = 'source = "pictures"\nfolder = "shades"\nheight = 6\nwidth = 5\n'
    (tmp_path / "shades.toml").write_text(RECIPE.replace("{layers}", CONV) + data)
    task, folder = str(tmp_path / "shades.toml"), str(tmp_path / "run")
    assert (
        main(["run", task, "--backend", "numpy", "pytorch", "--epochs", "20", "--save-models", "--output", folder]) == 0
    )
    assert [run.accuracy for run in read_results(Path(folder)).runs] == [1.0, 1.0]
    assert (tmp_path / "run" / "report.html").stat().st_size
    model = str(next((tmp_path / "run" / "models").glob("*.pytorch.*")))
    capsys.readouterr()
    shown = [str(tmp_path / "shades" / name / "0.jpg") for name in ("black", "white")]
    assert main(["predict", "--model", model, "--task", task, "--json", *shown]) == 0
    answers = json.loads(capsys.readouterr().out)["inputs"]
    assert [each["answers"]["jax"]["answer"] for each in answers] == ["black", "white"]
    assert main(["predict", "--model", model, "--task", task, task]) == 2
    assert "no picture in PNG or JPEG" in capsys.readouterr().err


@posix_only
def test_arrays_of_ones_own_are_data_in_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source_of("npz", tmp_path, arrays(x_train=np.eye(12), x_test=np.eye(12)[:6]))
    table(tmp_path)
    sources: list[tuple[str, Source, int]] = [
        ("arrays", NPZ("mine.npz"), 12),
        ("trees", CSV("trees.csv", "kind", ("id", "note")), 4),
    ]
    for name, source, inputs in sources:
        recipe = Recipe(sequence((inputs,), [Dense(3)]), "cross_entropy", Adam(0.05), 8, 2, True, "keras")
        task = Task(name, "", {"standard": recipe}, 1.0, source)
        results = compare(tasks=[task], backends=["numpy"], output=tmp_path / f"run-{name}").results
        assert all(results.verified(run) for run in results.runs)


def test_data_that_are_not_there_stop_a_run_before_it_begins(trees: Path, tmp_path: Path) -> None:
    (tmp_path / "trees.csv").unlink()
    with pytest.raises(SideBySideError, match=r"trees.csv: cannot be read .*; data.file names"):
        compare(tasks=[str(trees)], output=tmp_path / "run")
    assert not (tmp_path / "run").exists()
