"""Ports of small models, as their users write them: the right ones are found right, and one cause in each is named."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sidebyside
from compare import cli
from compare.explain.port import Asked, compare_models
from compare.explain.port_text import answer
from compare.explain.sides import PortError, Side, find_side
from compare.records.port import Port
from tests.cli.common import Capture, refused
from tests.conftest import is_there

HERE = Path(__file__).parent
IMAGES = np.random.RandomState(0).standard_normal((4, 16, 16, 3)).astype(np.float32)
ROWS = np.random.RandomState(1).standard_normal((6, 7)).astype(np.float32)
RIGHT = [
    ("torch:cnn", "keras:cnn"),
    ("torch:cnn", "flax:cnn"),
    ("keras:cnn", "torch:cnn"),
    ("flax:cnn", "keras:cnn"),
    ("torch:mlp", "keras:mlp"),
    ("torch:mlp", "flax:mlp"),
    ("torch:autoencoder", "keras:autoencoder"),
    ("keras:autoencoder", "flax:autoencoder"),
    ("torch:with_bias", "keras:subclassed"),
    ("torch:cnn_by_functions", "flax:cnn"),
]
WRONG = [
    ("torch:cnn", "keras:same_padding", "conv1", "padding is (1, 1) in the first and same in the second"),
    ("torch:cnn", "flax:same_padding", "conv1", "padding is (1, 1) in the first and same in the second"),
    ("torch:cnn", "keras:epsilon_of_batch_norm", "norm", "epsilon is 1e-05 in the first and 0.001 in the second"),
    ("keras:cnn", "torch:without_running_statistics", "batch_normalization", "the batch's own mean and variance"),
    ("torch:cnn", "keras:without_relu", "conv2", "in what the models themselves do between norm and conv2"),
    ("torch:mlp", "keras:epsilon_of_layer_norm", "1", "epsilon is 1e-05 in the first and 0.001 in the second"),
    ("keras:mlp", "flax:epsilon_of_layer_norm", "layer_normalization", "epsilon is 1e-05 in the first and 1e-06"),
    ("torch:tanh_mlp", "keras:mlp", "2", "the second computes GELU exactly"),
    ("torch:mlp", "flax:approximate_gelu", "3", "in what the models themselves do between 1 and 3"),
    ("torch:mlp", "keras:slope", "4", "slope is 0.01 in the first and 0.3 in the second"),
    ("torch:with_bias", "keras:without_bias", "0", "the second has no bias"),
]


def sampled(cases: Sequence[tuple[str, ...]], *ordinary: int) -> list[Any]:
    """The cases, of which only some belong to the ordinary suite: each starts five processes."""
    slow = pytest.mark.slow
    return [case if at in ordinary else pytest.param(*case, marks=slow) for at, case in enumerate(cases)]


def side(word: str) -> Side:
    name, function = word.split(":")
    file = name if "_" in name else f"{name}_models"
    found = find_side(f"{HERE / file}.py:{function}")
    if not is_there(found.framework):
        pytest.skip(f"{found.framework} is not installed")
    return found


def compared(first: str, second: str, **options: bool) -> Port:
    inputs = IMAGES if first.split(":")[1].startswith(("cnn", "autoencoder")) else ROWS
    return compare_models(side(first), side(second), Asked(inputs, threads=1, timeout=120.0, **options))


@pytest.mark.parametrize(("first", "second"), sampled(RIGHT, 0, 9))
def test_a_right_port_is_found_right(first: str, second: str) -> None:
    port = compared(first, second)
    assert port.right, answer(port)
    assert port.unpaired == ([], [])
    assert port.output_float32 is not None
    assert port.output_float32 < 1e-5
    assert "but for rounding" in answer(port)[0]


@pytest.mark.parametrize(("first", "second", "layer", "words"), sampled(WRONG, 2, 7))
def test_the_first_difference_and_its_cause_are_named(first: str, second: str, layer: str, words: str) -> None:
    port = compared(first, second)
    assert not port.right
    (difference,) = port.differences
    assert difference.first == layer
    (said,) = answer(port)
    assert words in said, said


def test_two_causes_are_both_named() -> None:
    port = compared("torch:cnn", "keras:two_causes")
    assert [difference.first for difference in port.differences] == ["conv1", "norm"]
    first, second = answer(port)
    assert "padding is (1, 1)" in first
    assert "epsilon is 1e-05" in second


@pytest.mark.slow
def test_what_comes_after_the_last_layer_is_said() -> None:
    (said,) = answer(compared("torch:mlp", "keras:softmax_at_the_end"))
    assert "what the models do after their last layer" in said


@pytest.mark.slow
def test_what_cannot_be_paired_is_said() -> None:
    port = compared("torch:with_bias", "keras:one_more_layer")
    assert not port.right
    assert any(port.unpaired)
    assert "Without a counterpart in the other model" in answer(port)[0]


@pytest.mark.slow
def test_as_they_are_they_have_weights_of_their_own() -> None:
    port = compared("torch:with_bias", "keras:subclassed", as_they_are=True)
    assert not port.right
    assert compared("torch:with_bias", "keras:subclassed").right


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("returns_a_dictionary", "the model returns a dictionary"),
        ("needs_arguments", "needs_arguments() missing 1 required positional argument"),
        ("leaves", "SystemExit: 3"),
        ("no_model", "it returns a int, which is no torch.nn.Module"),
        ("nothing_of_this_name", "there is no function of this name in the file"),
        ("of_another_shape", "mat1 and mat2 shapes cannot be multiplied"),
    ],
)
def test_a_broken_side_is_named_in_one_line(function: str, expected: str) -> None:
    with pytest.raises(PortError) as raised:
        compared(f"torch:{function}", "torch:with_bias")
    said = str(raised.value)
    assert said.startswith(f"torch_models.py:{function}: ")
    assert expected in said
    assert "\n" not in said


def test_a_side_that_never_ends_is_ended() -> None:
    with pytest.raises(PortError, match=r"torch_models.py:never_ends: .*5"):
        compare_models(side("torch:never_ends"), side("torch:with_bias"), Asked(ROWS, timeout=5.0))


@pytest.mark.slow
def test_a_side_that_prints_does_no_harm() -> None:
    assert compared("torch:prints", "torch:prints").output is not None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("pair", "a.py", "b.py:f", "--shape", "8,7"), "a.py: write a Python file and its function, as mine.py:make"),
        (("pair", "none.py:f", "b.py:f", "--shape", "8,7"), "none.py cannot be read (No such file or directory)"),
        (("pair", "a.py:f", "b.py:f"), "give the inputs by --input FILE.npz or by --shape 8,28,28,1"),
        (("pair", "a.py:f", "b.py:f", "--shape", "8"), "shape is 8: give whole numbers above 0"),
        (("pair", "a.py:f", "b.py:f", "--shape", "8,0"), "shape is 8,0: give whole numbers above 0"),
        (("pair", "a.py:f", "b.py:f", "--shape", "100000,100000"), "that is more than 100,000,000 numbers"),
        (("pair", "a.py:f", "b.py:f", "--input", "none.npz"), "none.npz: cannot be read as .npz"),
        (("pair", "a.py:f", "b.py:f", "--shape", "8,7", "--timeout", "0"), "timeout is 0: give seconds above 0"),
    ],
)
def test_wrong_words_are_refused_in_one_line(words: tuple[str, ...], expected: str, capsys: Capture) -> None:
    assert expected in refused(capsys, *words)


def test_a_file_of_several_frameworks_or_none_must_say_which(tmp_path: Path) -> None:
    both, none, broken = tmp_path / "both.py", tmp_path / "none.py", tmp_path / "broken.py"
    both.write_text("import torch\nfrom flax import nnx\ndef make(): ...\n")
    none.write_text("import numpy\n")
    broken.write_text("def make(:\n")
    with pytest.raises(PortError, match=r"it imports jax and pytorch: say which it is, as keras=.*both.py:make"):
        find_side(f"{both}:make")
    with pytest.raises(PortError, match="no framework is to be seen in its imports"):
        find_side(f"{none}:make")
    with pytest.raises(PortError, match="the file is not Python"):
        find_side(f"{broken}:make")
    if is_there("jax"):
        assert find_side(f"jax={both}:make").framework == "jax"


@pytest.mark.slow
def test_in_python_it_is_a_call_and_a_check() -> None:
    side("torch:mlp"), side("keras:slope")
    words = f"{HERE}/torch_models.py:mlp", f"{HERE}/keras_models.py:slope"
    assert not sidebyside.pair(*words, ROWS).right
    with pytest.raises(AssertionError, match=r"First difference: 4 of torch_models.py:mlp .*slope is 0.01"):
        sidebyside.assert_same_model(*words, ROWS)
    sidebyside.assert_same_model(words[0], f"{HERE}/keras_models.py:mlp", ROWS.tolist())


def test_the_command_answers_first_and_its_status_serves_a_script(capsys: Capture, tmp_path: Path) -> None:
    side("torch:mlp"), side("keras:slope")
    inputs = tmp_path / "inputs.npz"
    np.savez(inputs, x=ROWS)
    words = ["pair", f"{HERE}/torch_models.py:mlp", f"{HERE}/keras_models.py:slope", "--input", str(inputs)]
    assert cli.main(words) == 1
    out, err = capsys.readouterr()
    assert out.startswith("First difference: 4 of torch_models.py:mlp and leaky_re_lu")
    assert "given the" in out
    assert err == ""
    page = tmp_path / "pair.html"
    assert cli.main([*words, "--json", "--html", str(page)]) == 1
    text = page.read_text()
    assert "First difference: 4 of torch_models.py:mlp and leaky_re_lu" in text
    assert "<svg" in text
    assert "given the same input" in text
    port = Port.model_validate_json(capsys.readouterr().out)
    assert port.differences[0].causes == ["slope is 0.01 in the first and 0.3 in the second"]


@pytest.mark.slow
def test_a_side_runs_in_another_environment(capsys: Capture) -> None:
    side("torch:with_bias")
    file = f"{HERE}/torch_models.py:with_bias"
    words = ["pair", file, f"pytorch@2={file}", "--shape", "6,7"]
    assert "add --python pytorch@2=ENV/bin/python" in refused(capsys, *words)
    assert cli.main([*words, "--python", f"pytorch@2={sys.executable}"]) == 0
    assert "but for rounding" in capsys.readouterr().out
