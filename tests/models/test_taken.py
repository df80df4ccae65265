"""Weights as people have them: of compiled and parallel models, in other precisions, under any name."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import backends
import tasks
from backends import native
from backends.files import read_parameters, write_parameters
from compare import cli
from compare.models.convert import convert
from compare.models.predict import Answers
from tasks.architecture import Parameters
from tests.cli.common import Capture, asked, refused
from tests.conftest import is_there

IRIS = tasks.load_task("iris-mlp")
DRAWN = IRIS.parameters(0)


def encoded(array: NDArray[np.float32], dtype: str) -> tuple[bytes, NDArray[np.float32]]:
    """The bytes of an array in another precision, and what they stand for."""
    if dtype == "bfloat16":
        half = (np.ascontiguousarray(array).view(np.uint32) >> 16).astype("<u2")
        return half.tobytes(), (half.astype(np.uint32) << 16).view(np.float32)
    other = array.astype(dtype)
    with np.errstate(over="ignore"):
        return other.tobytes(), other.astype(np.float32)


def safetensors(path: Path, arrays: Parameters, dtype: str) -> None:
    code = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64"}[dtype]
    header, content = {}, b""
    for name, array in arrays.items():
        added = encoded(array, dtype)[0]
        header[name] = {
            "dtype": code,
            "shape": list(array.shape),
            "data_offsets": [len(content), len(content) + len(added)],
        }
        content += added
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)


def state_dict(path: Path, dtype: str, wrap: Callable[[str], str] = str) -> None:
    names = native("pytorch").shapes(IRIS.architecture)
    arrays = zip(names, DRAWN.values(), strict=True)
    safetensors(path, {wrap(name): np.ascontiguousarray(array.T) for name, array in arrays}, dtype)


def weights_h5(path: Path, dtype: str) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name, array in zip(native("keras").shapes(IRIS.architecture), DRAWN.values(), strict=True):
            if dtype == "bfloat16":
                file[name] = np.frombuffer(encoded(array, dtype)[0], "V2").reshape(array.shape)
                file[name].attrs["dtype"] = "bfloat16"
            else:
                file[name] = array.astype(dtype)


def msgpack(path: Path, dtype: str) -> None:
    from msgpack import ExtType, packb

    layers: dict[str, Any] = {}
    for name, array in zip(native("jax").shapes(IRIS.architecture), DRAWN.values(), strict=True):
        _, layer, parameter = name.split("/")
        leaf = ExtType(1, packb((array.shape, dtype, encoded(array, dtype)[0])))
        layers.setdefault(layer, {})[parameter] = leaf
    path.write_bytes(packb({"layers": layers}))


FORMS = {
    "safetensors": lambda path, dtype: safetensors(path, DRAWN, dtype),
    "pytorch": state_dict,
    "keras": weights_h5,
    "jax": msgpack,
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("form", FORMS)
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
    assert "DISAGREE: the same answers, outputs at most" in apart.verdict


def test_the_test_set_that_is_scored_is_named_and_other_data_are_told(tmp_path: Path, capsys: Capture) -> None:
    from tests.tasks.digit_files import save

    save(tmp_path / "own.npz")
    task = tasks.load_task("mnist-mlp")
    own, path = task.load(tmp_path / "own.npz"), tmp_path / "m.safetensors"
    write_parameters(path, task.parameters(0), {"task": "mnist-mlp", "data": own.train_sha256})
    words = ["predict", "--model", str(path), "--test-set", "--backend", "numpy"]
    told = "The model was trained on other data than these"
    assert cli.main(words) == cli.OK
    out = capsys.readouterr().out
    assert out.splitlines()[0].endswith("10,000 test examples of mnist-mlp's own data")
    assert told in out
    assert asked(capsys, *words)["trained_on_other_data"] is True
    words += ["--data", str(tmp_path / "own.npz")]
    assert cli.main(words) == cli.OK
    out = capsys.readouterr().out
    assert out.splitlines()[0].endswith(f"12 test examples of {tmp_path / 'own.npz'}")
    assert told not in out
    found = asked(capsys, *words)
    assert (found["test_set"], found["trained_on_other_data"]) == (str(tmp_path / "own.npz"), False)
    write_parameters(path, task.parameters(0), {"task": "mnist-mlp"})  # written before files said so
    assert asked(capsys, *words)["trained_on_other_data"] is None
