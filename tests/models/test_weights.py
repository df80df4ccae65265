"""``sidebyside weights``: statistics and values of a saved model, whatever wrote it, at any width."""

import re
from pathlib import Path

import numpy as np
import pytest

import backends
import tasks
from backends.files import write_parameters
from compare import cli
from tests.cli.common import Capture, asked, refused
from tests.conftest import is_there
from tests.models.taken_forms import DRAWN, msgpack, safetensors, state_dict, weights_h5
from tests.screen import terminal, written

NATIVE = {"pytorch": state_dict, "keras": weights_h5, "jax": msgpack}


def test_an_and_gates_three_numbers_are_all_printed(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "gate.safetensors"
    kernel, bias = np.array([[0.25], [-1.5]], np.float32), np.array([0.125], np.float32)
    write_parameters(path, {"0_dense/kernel": kernel, "0_dense/bias": bias}, {"task": "and-gate", "seed": "3"})
    assert cli.main(["weights", str(path)]) == cli.OK
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines() == [
        "and-gate, recipe standard, seed 3: 3 parameters",
        "                                          standard",
        "  parameter       shape  values    mean  deviation  smallest  largest",
        "  ──────────────  ─────  ──────  ──────  ─────────  ────────  ───────",
        "  0_dense/kernel    2x1       2  -0.625      0.875      -1.5     0.25",
        "  0_dense/bias        1       1   0.125          0     0.125    0.125",
        "",
        "0_dense/kernel, 2x1",
        "  [[ 0.2500]",
        "   [-1.5000]]",
        "",
        "0_dense/bias, 1",
        "  [0.1250]",
    ]


def numbers(lines: list[str]) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.\d{4}", " ".join(lines))]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_every_value_of_a_small_network_is_whole_at_any_width(
    width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "iris.safetensors"
    write_parameters(path, DRAWN)
    console = terminal(width)
    monkeypatch.setattr("compare.report.layout.Console", lambda: console)
    assert cli.main(["weights", str(path)]) == cli.OK
    lines = written(console).splitlines()
    assert max(map(len, lines)) <= width
    heads = [at for at, line in enumerate(lines) if line.partition(",")[0] in DRAWN and "," in line]
    assert [lines[at].partition(",")[0] for at in heads] == list(DRAWN)
    for (name, array), begin, end in zip(DRAWN.items(), heads, [*heads[1:], None], strict=True):
        assert np.allclose(numbers(lines[begin:end]), array.ravel(), atol=5e-5, rtol=0), name


def test_of_a_large_network_the_statistics_are_printed_and_json_has_everything(drawn: Path, capsys: Capture) -> None:
    assert cli.main(["weights", str(drawn)]) == cli.OK
    out = capsys.readouterr().out
    assert "mnist-mlp, recipe standard: 669,706 parameters\n" in out
    assert re.search(r"\n  1_dense/kernel +784x512 +401,408 ", out)
    assert "\n1_dense/kernel, " not in out
    assert re.search(r"\n1_dense/bias, 512\n  \[.* \.\.\. .*\]\n", out)
    assert "more than 1,000 values are shown by their statistics alone; --json prints every value" in out
    found = asked(capsys, "weights", str(drawn))
    parameters = tasks.load_task("mnist-mlp").parameters(0)
    assert (found["task"], found["parameters"]) == ("mnist-mlp", 669_706)
    assert [(layer["layer"], layer["kind"]) for layer in found["layers"]] == [
        ("1_dense", "dense"), ("3_dense", "dense"), ("5_dense", "dense"),
    ]  # fmt: skip
    for layer in found["layers"]:
        for name in ("kernel", "bias"):
            shown, array = layer[name], parameters[f"{layer['layer']}/{name}"]
            assert np.array_equal(np.array(shown["array"], np.float32), array)
            assert (tuple(shown["shape"]), shown["values"]) == (array.shape, array.size)
            exact = array.astype(np.float64)
            expected = [exact.mean(), exact.std(), exact.min(), exact.max()]
            names = ("mean", "standard_deviation", "smallest", "largest")
            assert [shown[name] for name in names] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("form", NATIVE)
def test_a_frameworks_own_file_shows_the_same(form: str, tmp_path: Path, capsys: Capture) -> None:
    if not is_there(form):
        pytest.skip(f"{form} is not installed")
    NATIVE[form](tmp_path / "native", "float32")
    safetensors(tmp_path / "canonical", DRAWN, "float32")
    own, canonical = (asked(capsys, "weights", str(tmp_path / name)) for name in ("native", "canonical"))
    assert own["layers"] == canonical["layers"]
    assert own["task"] == "iris-mlp"


def test_other_precisions_are_told(tmp_path: Path, capsys: Capture) -> None:
    safetensors(tmp_path / "half", DRAWN, "float16")
    assert cli.main(["weights", str(tmp_path / "half")]) == cli.OK
    out, err = capsys.readouterr()
    assert "taken as float32" in err
    assert out.startswith("iris-mlp, ")


def test_small_values_beside_large_ones_need_no_exponent_and_small_ones_alone_have_one(
    tmp_path: Path, capsys: Capture
) -> None:
    for size, text in ((1.0, "0.0000"), (1e-6, "e-06")):
        kernel = np.array([[size], [size * 1e-6]], np.float32)
        write_parameters(tmp_path / "m", {"0_dense/kernel": kernel, "0_dense/bias": np.ones(1)})
        assert cli.main(["weights", str(tmp_path / "m")]) == cli.OK
        assert text in capsys.readouterr().out.partition("kernel, 2x1")[2]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("none",), "none: cannot be read (No such file or directory)"),
        ((), "parameter --FILE requires an argument"),
        (("iris", "--task", "mnist-cnn"), "has no tensor '0_conv2d/kernel'"),
        (("iris", "--task", "nonsense"), "unknown task 'nonsense'"),
        (("iris", "more"), "weights takes no 'more' here"),
    ],
)
def test_wrong_words_are_refused_in_a_line(
    words: tuple[str, ...], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    write_parameters(Path("iris"), DRAWN)
    assert text in refused(capsys, "weights", *words)


def test_a_missing_framework_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    (tmp_path / "m").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    monkeypatch.setattr(backends, "missing", lambda name: f"install {name}")
    assert refused(capsys, "weights", str(tmp_path / "m")) == "sidebyside: install keras\n"
