"""Parameters in each framework's own file: bit-exact there and back, and loaded by the lines that the README shows."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import backends
import tasks
from backends import load_backend, native
from backends.files import read_header, write_parameters
from compare import cli
from compare.models.saved import form_of
from tasks.architecture import Architecture, Parameters
from tasks.errors import UnknownNameError
from tests.cli.common import Capture
from tests.conftest import is_there
from tests.remote import RemoteBackend, task_of
from tests.samples import SAMPLES
from tests.sources import ROOT

CNN = tasks.load_task("mnist-cnn")
NATIVE = {"pytorch": "cnn.safetensors", "keras": "cnn.weights.h5", "jax": "cnn.msgpack"}


def there_and_back(model: object, name: str, path: Path, case: str) -> Parameters:
    """In the framework's own process: writes parameters as the framework does, checks the file, reads it back."""
    architecture, parameters = case_of(case)
    module = native(name)
    module.write(path, architecture, parameters)
    module.check(path, architecture)
    found: Parameters = module.read(path, architecture)
    return found


def case_of(name: str) -> tuple[Architecture, Parameters]:
    """Parameters of a sample or of a task, no two of them equal."""
    task = task_of(SAMPLES[name].recipe) if name in SAMPLES else tasks.load_task(name)
    parameters, at = {}, 0
    for key, shape in task.architecture.variable_shapes.items():
        size = int(np.prod(shape))
        parameters[key] = np.arange(at, at + size, dtype=np.float32).reshape(shape)
        at += size
    return task.architecture, parameters


@pytest.mark.parametrize("case", [*SAMPLES, "and-gate", "iris-mlp", "mnist-cnn"])
def test_there_and_back_is_exact_for_every_layer(case: str, remote: RemoteBackend, tmp_path: Path) -> None:
    if remote.name == backends.REFERENCE:
        with pytest.raises(UnknownNameError, match="unknown framework 'numpy'"):
            native(remote.name)
        return
    remote.build(tasks.load_task("and-gate"), tasks.load_task("and-gate").parameters(0))
    path = tmp_path / f"case{native(remote.name).SUFFIX}"
    found = remote.call("apply", "tests.models.test_convert", "there_and_back", remote.name, path, case)
    _, expected = case_of(case)
    assert list(found) == list(expected)
    for variable in case_of(case)[0].portable:  # a framework's own file has nothing of our masks
        key = variable.key
        array = expected[key]
        assert found[key].dtype == np.float32
        assert np.array_equal(found[key], array), key
    assert form_of(path) == remote.name


def readme_lines(name: str) -> str:
    """The Python that the README shows for a framework."""
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    (block,) = (block for block in blocks if block.lower().startswith(f"# {name}"))
    return str(block)


