"""Arguments that cannot be meant, folders that cannot be written and data that cannot be read get one line."""

from pathlib import Path

import numpy as np
import pytest

from compare import cli
from compare.records.results import Results
from compare.run.store import now, write_results
from tests.cli.common import Capture, numpy_run, refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "the following arguments are required: COMMAND (see sidebyside --help)"),
        (("start",), "invalid choice: 'start'"),
        (("list", "--yaml"), "unrecognized arguments: --yaml"),
        (("list", "iris-mlp"), "unrecognized arguments: iris-mlp"),
        (("run", "iris"), "unknown task 'iris': did you mean iris-mlp? choose from and-gate, iris-mlp, mnist-mlp"),
        (("run", "a\nb"), r"unknown task 'a\nb': choose from"),
        (("run", ""), "unknown task '': choose from"),
        (("run", "iris-mlp", "--backend", "torch"), "unknown backend 'torch': did you mean pytorch? choose from numpy"),
        (("run", "--backend", "numpy", "iris-mlp"), "iris-mlp is a task: write the tasks before --backend"),
        (("run", "--backend"), "argument --backend: expected at least one argument (see sidebyside run --help)"),
        (("run", "--backen", "numpy"), "unrecognized arguments: --backen"),
        (("run", "--mode", "fast"), "argument --mode: invalid choice: 'fast'"),
        (("run", "--preset", "slow"), "argument --preset: invalid choice: 'slow'"),
        (("run", "--recipe", "mine"), "argument --recipe: invalid choice: 'mine'"),
        (("run", "--device", "tpu"), "unknown device 'tpu': did you mean gpu? choose from cpu, gpu, gpu:<index>"),
        (("run", "--device", "gpu:"), "unknown device 'gpu:'"),
        (("run", "--device", "gpu:-1"), "unknown device 'gpu:-1'"),
        (("run", "--device", "gpu:x"), "unknown device 'gpu:x'"),
        (("run", "--device", "cpu:0"), "unknown device 'cpu:0'"),
        (("run", "--device", "cpu", "GPU"), "unknown device 'GPU'"),
        (("run", "--seeds", "0"), "argument --seeds: '0' is not a whole number from 1"),
        (("run", "--seeds", "-1"), "argument --seeds: '-1' is not a whole number from 1"),
        (("run", "--seeds", "1.5"), "argument --seeds: '1.5' is not a whole number from 1"),
        (("run", "--seeds", ""), "argument --seeds: '' is not a whole number from 1"),
        (("run", "--epochs", "ten"), "argument --epochs: 'ten' is not a whole number from 1"),
        (("run", "--epochs", "1000001"), "argument --epochs: '1000001' is not a whole number from 1"),
        (("run", "--threads", "²"), "argument --threads: '²' is not a whole number from 1"),
        (("run", "--timeout", "0"), "argument --timeout: '0' is not a number above 0"),
        (("run", "--timeout", "-3"), "argument --timeout: '-3' is not a number above 0"),
        (("run", "--timeout", "soon"), "argument --timeout: 'soon' is not a number above 0"),
        (("run", "--timeout", "nan"), "argument --timeout: 'nan' is not a number above 0"),
        (("run", "--timeout", "inf"), "argument --timeout: 'inf' is not a number above 0"),
        (("run", "--output", "a", "--resume", "b"), "not allowed with argument"),
    ],
)
def test_wrong_words_get_one_line(arguments: tuple[str, ...], message: str, capsys: Capture) -> None:
    assert message in refused(capsys, *arguments)


@pytest.mark.parametrize("folder", [("--output", "a b"), ("--output=a b",), ("--resume", "a"), ("--resume=a",), ()])
def test_the_recorded_command_names_no_folder(folder: tuple[str, ...]) -> None:
    """Made again with it, the run would be refused, for the folder is no longer empty."""
    assert cli.without_folder(["run", "and-gate", *folder, "--seeds", "2"]) == ["run", "and-gate", "--seeds", "2"]


def test_an_output_folder_that_is_not_empty_is_left_alone(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    error = refused(capsys, *numpy_run("--output", str(tmp_path)))
    assert f"{tmp_path} is not empty: name another folder, or resume that run" in error
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_wrong_words_leave_no_folder(tmp_path: Path, capsys: Capture) -> None:
    refused(capsys, *numpy_run("--output", str(tmp_path / "run"), "--device", "tpu"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "run", "deep/er"])
def test_an_output_that_cannot_be_a_folder_gets_one_line(below: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    assert str(path) in refused(capsys, *numpy_run("--output", str(path / below)))
    assert path.read_text() == "mine"


@pytest.mark.parametrize("where", ["", "nothing"])
def test_resume_of_what_is_no_run_gets_one_line(where: str, tmp_path: Path, capsys: Capture) -> None:
    error = refused(capsys, *numpy_run("--resume", str(tmp_path / where)))
    assert "cannot be read (No such file or directory); name the folder of a run" in error
    assert list(tmp_path.iterdir()) == []


def test_resume_of_damaged_results_gets_one_line_and_keeps_them(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "results.json").write_text("{")
    assert "not a results file" in refused(capsys, *numpy_run("--resume", str(tmp_path)))
    assert (tmp_path / "results.json").read_text() == "{"


def test_resume_of_a_results_file_itself_gets_one_line(tmp_path: Path, capsys: Capture) -> None:
    path = write_results(tmp_path, Results(created=now(), host={}))
    assert str(path) in refused(capsys, *numpy_run("--resume", str(path)))


# Data


@pytest.mark.parametrize("chosen", [("iris-mlp",), ("and-gate",), ("mnist-cnn", "iris-mlp"), ()])
def test_data_is_for_the_mnist_tasks_alone(chosen: tuple[str, ...], tmp_path: Path, capsys: Capture) -> None:
    error = refused(capsys, "run", *chosen, "--backend", "numpy", "--data", str(tmp_path / "data.npz"))
    assert "a data file is for the mnist tasks alone" in error


def test_data_are_read_before_anything_is_run(tmp_path: Path, capsys: Capture) -> None:
    output, data = tmp_path / "run", tmp_path / "data.npz"
    arguments = ("run", "mnist-cnn", "--backend", "numpy", "--output", str(output), "--data")
    assert f"{data}: cannot be read" in refused(capsys, *arguments, str(data))
    data.write_text("digits")
    assert f"{data}: not a readable .npz file" in refused(capsys, *arguments, str(data))
    np.savez(data, x_train=np.zeros((3, 28, 28)))
    assert f"{data}: has no array 'y_train'" in refused(capsys, *arguments, str(data))
    assert f"{tmp_path}: cannot be read" in refused(capsys, *arguments, str(tmp_path))
    assert not output.exists()
