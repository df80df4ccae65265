"""What a run states is what really ran: switched off compilers, damaged caches, training and inference."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import backends
from backends.about import Mode
from backends.base import EAGER
from backends.numpy.training import cross_entropy
from compare.analysis.rows import Row
from compare.executors.local import LocalExecutor
from compare.records.request import CellRequest
from compare.records.run import Run
from compare.run.options import make_options
from compare.run.plan import list_cells
from tasks.architecture import sequence
from tasks.layers import Dropout
from tests.analysis.runs import make_certificate, make_run
from tests.remote import RemoteBackend, task_of
from tests.worker.diverging import INITIAL, SAMPLE


def run_of(backend: str, mode: str, cache: Path | None = None, **environment: str) -> Run:
    if backends.missing(backend) is not None:
        pytest.skip(f"needs {backend}")
    options = make_options({"tasks": "and-gate", "backends": backend, "modes": mode, "epochs": 2})
    (cell,) = list_cells(options)
    executor = LocalExecutor(2, environment=environment, compile_cache=cache)
    reply = executor.ask(backend, CellRequest(cell=cell))
    assert reply.status == "ok", reply.message
    assert reply.run is not None
    return reply.run


@pytest.mark.parametrize(
    ("backend", "mode", "variable"),
    [
        ("pytorch", "tuned", "TORCH_COMPILE_DISABLE"),
        ("jax", "tuned", "JAX_DISABLE_JIT"),
        ("jax", "stock", "JAX_DISABLE_JIT"),
    ],
)
def test_a_compiler_that_is_switched_off_is_seen(backend: str, mode: str, variable: str) -> None:
    run = run_of(backend, mode, **{variable: "1"})
    assert str(run.settings["compiled"]).startswith(EAGER)
    assert f"{variable}=1" in str(run.settings["environment"])
    assert "was not compiled" in run.message


def test_a_run_that_was_not_compiled_is_not_ranked() -> None:
    runs = [make_run("pytorch", settings={"compiled": f"{EAGER}the compiler failed"})]
    assert Row(tuple(runs), make_certificate("pytorch")).refusal == "not compiled: no: eager, for the compiler failed"
    runs = [make_run("pytorch", settings={"compiled": "no: eager"})]  # a stock loop is not meant to be
    assert Row(tuple(runs), make_certificate("pytorch")).refusal == ""


@pytest.mark.slow
def test_keras_trains_all_epochs_whatever_its_variables_say() -> None:
    run = run_of("keras", "stock", KERAS_MAX_EPOCHS="1", KERAS_MAX_STEPS_PER_EPOCH="1")
    assert len(run.losses) == 2
    assert run.losses == run_of("keras", "stock").losses


@pytest.mark.parametrize("backend", [pytest.param("pytorch", marks=pytest.mark.slow), "jax"])
def test_a_damaged_compile_cache_costs_no_speed(backend: str, tmp_path: Path) -> None:
    run_of(backend, "tuned", tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert files
    for file in files:
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
    run = run_of(backend, "tuned", tmp_path)
    assert not str(run.settings["compiled"]).startswith("no")
    assert run.message == ""


@pytest.mark.parametrize("mode", ["tuned", "stock"])
def test_dropout_of_its_own_randomness_is_in_training_alone(remote: RemoteBackend, mode: Mode) -> None:
    if remote.name == "numpy":
        pytest.skip("a dropout of its own randomness is the frameworks' alone")
    dense, _, *others = SAMPLE.recipe.architecture.layers
    architecture = sequence(SAMPLE.recipe.architecture.input_shape, (dense, Dropout(0.5), *others))
    task = task_of(replace(SAMPLE.recipe, architecture=architecture)).with_own_randomness()
    assert task.architecture.state == ()
    remote.build(task, INITIAL, mode=mode)
    inputs, labels = SAMPLE.dataset.train_inputs[:64], SAMPLE.dataset.train_labels[:64]
    (w1, b1), (w2, b2) = ([INITIAL[f"{index}_dense/{kind}"] for kind in ("kernel", "bias")] for index in (0, 2))
    answers = remote.logits(inputs)
    np.testing.assert_allclose(answers, (inputs @ w1 + b1) @ w2 + b2, atol=1e-5)
    np.testing.assert_array_equal(remote.logits(inputs), answers)
    loss, _ = remote.loss_and_gradients(inputs, labels)
    in_inference, _ = cross_entropy(answers.astype(np.float64), labels)
    assert loss != pytest.approx(float(in_inference), rel=1e-3)
    if mode == "tuned":  # own randomness is an option of the stock loop
        return
    remote.place(SAMPLE.dataset)
    losses = [remote.train(SAMPLE.batches[:1]), remote.load_parameters(INITIAL), remote.train(SAMPLE.batches[:1])]
    assert np.isfinite(losses[0]).all()
    assert abs(losses[0] - losses[2]).max() > 1e-3  # other masks were drawn, and the same parameters trained
