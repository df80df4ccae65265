"""What a run states is what really ran: switched off compilers, damaged caches, training and inference."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backends
from backends.base import EAGER
from backends.numpy.training import cross_entropy
from compare.analysis.rows import Row
from compare.executors.local import LocalExecutor
from compare.records.request import CellRequest
from compare.records.run import Run
from compare.run.options import make_options
from compare.run.plan import list_cells
from tasks.layers import Dense, ReLU
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


def test_keras_trains_all_epochs_whatever_its_variables_say() -> None:
    run = run_of("keras", "stock", KERAS_MAX_EPOCHS="1", KERAS_MAX_STEPS_PER_EPOCH="1")
    assert len(run.losses) == 2
    assert run.losses == run_of("keras", "stock").losses


@pytest.mark.parametrize("backend", ["pytorch", "jax"])
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


def answers_with_dropout(model: Any, name: str, mode: Any, parameters: Any) -> tuple[Any, Any, Any]:
    """In the framework's process, of a network whose ReLU is a dropout: two answers, and the loss of one batch."""
    import importlib

    kinds = [importlib.import_module(f"backends.{name}.{module}") for module in ("layers", "tuned_layers")]
    tables = [kinds[0].LAYERS, kinds[1].TUNED_LAYERS]
    before = [table[ReLU] for table in tables]
    for table in tables:
        table[ReLU] = lambda layer, shape: _dropout(name)
    try:
        built = backends.load_backend(name).build(task_of(SAMPLE.recipe), parameters, mode=mode)
    finally:
        for table, kind in zip(tables, before, strict=True):
            table[ReLU] = kind
    inputs, labels = SAMPLE.dataset.train_inputs[:64], SAMPLE.dataset.train_labels[:64]
    first = built.logits(inputs)
    loss, _ = built.loss_and_gradients(inputs, labels)
    return first, built.logits(inputs), loss


def _dropout(name: str) -> Any:
    if name == "pytorch":
        from torch import nn

        return nn.Dropout(0.5)
    if name == "keras":
        import keras

        return keras.layers.Dropout(0.5)
    from flax import nnx

    return nnx.Dropout(0.5, rngs=nnx.Rngs(0))


@pytest.mark.parametrize("mode", ["tuned", "stock"])
def test_answers_are_those_of_inference_and_gradients_those_of_training(remote: RemoteBackend, mode: str) -> None:
    if remote.name == "numpy":
        pytest.skip("a dropout of its own randomness is the frameworks' alone")
    arguments = ("tests.worker.test_what_ran", "answers_with_dropout", remote.name, mode, INITIAL)
    first, again, loss = remote.call("apply", *arguments)
    (w1, b1), (w2, b2) = ([INITIAL[f"{index}_dense/{kind}"] for kind in ("kernel", "bias")] for index in (0, 2))
    assert Dense(3) == SAMPLE.recipe.architecture.layers[2]
    np.testing.assert_allclose(first, (SAMPLE.dataset.train_inputs[:64] @ w1 + b1) @ w2 + b2, atol=1e-5)
    np.testing.assert_array_equal(first, again)
    in_inference, _ = cross_entropy(first.astype(np.float64), SAMPLE.dataset.train_labels[:64])
    assert loss != pytest.approx(float(in_inference), rel=1e-3)
