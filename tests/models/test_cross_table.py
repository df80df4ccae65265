"""Trained in each framework, evaluated in each: the same accuracy along each row."""

from pathlib import Path

import numpy as np
import pytest

import backends
import tasks
from backends.files import read_header, read_parameters
from compare import cli
from compare.models.predict import AGREEMENT, Answers
from compare.run.reading import read_results
from tasks.architecture import Parameters
from tasks.task import Task
from tests.cli.common import Capture, asked
from tests.conftest import is_there
from tests.remote import RemoteBackend


def evaluate(
    trained: dict[str, Parameters], remotes: dict[str, RemoteBackend], task: Task
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """For each that trained: the accuracy in each that evaluates, and how far the logits lie apart."""
    dataset = task.source.load(None)
    table, distances = {}, {}
    for name, parameters in trained.items():
        outputs = {
            other: remote.build(task, parameters).logits(dataset.test_inputs) for other, remote in remotes.items()
        }
        predicted = Answers(task, outputs, {}).labels
        table[name] = {other: float((labels == dataset.test_labels).mean()) for other, labels in predicted.items()}
        distances[name] = Answers(task, outputs, {}).distance
    return table, distances


@pytest.fixture(scope="module")
def iris_trained_everywhere(
    every_remote: dict[str, RemoteBackend], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Parameters]:
    """Trained in each framework, through a file that it wrote."""
    task, folder = tasks.load_task("iris-mlp"), tmp_path_factory.mktemp("models")
    dataset, trained = task.source.load(None), {}
    for name, remote in every_remote.items():
        remote.build(task, task.parameters(0))
        remote.place(dataset)
        remote.train(task.batches(len(dataset.train_labels), 0))
        remote.call("save", folder / f"{name}.safetensors")
        trained[name] = read_parameters(folder / f"{name}.safetensors", task.architecture)
    return trained


def test_trained_in_each_and_evaluated_in_each(
    every_remote: dict[str, RemoteBackend], iris_trained_everywhere: dict[str, Parameters]
) -> None:
    table, distances = evaluate(iris_trained_everywhere, every_remote, tasks.load_task("iris-mlp"))
    for name, row in table.items():
        assert len(set(row.values())) == 1, table
        assert row[name] > 0.9
        assert distances[name] <= AGREEMENT


def test_the_cross_table_sees_one_weight_that_is_off(
    every_remote: dict[str, RemoteBackend], iris_trained_everywhere: dict[str, Parameters]
) -> None:
    """The twin of the test above."""
    if len(every_remote) < 2:
        pytest.skip("needs two frameworks")
    task, dataset = tasks.load_task("iris-mlp"), tasks.load_task("iris-mlp").source.load(None)
    first, second = list(every_remote)[:2]
    right = iris_trained_everywhere[first]
    kernel = right["4_dense/kernel"].copy()
    kernel.flat[np.abs(kernel).argmax()] *= 1.001
    outputs = {
        first: every_remote[first].build(task, right).logits(dataset.test_inputs),
        second: every_remote[second].build(task, {**right, "4_dense/kernel": kernel}).logits(dataset.test_inputs),
    }
    assert Answers(task, outputs, {}).distance > AGREEMENT
    assert Answers(task, outputs, {}).agree is False


@pytest.mark.slow
def test_the_cross_table_of_the_convolutional_network(tmp_path: Path, capsys: Capture) -> None:
    """By the command line alone: nine accuracies, the same along each row."""
    names = [name for name in backends.framework_backends() if is_there(name)]
    run = tmp_path / "run"
    words = ["run", "mnist-cnn", "--epochs", "1", "--save-models", "--no-certify", "--output", str(run), "--backend"]
    assert cli.main([*words, *names]) == cli.OK
    capsys.readouterr()
    files = {read_header(path).metadata["backend"]: path for path in sorted((run / "models").iterdir())}
    assert set(files) == set(names)
    trained = {one.backend: one.accuracy for one in read_results(run).runs}
    lines = []
    for name, path in files.items():
        found = asked(capsys, "predict", "--model", str(path), "--test-set", "--backend", *names)
        assert found["accuracy"] == dict.fromkeys(names, trained[name])
        assert found["largest_difference"] <= AGREEMENT
        lines.append(f"{name}: {found['accuracy']} {found['largest_difference']:.1e}")
    with capsys.disabled():
        print("", *lines, sep="\n")
