"""Weights as people have them: of compiled and parallel models, in other precisions, under any name."""

import os
from pathlib import Path

import numpy as np
import pytest

import backends
import tasks
from backends.files import read_parameters, write_parameters
from compare import cli
from compare.models.convert import convert
from compare.models.predict import Answers
from tests.cli.common import Capture, asked, refused
from tests.conftest import is_there
from tests.models.taken_forms import DRAWN, IRIS, encoded, msgpack, safetensors, state_dict, weights_h5

FORMS = {
    "safetensors": lambda path, dtype: safetensors(path, DRAWN, dtype),
    "pytorch": state_dict,
    "keras": weights_h5,
    "jax": msgpack,
}


@pytest.mark.parametrize(
    ("form", "dtype"),
    [(form, dtype) for form in FORMS for dtype in ("bfloat16", "float64")]
    + [("safetensors", "float16"), ("pytorch", "float16")],
)
def test_other_precisions_are_taken_with_a_note(form: str, dtype: str, tmp_path: Path, capsys: Capture) -> None:
    if form in backends.framework_backends() and not is_there(form):
        pytest.skip(f"{form} is not installed")
    path, out = tmp_path / "given", tmp_path / "out.safetensors"
    FORMS[form](path, dtype)  # type: ignore[no-untyped-call]
    assert cli.main(["convert", str(path), "--to", "safetensors", str(out)]) == cli.OK
    notes = (
        f"sidebyside: {path}: its weights of {dtype} are taken as float32\nwritten: {out} (iris-mlp, recipe standard)\n"
    )
    assert capsys.readouterr() == ("", notes)
    for key, array in read_parameters(out, IRIS.architecture).items():
        assert np.array_equal(array, encoded(DRAWN[key], dtype)[1].reshape(array.shape)), key
    if form == "safetensors":
        assert cli.main(["predict", "--model", str(path), "1", "2", "3", "4", "--backend", "numpy"]) == cli.OK
        assert "taken as float32" in capsys.readouterr().err


def test_what_float32_cannot_hold_is_refused(tmp_path: Path, capsys: Capture) -> None:
    safetensors(tmp_path / "m", {key: np.full(array.shape, 1e300) for key, array in DRAWN.items()}, "float64")
    assert "not finite" in refused(capsys, "predict", "--model", str(tmp_path / "m"), "1", "2", "3", "4")


@pytest.mark.parametrize("wrap", ["_orig_mod.{}", "module.{}", "module._orig_mod.{}", "_orig_mod.module.{}"])
def test_weights_of_compiled_and_parallel_models_are_taken(wrap: str, tmp_path: Path, capsys: Capture) -> None:
    if not is_there("pytorch"):
        pytest.skip("needs PyTorch")
    path, out = tmp_path / "given.safetensors", tmp_path / "out.safetensors"
    state_dict(path, "float32", wrap.format)
    assert cli.main(["convert", str(path), "--to", "safetensors", str(out)]) == cli.OK
    assert "taken as" not in capsys.readouterr().err
    for key, array in read_parameters(out, IRIS.architecture).items():
        assert np.array_equal(array, DRAWN[key])


def test_two_tensors_for_one_parameter_are_refused(tmp_path: Path, capsys: Capture) -> None:
    if not is_there("pytorch"):
        pytest.skip("needs PyTorch")
    zero = np.zeros(3, np.float32)
    safetensors(tmp_path / "m", {"4.bias": zero, "module.4.bias": zero}, "float32")
    words = ("convert", str(tmp_path / "m"), "--to", "safetensors", str(tmp_path / "o"), "--task", "iris-mlp")
    assert "two tensors for one parameter" in refused(capsys, *words)


@pytest.mark.parametrize(
    ("form", "name", "wanted"),
    [
        ("pytorch", "iris.pt", ".safetensors"),
        ("pytorch", "iris.pth", ".safetensors"),
        ("safetensors", "iris.msgpack", ".safetensors"),
        ("jax", "iris.safetensors", ".msgpack"),
        ("keras", "iris.keras", ".weights.h5"),
    ],
)
def test_a_name_that_promises_another_form_is_refused(
    form: str, name: str, wanted: str, tmp_path: Path, capsys: Capture
) -> None:
    if form in backends.framework_backends() and not is_there(form):
        pytest.skip(f"{form} is not installed")
    write_parameters(tmp_path / "m", DRAWN)
    text = refused(capsys, "convert", str(tmp_path / "m"), "--to", form, str(tmp_path / name))
    assert f"name that ends in {wanted}" in text or f"name a file that ends in {wanted}" in text
    assert not (tmp_path / name).exists()


def test_files_whose_names_are_no_text_are_read_and_written(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("such a name is impossible here")
    write_parameters(folder / "m", DRAWN)
    assert cli.main(["predict", "--model", str(folder / "m"), "1", "2", "3", "4", "--backend", "numpy"]) == cli.OK
    if is_there("jax"):
        convert(folder / "m", "jax", folder / "o.msgpack")
        convert(folder / "o.msgpack", "safetensors", folder / "b")
        assert all(np.array_equal(a, DRAWN[key]) for key, a in read_parameters(folder / "b", IRIS.architecture).items())


def test_denormal_outputs_are_no_disagreement() -> None:
    """Some frameworks compute with 0 for them."""
    tiny, zero = np.array([[1e-40, 2e-40, 0]], np.float32), np.zeros((1, 3), np.float32)
    answers = Answers(IRIS, {"numpy": tiny, "jax": zero}, {})
    assert answers.agree
    assert answers.verdict.endswith("the same answers, equal outputs")
    one = np.array([[1, 0, 0]], np.float32)
    apart = Answers(IRIS, {"numpy": one, "jax": np.float32(1.001) * one}, {})
    assert "DISAGREE: the same answers, outputs differ by at most" in apart.verdict


def test_the_test_set_that_is_scored_is_named_and_other_data_are_told(tmp_path: Path, capsys: Capture) -> None:
    from tests.tasks.digit_files import save

    save(tmp_path / "own.npz")
    task = tasks.load_task("mnist-dense")
    own, path = task.source.load(tmp_path / "own.npz"), tmp_path / "m.safetensors"
    write_parameters(path, task.parameters(0), {"task": "mnist-dense", "data": own.train_sha256})
    words = ["predict", "--model", str(path), "--test-set", "--backend", "numpy"]
    told = "The model was trained on other data than these"
    assert cli.main(words) == cli.OK
    out = capsys.readouterr().out
    assert out.splitlines()[0].endswith("10,000 test examples of mnist-dense's own data")
    assert told in out
    words += ["--data", str(tmp_path / "own.npz")]
    assert cli.main(words) == cli.OK
    out = capsys.readouterr().out
    assert out.splitlines()[0].endswith(f"12 test examples of {tmp_path / 'own.npz'}")
    assert told not in out
    found = asked(capsys, *words)
    assert (found["test_set"], found["trained_on_other_data"]) == (str(tmp_path / "own.npz"), False)
    other = tasks.load_task("mnist-dense").source.load(None).train_sha256
    write_parameters(path, task.parameters(0), {"task": "mnist-dense", "data": other})
    assert asked(capsys, *words)["trained_on_other_data"] is True
    write_parameters(path, task.parameters(0), {"task": "mnist-dense"})  # written before files said so
    assert asked(capsys, *words)["trained_on_other_data"] is None
