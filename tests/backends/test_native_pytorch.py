"""Hostile files of PyTorch's own form, a state_dict as safetensors, are refused in one line."""

from pathlib import Path

import pytest

from tests.backends.hostile_files import Capture, lay, make, refused
from tests.conftest import is_there


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