@pytest.mark.parametrize("name", NATIVE)
def test_the_convolutional_network_is_loaded_by_the_lines_of_the_readme(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """By the command line there and back; between them a user's own network, in another process, takes the file."""
    if not is_there(name):
        pytest.skip(f"{name} is not installed")
    monkeypatch.chdir(tmp_path)
    metadata = {"task": "mnist-cnn", "recipe": "standard", "backend": "numpy", "seed": "0"}
    write_parameters(Path("saved.safetensors"), CNN.parameters(0), metadata)
    assert cli.main(["convert", "saved.safetensors", "--to", name, NATIVE[name]]) == cli.OK
    out, err = capsys.readouterr()
    assert err == f"written: {NATIVE[name]} (mnist-cnn, recipe standard)\n"
    lines = readme_lines(name)
    assert out.splitlines()[-1] in lines
    assert all(line in lines for line in out.splitlines())

    inputs = np.random.default_rng(0).standard_normal((7, 28, 28, 1), np.float32)
    np.save("inputs.npy", inputs)
    ask = {
        "pytorch": "import torch\noutputs = model(torch.tensor(x).permute(0, 3, 1, 2)).detach().numpy()",
        "keras": "outputs = model(x).numpy()",
        "jax": "outputs = np.asarray(model(x))",
    }[name]
    script = f"{lines}\nimport numpy as np\nx = np.load('inputs.npy')\n{ask}\nnp.save('outputs.npy', outputs)\n"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    expected = load_backend("numpy").build(CNN, CNN.parameters(0)).logits(inputs)
    assert np.abs(np.load("outputs.npy") - expected).max() <= 1e-5 * np.abs(expected).max()

    assert cli.main(["convert", NATIVE[name], "--to", "safetensors", "back.safetensors"]) == cli.OK
    assert read_header(Path("back.safetensors")).metadata == {
        "sidebyside": "1",
        "task": "mnist-cnn",
        "recipe": "standard",
    }
    write_parameters(Path("expected.safetensors"), CNN.parameters(0), {"task": "mnist-cnn", "recipe": "standard"})
    assert Path("back.safetensors").read_bytes() == Path("expected.safetensors").read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_compiled_keras_model_with_its_optimizers_state_is_read(tmp_path: Path, capsys: Capture) -> None:
    """What a user saves after training holds Adam's moments too."""
    if not is_there("keras"):
        pytest.skip("keras is not installed")
    path = tmp_path / "trained.weights.h5"
    script = (
        "import sys, keras, numpy as np\n"
        "model = keras.Sequential([keras.Input((4,)), *(keras.layers.Dense(n, 'relu') for n in (10, 10)),"
        " keras.layers.Dense(3)])\n"
        "model.compile('adam', keras.losses.SparseCategoricalCrossentropy(from_logits=True))\n"
        "model.fit(np.ones((8, 4)), np.zeros(8), verbose=0)\n"
        "model.save_weights(sys.argv[1])\n"
        "np.save(sys.argv[1] + '.npy', model.get_weights()[4])\n"
    )
    subprocess.run([sys.executable, "-c", script, path], check=True, capture_output=True)
    out = tmp_path / "out.safetensors"
    words = ["convert", str(path), "--to", "safetensors", str(out), "--recipe", "as-written"]
    assert cli.main(words) == cli.OK
    assert capsys.readouterr().err == f"written: {out} (iris-mlp, recipe as-written)\n"
    architecture = tasks.load_task("iris-mlp", "as-written").architecture
    kernel = backends.files.read_parameters(out, architecture)["4_dense/kernel"]
    assert np.array_equal(kernel, np.load(f"{path}.npy"))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("in.safetensors", "--to", "keras", "out.h5"), "keras wants a name that ends in .weights.h5"),
        (
            ("in.safetensors", "--to", "tensorflow", "out"),
            'Invalid value "tensorflow" for --to. Choose from: "pytorch"',
        ),
        (("in.safetensors", "--to", "jax", "none/out.msgpack"), "cannot be written ("),
        (("in.safetensors", "--to", "jax", "."), "cannot be written ("),
        (("in.safetensors", "out"), "parameter --to requires an argument"),
        (("none", "--to", "jax", "out"), "none: cannot be read"),
        (("in.safetensors", "--to", "jax", "out", "--task", "mnist-cnn"), "has no tensor '0_conv2d/kernel'"),
    ],
)
def test_wrong_words_are_refused_in_a_line(
    words: tuple[str, ...], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    if not all(is_there(name) for name in words if name in NATIVE):
        pytest.skip("not installed")
    write_parameters(Path("in.safetensors"), tasks.load_task("iris-mlp").parameters(0))
    assert cli.main(["convert", *words]) == cli.INVALID_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert text in err
    assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.safetensors"]


def test_a_missing_framework_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    write_parameters(tmp_path / "in.safetensors", tasks.load_task("iris-mlp").parameters(0))
    monkeypatch.setattr(backends, "missing", lambda name: f"install {name}")
    words = ["convert", str(tmp_path / "in.safetensors"), "--to", "jax", str(tmp_path / "out")]
    assert cli.main(words) == cli.INVALID_INPUT
    assert capsys.readouterr().err == "sidebyside: install jax\n"
    assert cli.main([*words[:3], "safetensors", str(tmp_path / "out.safetensors")]) == cli.OK  # needs none


def test_canonical_to_canonical_writes_what_it_found_out(tmp_path: Path) -> None:
    write_parameters(tmp_path / "in", tasks.load_task("mnist-dense").parameters(0), {"seed": "0"})
    assert cli.main(["convert", str(tmp_path / "in"), "--to", "safetensors", str(tmp_path / "in")]) == cli.OK
    metadata = {"sidebyside": "1", "task": "mnist-dense", "recipe": "standard", "seed": "0"}
    assert read_header(tmp_path / "in").metadata == metadata


def test_the_three_have_the_same_functions_in_the_same_order() -> None:
    for name in backends.framework_backends():
        tree = ast.parse((ROOT / "backends" / name / "native.py").read_text(encoding="utf-8"))
        found = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        assert found[:4] == ["shapes", "check", "write", "read"], name
