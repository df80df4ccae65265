"""A user's own tasks, from files and from Python: run, kept with the results, gone on with, reported, answered by."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from compare import compare
from compare.cli import main, make_app
from compare.run.options import make_options
from compare.run.plan_file import read_plan
from compare.run.reading import ResultsError, read_results
from tasks import available_tasks, load_task, registry
from tasks.architecture import sequence
from tasks.errors import SideBySideError
from tasks.layers import Dense, Tanh
from tasks.registry import file_of
from tests.remote import Given
from tests.worker.fakes import posix_only

XOR = """
loss = "binary_cross_entropy"
batch_size = 4
epochs = 300
shuffle = false
initial_weights = "keras"
layers = [{type = "Dense", units = 8}, {type = "Tanh"}, {type = "Dense", units = 1}]
[optimizer]
type = "Adam"
learning_rate = 0.05
[data]
source = "rows"
inputs = [[0, 0], [0, 1], [1, 0], [1, 1]]
labels = [0, 1, 1, 0]
classes = ["equal", "unlike"]
"""


@pytest.fixture
def xor(tmp_path: Path) -> Path:
    path = tmp_path / "xor.toml"
    path.write_text(XOR)
    return path


def forget() -> None:
    """As another process, which has read no file."""
    registry._TASKS.clear()
    registry._DOCUMENTS.clear()
    registry._GIVEN.clear()


@posix_only
def test_a_task_of_ones_own_is_run_reported_and_gone_on_with(
    xor: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    command = ["run", str(xor), "--backend", "numpy", "--epochs", "300", "--save-models"]
    assert main([*command, "--output", str(folder)]) == 0
    forget()
    results = read_results(folder)
    assert [(run.task, run.accuracy) for run in results.runs] == [("xor", 1.0)]
    assert all(results.verified(run) for run in results.runs)
    assert list(results.own_tasks) == ["xor"]
    assert results.command == "sidebyside run xor.toml --backend numpy --epochs 300 --save-models"
    forget()
    capsys.readouterr()
    assert main(["report", str(folder), "--format", "html"]) == 0
    assert "0_dense" in capsys.readouterr().out  # the network is described
    forget()
    assert main(["run", "--resume", str(folder), "--seeds", "2"]) == 0
    assert [(run.task, run.seed) for run in read_results(folder).runs] == [("xor", 0), ("xor", 1)]
    xor.write_text(XOR.replace("[0, 1, 1, 0]", "[1, 0, 0, 1]"))
    assert main(["run", str(xor), "--resume", str(folder)]) == 2
    assert "the earlier run had another definition of xor standard" in capsys.readouterr().err
    _predict(next((folder / "models").glob("xor.*")), xor, capsys)


def _predict(model: Path, xor: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forget()
    assert main(["predict", "--model", str(model), "0", "1", "--backend", "numpy"]) == 2
    assert "of the task 'xor', which is not built in; name its file with --task" in capsys.readouterr().err
    assert main(["predict", "--model", str(model), "0", "1", "--backend", "numpy", "--task", str(xor)]) == 0
    assert "unlike" in capsys.readouterr().out


@posix_only
def test_a_task_that_is_an_object_is_run(tmp_path: Path) -> None:
    recipe = load_task("iris-mlp").recipe
    network = sequence((4,), (Dense(6), Tanh(), Dense(3)))
    mine = replace(load_task("iris-mlp"), name="mine", recipes={"standard": replace(recipe, architecture=network)})
    results = compare([mine], ["numpy"], epochs=3, output=tmp_path / "run").results
    (run,) = results.runs
    assert (run.task, run.status, run.parameter_counts) == ("mine", "ok", {"0_dense": 30, "2_dense": 21})
    assert results.verified(run)
    assert results.command == "compare(tasks='mine.toml', backends='numpy', epochs=3)"


@posix_only
def test_a_variation_is_run_kept_and_answered_by(xor: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, name = tmp_path / "run", "xor layers.0.units=6"
    command = ["run", str(xor), "--backend", "numpy", "--save-models", "--set", "layers.0.units=6", "epochs=200"]
    assert main([*command, "--output", str(folder)]) == 0
    forget()
    results = read_results(folder)
    (run,) = results.runs
    assert (run.task, run.epochs, run.parameter_counts) == (f"{name} epochs=200", 200, {"0_dense": 18, "2_dense": 7})
    assert results.verified(run)
    assert sorted(results.own_tasks) == ["xor", f"{name} epochs=200"]
    assert results.command == "sidebyside run 'xor.toml layers.0.units=6 epochs=200' --backend numpy --save-models"
    forget()
    assert main(["run", "--resume", str(folder), "--seeds", "2"]) == 0
    assert {run.task for run in read_results(folder).runs} == {f"{name} epochs=200"}
    model = next((folder / "models").iterdir())
    assert main(["predict", "--model", str(model), "0", "1", "--backend", "numpy"]) == 0  # the task is known still
    forget()
    assert main(["predict", "--model", str(model), "0", "1", "--backend", "numpy"]) == 2
    capsys.readouterr()
    assert main(["run", "--set", "epochs=3"]) == 2
    assert capsys.readouterr().err == "sidebyside: --set changes the tasks that are named before it: name one\n"


def test_names_are_checked(xor: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "xor.toml"
    other.parent.mkdir()
    other.write_text(XOR)
    with pytest.raises(SideBySideError, match="are two tasks of one name: rename a file"):
        make_options({"tasks": [str(xor), str(other)]})
    for name, message in (("mnist-cnn", "there is a built-in task of this name"), ("my own", "60 letters, digits")):
        renamed = xor.rename(tmp_path / f"{name}.toml")
        with pytest.raises(SideBySideError, match=message):
            make_options({"tasks": [str(renamed)]})
        renamed.rename(xor)
    with pytest.raises(SideBySideError, match="there is a built-in task of this name"):
        make_options({"tasks": [replace(load_task("and-gate"), source=load_task("and-gate").source)]})
    with pytest.raises(
        SideBySideError,
        match=r"^mine: its data are of the class Given, which no task's file can name, .* of rows, iris, .*pictures$",
    ):
        make_options({"tasks": replace(load_task("iris-mlp"), name="mine", source=Given((4,), ("a", "b", "c")))})
    forget()
    assert "xor" not in available_tasks()


def test_a_wrong_file_writes_nothing(xor: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    xor.write_text(XOR.replace("units = 8", "units = 0"))
    assert main(["run", str(xor), "--output", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err == f"sidebyside: {xor}: layers[0].units: must be at least 1, not 0\n"
    assert [path.name for path in tmp_path.iterdir()] == ["xor.toml"]


def test_results_whose_task_is_damaged_are_refused(tmp_path: Path) -> None:
    head = {"schema_version": 2, "created": "2026-01-01T00:00:00+00:00", "host": {}, "own_tasks": {"mine": {"loss": 3}}}
    path = tmp_path / "results.json"
    path.write_text(json.dumps(head))
    with pytest.raises(ResultsError, match=r"results\.json: not a results file"):
        read_results(path)


def test_a_folder_may_have_a_space(xor: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "my tasks").mkdir()
    path = xor.rename(folder / "xor.toml")
    assert make_options({"tasks": [str(path), f"{path} epochs=3"]}).tasks == ("xor", "xor epochs=3")


def test_a_plan_names_tasks_beside_it(xor: Path, tmp_path: Path) -> None:
    (plan := tmp_path / "plan.toml").write_text('tasks = ["xor.toml", "iris-mlp"]\n')
    assert make_options(read_plan(plan)).tasks == ("xor", "iris-mlp")
    plan.write_text('tasks = "xor.toml"\n')
    assert make_options(read_plan(plan)).tasks == ("xor",)


def test_a_plan_stands_alone(tmp_path: Path) -> None:
    (plan := tmp_path / "a.toml").write_text("rounds = 3\n")
    (tmp_path / "b.toml").write_text("seeds = 3\n")
    for words in (
        [str(plan), str(tmp_path / "b.toml")],
        [str(plan), "iris-mlp"],
        [str(plan), str(file_of("iris-mlp"))],
    ):
        for command in ("run", "parity"):
            with pytest.raises(SideBySideError, match="a plan file names its tasks itself"):
                make_app()([command, *words], exit_on_error=False, print_error=False)
