"""Saved models answer, the same in every framework; what cannot be answered gets one line."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import backends
import tasks
from backends.files import read_parameters, write_parameters
from compare import cli
from compare.executors.local import LocalExecutor
from compare.models.predict import AGREEMENT, Answers
from compare.models.saved import open_model
from compare.records.event import Reply
from compare.records.request import PredictRequest
from compare.run.reading import read_results
from tasks.mnist import read_digits
from tasks.task import Task
from tests.cli.common import Capture, asked, refused
from tests.conftest import is_there
from tests.screen import terminal, written


def test_iris_is_answered_by_every_installed_backend(saved: tuple[Path, Path], capsys: Capture) -> None:
    installed = [name for name in backends.framework_backends() if is_there(name)]
    words = ["predict", "--model", str(saved[1]), "6.6", "3.2", "5.8", "2.4", "--backend", "numpy", *installed]
    found = asked(capsys, *words)
    (answer,) = found["inputs"]
    assert set(answer["answers"]) == {"numpy", *installed}
    assert found["agree"] is (True if installed else None)
    assert found["largest_difference"] <= 1e-6
    logits = reference_logits(saved[1], np.array([[6.6, 3.2, 5.8, 2.4]], np.float32))[0]
    for one in answer["answers"].values():
        assert one["answer"] == "virginica"
        assert sum(one["probabilities"].values()) == pytest.approx(1)
        assert np.allclose(one["outputs"], logits, rtol=1e-5, atol=1e-5)
    expected = np.exp(logits) / np.exp(logits).sum()
    assert list(answer["answers"]["numpy"]["probabilities"].values()) == pytest.approx(expected.tolist())


def test_the_table_for_people(saved: tuple[Path, Path], capsys: Capture) -> None:
    assert cli.main(["predict", "--model", str(saved[1]), "6.6", "3.2", "5.8", "2.4", "--backend", "numpy"]) == cli.OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "iris-mlp, recipe standard, trained with numpy, seed 0",
        "6.6 3.2 5.8 2.4",
        "  backend answer    setosa versicolor virginica",
    ]
    assert lines[4].split()[:2] == ["numpy", "virginica"]
    assert lines[5] == "one backend alone: there is nothing to compare it with"


@pytest.mark.parametrize("width", [40, 60, 80])
def test_its_tables_fit_the_terminal(
    width: int, saved: tuple[Path, Path], drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = terminal(width)
    monkeypatch.setattr("compare.report.layout.Console", lambda: console)
    Image.fromarray(read_digits()["x_test"][0]).save(tmp_path / "0.png")
    for words in (("6.6", "3.2", "5.8", "2.4"), ("--test-set",)):
        assert cli.main(["predict", "--model", str(saved[1]), *words, "--backend", "numpy"]) == cli.OK
    assert cli.main(["predict", "--model", str(drawn), str(tmp_path / "0.png"), "--backend", "numpy"]) == cli.OK
    lines = written(console).splitlines()
    assert [line for line in lines if len(line) > width and str(tmp_path) not in line] == []
    assert {"virginica", "0.9833", *"0123456789"} <= {word for line in lines for word in line.split()}


def test_the_test_set_gives_the_accuracy_of_the_run(saved: tuple[Path, Path], capsys: Capture) -> None:
    (run,) = read_results(saved[0]).runs
    found = asked(capsys, "predict", "--model", str(saved[1]), "--test-set", "--backend", "numpy")
    assert (found["test_examples"], found["accuracy"]) == (60, {"numpy": run.accuracy})
    assert cli.main(["predict", "--model", str(saved[1]), "--test-set", "--backend", "numpy"]) == cli.OK
    assert f"{run.accuracy:.4f}" in capsys.readouterr().out


def test_digits_are_answered_from_files(drawn: Path, tmp_path: Path, capsys: Capture) -> None:
    images = read_digits()["x_test"][:2]
    for index, image in enumerate(images):
        Image.fromarray(image if index else 255 - image).save(tmp_path / f"{index}.png")
    found = asked(
        capsys, "predict", "--model", str(drawn), str(tmp_path / "0.png"), str(tmp_path / "1.png"), "--backend", "numpy"
    )
    task = tasks.load_task("mnist-mlp")
    assert task.source.takes == "digits"
    logits = reference_logits(drawn, task.source.prepare(images))
    for index, answer in enumerate(found["inputs"]):
        assert answer["answers"]["numpy"]["outputs"] == pytest.approx(logits[index].tolist())
        assert answer["answers"]["numpy"]["answer"] == str(logits[index].argmax())
    assert found["inputs"][0]["done"][0].startswith("inverted")
    assert not found["inputs"][1]["done"][0].startswith("inverted")
    assert cli.main(["predict", "--model", str(drawn), str(tmp_path / "0.png"), "--backend", "numpy"]) == cli.OK
    out = capsys.readouterr().out
    assert f"{tmp_path / '0.png'}: inverted (it was dark on light); neither cut out nor resized" in out
    assert all(len(line) < 80 for line in out.splitlines() if line.startswith("  "))


def test_and_gate_is_answered(tmp_path: Path, capsys: Capture) -> None:
    parameters = {"0_dense/kernel": np.full((2, 1), 9, np.float32), "0_dense/bias": np.array([-12], np.float32)}
    write_parameters(tmp_path / "m.safetensors", parameters)
    for words, expected in ((("1", "1"), "true"), (("1", "-0"), "false")):
        found = asked(capsys, "predict", "--model", str(tmp_path / "m.safetensors"), *words, "--backend", "numpy")
        one = found["inputs"][0]["answers"]["numpy"]
        assert one["answer"] == expected
        assert sum(one["probabilities"].values()) == pytest.approx(1)


def reference_logits(path: Path, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
    task = open_model(path).task
    return backends.load_backend("numpy").build(task, read_parameters(path, task.architecture)).logits(inputs)


def answers_of(task: Task, **outputs: list[list[float]]) -> Answers:
    return Answers(task, {name: np.array(values, np.float32) for name, values in outputs.items()}, {})


def test_a_softmax_is_not_taken_twice() -> None:
    outputs = [[0.7, 0.2, 0.1]]
    as_written = answers_of(tasks.load_task("iris-mlp", "as-written"), jax=outputs)
    assert as_written.probabilities("jax")[0].tolist() == pytest.approx(outputs[0])
    standard = answers_of(tasks.load_task("iris-mlp"), jax=outputs)
    assert standard.probabilities("jax")[0].tolist() == pytest.approx([0.4640, 0.2814, 0.2546], abs=1e-4)
    assert answers_of(tasks.load_task("and-gate"), jax=[[0.25]]).probabilities("jax")[0].tolist() == [0.75, 0.25]


def test_backends_agree_within_a_hundred_thousandth_and_by_their_answers() -> None:
    task = tasks.load_task("iris-mlp")
    assert answers_of(task, pytorch=[[10, 0, 1]]).agree is None
    assert answers_of(task, pytorch=[[10, 0, 1]], jax=[[10, 0, 1.00009]]).agree
    assert answers_of(task, pytorch=[[10, 0, 1]], jax=[[10, 0, 1.0002]]).agree is False
    tie = answers_of(task, pytorch=[[1, 1.000001, 0]], keras=[[1.000001, 1, 0]])
    assert tie.distance < AGREEMENT
    assert tie.agree is False
    assert tie.verdict.startswith("pytorch and keras DISAGREE: 1 different answer, ")
    assert answers_of(task, pytorch=[[0, 0, 0]], jax=[[0, 0, 0]]).verdict.endswith("the same answers, equal outputs")


def test_disagreement_and_failure_are_told_with_status_1(
    saved: tuple[Path, Path], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(executor: LocalExecutor, backend: str, request: PredictRequest, **more: object) -> Reply:
        if backend == "jax":
            return Reply(status="crashed", message="broken")
        np.save(request.output, np.array([[0, 0, 1 if backend == "keras" else 1.1]], np.float32))
        return Reply()

    monkeypatch.setattr(LocalExecutor, "ask", ask)
    monkeypatch.setattr(backends, "missing", lambda name: None)
    words = ["predict", "--model", str(saved[1]), "1", "2", "3", "4", "--backend"]
    assert cli.main([*words, "pytorch", "keras"]) == cli.FAILED
    assert "pytorch and keras DISAGREE" in capsys.readouterr().out
    assert cli.main([*words, "jax", "keras"]) == cli.FAILED
    assert capsys.readouterr().err == "sidebyside: jax: broken\n"
    assert cli.main([*words, "jax"]) == cli.FAILED
    assert capsys.readouterr() == ("", "sidebyside: jax: broken\n")


def test_a_worker_that_fails_is_a_line(tmp_path: Path, capsys: Capture) -> None:
    """Finite parameters whose outputs are not: the backend says so, and no traceback is seen."""
    parameters = {k: np.full_like(v, 1e38) for k, v in tasks.load_task("iris-mlp").parameters(0).items()}
    write_parameters(tmp_path / "m.safetensors", parameters)
    words = ["predict", "--model", str(tmp_path / "m.safetensors"), "1", "2", "3", "4", "--backend", "numpy"]
    assert cli.main(words) == cli.FAILED
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "an output holds values that are not finite" in err


# Wrong words


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "iris-mlp needs 4 finite numbers; or name --test-set"),
        (("1", "2", "3"), "iris-mlp needs 4 finite numbers; got 3"),
        (("1", "2", "3", "4", "5"), "iris-mlp needs 4 finite numbers; got 5"),
        (("1", "2", "3", "four"), "'four' is not a number: iris-mlp needs 4 finite numbers\n"),
        (
            ("1", "2", "3", "nan"),
            "'nan' is not finite in float32: iris-mlp needs 4 finite numbers",
        ),
        (("1", "2", "3", "1e300"), "'1e300' is not finite in float32"),
        (
            ("6.6,3.2", "5.8", "2.4"),
            "'6.6,3.2' is not a number: iris-mlp needs 4 finite numbers, apart and with",
        ),
        (("1", "2", "3", "4", "--test-set"), "or name --test-set"),
        (("1", "2", "3", "4", "--data", "x.npz"), "--data goes with --test-set"),
        (("--test-set", "--data", "x.npz"), "--data is for the mnist tasks"),
        (("--task", "mnist-mlp", "--test-set"), "has no tensor '1_dense/kernel'"),
        (("--task", "iris", "--test-set"), "unknown task 'iris': did you mean iris-mlp? choose from"),
        (("--task", "mnist-cnn", "--recipe", "as-written", "--test-set"), "unknown recipe of mnist-cnn"),
        (("--test-set", "--backend", "theano"), "unknown backend 'theano'"),
    ],
)
def test_wrong_words_are_refused_in_a_line(
    words: tuple[str, ...], text: str, saved: tuple[Path, Path], capsys: Capture
) -> None:
    assert text in refused(capsys, "predict", "--model", str(saved[1]), *words)


def test_missing_frameworks_are_named(
    saved: tuple[Path, Path], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "missing", lambda name: None if name == "numpy" else f"install {name}")
    words = ["predict", "--model", str(saved[1]), "1", "2", "3", "4"]
    assert refused(capsys, *words) == "sidebyside: install pytorch; install keras; install jax\n"
    assert cli.main([*words, "--backend", "numpy", "keras"]) == cli.OK
    assert capsys.readouterr().err == "sidebyside: left out: install keras\n"
