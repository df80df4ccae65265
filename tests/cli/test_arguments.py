"""Arguments that cannot be meant, folders that cannot be written and data that cannot be read get one line."""

from pathlib import Path

import numpy as np
import pytest

from compare.certify.explained import BLIND_SPOTS, COMPARED
from compare.cli import main
from compare.records.results import Results
from compare.run.claim import now
from compare.run.options import make_options
from compare.run.store import Store
from tests.cli.common import Capture, make_commands_harmless, numpy_run, refused
from tests.sources import ROOT


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("start",), 'Unknown command "start". Available commands: list, run, parity'),
        (("rum",), 'Unknown command "rum". Did you mean "run"? Available commands:'),
        (("list", "--yaml"), "Unknown option: --yaml. (see sidebyside list --help)"),
        (("list", "iris-mlp"), "list takes no 'iris-mlp' here: leave it out (see sidebyside list --help)"),
        (("diff", "a", "b", "c", "d"), "diff takes no 'c' 'd' here: leave it out (see sidebyside diff --help)"),
        (("run", "--backend", "jax,Keras"), "unknown backend 'jax,Keras': give them apart, jax keras; choose from"),
        (("run", "iris-mlp,mnist-mlp"), "give them apart, iris-mlp mnist-mlp; choose from and-gate"),
        (("lesson", "neuron", "--backend", "jax keras"), "give them apart, jax keras; choose from"),
        (("run", "--backend", "JAX"), "unknown backend 'JAX': did you mean jax? choose from"),
        (("run", "--output", ""), "output is empty: give a path, or leave it out"),
        (("run", "--data", ""), "data is empty: give a path, or leave it out"),
        (("predict", "--model", "m", "--backend", "jax", "6.6,3.2"), "6.6,3.2 is an input: write the inputs before"),
        (("run", "iris"), "unknown task 'iris': did you mean iris-mlp? choose from and-gate, iris-mlp, mnist-mlp"),
        (("run", "a\nb"), r"unknown task 'a\nb': choose from"),
        (("run", ""), "unknown task '': choose from"),
        (("run", "iris-mlp", "--backend", "torch"), "unknown backend 'torch': did you mean pytorch? choose from numpy"),
        (("run", "--backend", "numpy", "iris-mlp"), "iris-mlp is a task: write the tasks before --backend"),
        (("run", "--device", "gpu", "iris-mlp"), "iris-mlp is a task: write the tasks before --device"),
        (("run", "--mode", "both", "p.toml"), "p.toml is a file of a task or a plan: write it before --mode"),
        (("lesson", "--backend", "numpy", "neuron"), "neuron is a lesson: write it before --backend"),
        (
            ("predict", "--model", "m", "--backend", "numpy", "6.6"),
            "6.6 is an input: write the inputs before --backend",
        ),
        (("run", "--threads", "99999999"), "threads is '99999999': give a whole number from 1 to 4,096"),
        (("run", "--self-check", "--rounds", "1"), "a self-check compares 3 rounds or more, not 1"),
        (("run", "--backend"), "backends is []: give a name, or several in a list"),
        (("run", "--backen", "numpy"), "Unknown option: --backen. Did you mean --backend? (see sidebyside run --help)"),
        (("run", "--mode", "fast"), "unknown mode 'fast': choose from tuned, stock, both"),
        (("run", "--mode", "stok"), "unknown mode 'stok': did you mean stock? choose from tuned, stock, both"),
        (("run", "--preset", "slow"), "unknown preset 'slow': choose from quick, full"),
        (("run", "--recipe", "mine"), "unknown recipe 'mine': choose from standard, as-written, as-published"),
        (("run", "iris-mlp", "other.toml"), "other.toml: cannot be read (No such file or directory)"),
        (
            ("run", "nothing.toml"),
            "nothing.toml: cannot be read (No such file or directory); name the file of a task or a plan",
        ),
        (
            ("run", "--device", "tpu"),
            "unknown device 'tpu': did you mean gpu? choose from cpu, gpu, gpu:<index>, "
            "gpu:<first>-<last>, cpu:0-<last>",
        ),
        (("run", "--device", "gpu:"), "unknown device 'gpu:'"),
        (("run", "--device", "gpu:-1"), "unknown device 'gpu:-1'"),
        (("run", "--device", "gpu:x"), "unknown device 'gpu:x'"),
        (("run", "--device", "cpu:0"), "unknown device 'cpu:0'"),
        (("run", "--device", "cpu", "GPU"), "unknown device 'GPU'"),
        (("run", "--seeds", "0"), "seeds is '0': give a whole number from 1 to "),
        (("run", "--seeds", "-1"), "seeds is '-1': give a whole number from 1 to "),
        (("run", "--seeds", "1.5"), "seeds is '1.5': give a whole number from 1 to "),
        (("run", "--seeds", ""), "seeds is '': give a whole number from 1 to "),
        (("run", "--epochs", "ten"), "epochs is 'ten': give a whole number from 1 to "),
        (("run", "--epochs", "1000001"), "epochs is '1000001': give a whole number from 1 to "),
        (("run", "--threads", "²"), "threads is '²': give a whole number from 1 to "),
        (("run", "--timeout", "0"), "timeout is '0': give seconds above 0"),
        (("run", "--timeout", "-3"), "timeout is '-3': give seconds above 0"),
        (("run", "--timeout", "soon"), "timeout is 'soon': give seconds above 0"),
        (("run", "--timeout", "nan"), "timeout is 'nan': give seconds above 0"),
        (("run", "--timeout", "inf"), "timeout is 'inf': give seconds above 0"),
        (("run", "--output", "a", "--resume", "b"), "give output or resume, not both"),
    ],
)
def test_invalid_arguments_get_one_line(arguments: tuple[str, ...], message: str, capsys: Capture) -> None:
    assert message in refused(capsys, *arguments)


