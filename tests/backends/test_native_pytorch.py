"""Files of PyTorch's own form, a state_dict as safetensors: hostile ones are refused, an LSTM's two biases added."""

from pathlib import Path

import numpy as np
import pytest

from tests.backends.hostile_files import Capture, lay, make, refused
from tests.conftest import is_there
from tests.samples import SAMPLES


def test_hostile_state_dicts_are_refused(tmp_path: Path, capsys: Capture) -> None:
    if not is_there("pytorch"):
        pytest.skip("needs PyTorch")
    weight = {"dtype": "F32", "shape": [10, 4], "data_offsets": [0, 160]}
    for header, text in (
        ({"0.weight": weight}, "has no tensor '0.bias'"),
        ({"0.weight": {**weight, "dtype": "F16"}}, "has 160 bytes, not those of its shape (10, 4)"),
        ({"0.weight": {**weight, "shape": [4, 10]}}, "has the shape (4, 10), not (10, 4)"),
        ({"0.weight": {**weight, "shape": [10.0, 4]}}, "has the shape a list, not (10, 4)"),
    ):
        path = lay(tmp_path / "model.safetensors", make(header, bytes(160)))
        words = "convert", str(path), "--to", "safetensors", str(tmp_path / "out"), "--task", "iris-mlp"
        assert text in refused(capsys, tmp_path, *words)
        assert "pytorch's own form" in refused(capsys, tmp_path, "predict", "--model", str(path), "1", "2", "3", "4")


def test_the_two_biases_of_an_lstm_are_one(tmp_path: Path) -> None:
    if not is_there("pytorch"):
        pytest.skip("needs PyTorch")
    from safetensors.numpy import load_file, save_file

    from backends.pytorch import native

    architecture = SAMPLES["sequences"].recipe.architecture
    parameters = {key: np.full(shape, 1, np.float32) for key, shape in architecture.variable_shapes.items()}
    path = tmp_path / "lstm.safetensors"
    native.write(path, architecture, parameters)
    tensors = load_file(path)
    assert not tensors["1.bias_hh_l0"].any()
    save_file(tensors | {"1.bias_hh_l0": tensors["1.bias_hh_l0"] + 2}, path)
    native.check(path, architecture)
    found = native.read(path, architecture)
    np.testing.assert_array_equal(found["1_lstm/bias"], np.full(16, 3))
    np.testing.assert_array_equal(found["3_lstm/bias"], parameters["3_lstm/bias"])