def test_an_output_folder_that_is_not_empty_is_left_alone(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    error = refused(capsys, *numpy_run("--output", str(tmp_path)))
    assert f"{tmp_path} is not empty; name a new folder" in error
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_invalid_arguments_leave_no_folder(tmp_path: Path, capsys: Capture) -> None:
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
    assert "to resume" in error
    assert list(tmp_path.iterdir()) == []


def test_resume_of_damaged_results_gets_one_line_and_keeps_them(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "results.json").write_text("{")
    assert "not a results file" in refused(capsys, *numpy_run("--resume", str(tmp_path)))
    assert (tmp_path / "results.json").read_text() == "{"


def test_a_results_file_may_stand_for_its_folder(tmp_path: Path) -> None:
    Store(tmp_path).begin(Results(created=now(), host={}, options={"tasks": ["and-gate"], "epochs": 7}), [])
    options = make_options({"resume": tmp_path / "results.json", "epochs": 8})
    assert (options.resume, options.tasks, options.epochs) == (tmp_path, ("and-gate",), 8)


@pytest.mark.parametrize("file", ["none/x.html", "notes.txt/x.html", ".", "n" * 300 + ".html"])
@pytest.mark.parametrize("words", [("lesson", "--html"), ("report", "nothing", "--format", "html", "--output")])
def test_an_output_file_is_tried_before_the_work(
    words: tuple[str, ...], file: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_commands_harmless(monkeypatch)
    (tmp_path / "notes.txt").write_text("mine")
    monkeypatch.chdir(tmp_path)
    assert f"{file}: cannot be written (" in refused(capsys, *words, file)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert "nothing is run here" in refused(capsys, "lesson", "neuron", "--html", "x.HTML")


def test_a_lesson_is_no_pdf(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    make_commands_harmless(monkeypatch)
    assert "x.pdf: name a file that ends in .html" in refused(capsys, "lesson", "--html", "x.pdf")


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


def test_parity_explains_what_is_not_seen_as_the_readme_does(capsys: Capture) -> None:
    assert main(["parity", "--explain"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    readme = " ".join((ROOT / "README.md").read_text().split())
    for text in (*COMPARED, *BLIND_SPOTS):
        assert text in shown
        assert text in readme
