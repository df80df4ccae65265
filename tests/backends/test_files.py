"""Files of parameters: hostile ones get one line of error, at once, in little memory, and load no framework."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from backends import files, load_backend
from backends.files import ModelFileError, read_parameters, write_parameters
from compare import cli
from tests.backends.hostile_files import (
    HOSTILE,
    IRIS,
    MEGABYTES,
    SHAPES,
    TIMES,
    Canary,
    Capture,
    cost,
    lay,
    make,
    pickled,
    refused,
    values,
    zipped,
)
from tests.sources import FRAMEWORKS, ROOT, modules_after, offenders


def test_what_the_hostile_files_are_made_from_is_well(tmp_path: Path) -> None:
    """The twin of all that follows: unchanged, the same file is read."""
    assert set(read_parameters(lay(tmp_path / "m", make()), IRIS.architecture)) == set(SHAPES)
    noted = make(__metadata__={"task": "iris-mlp", "more": "x" * 900_000})
    assert set(read_parameters(lay(tmp_path / "m", noted), IRIS.architecture)) == set(SHAPES)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str, tmp_path: Path, capsys: Capture) -> None:
    content, text = HOSTILE[name]
    path = lay(tmp_path / "model.safetensors", content)
    assert text in refused(capsys, tmp_path, "predict", "--model", str(path), "1", "2", "3", "4")
    words = "convert", str(path), "--to", "safetensors", str(tmp_path / "out.safetensors")
    assert text in refused(capsys, tmp_path, *words)
    assert text in refused(capsys, tmp_path, "weights", str(path))
    model = load_backend("numpy").build(IRIS, IRIS.parameters(0))
    with pytest.raises(ModelFileError):
        model.load(path)
    assert all(np.array_equal(array, IRIS.parameters(0)[key]) for key, array in model.parameters().items())


COSTLY = ["a header of 1 GB, there", "1 TB of data", "huge shapes", "a device", "deep JSON", "a tensor too many"]


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system what a process has used")
@pytest.mark.parametrize("name", COSTLY)
def test_hostile_files_cost_no_time_and_no_memory(name: str, tmp_path: Path) -> None:
    path = lay(tmp_path / "model.safetensors", HOSTILE[name][0])
    words = ["predict", "--model", str(path), "1", "2", "3", "4"]
    times, megabytes, status = cost(*words)
    assert status == cli.INVALID_INPUT
    assert times < TIMES
    assert megabytes < MEGABYTES


def test_no_framework_is_loaded_for_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(make(data=values(np.nan)))
    (tmp_path / "bad.weights.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    (tmp_path / "bad.msgpack").write_bytes(b"\x81\xa6layers\xc1")
    commands = [
        ["convert", str(tmp_path / name), "--to", "safetensors", str(tmp_path / "out")]
        for name in ("bad.safetensors", "bad.weights.h5", "bad.msgpack")
    ]
    loaded = modules_after(f"import compare.cli\nfor words in {commands!r}: assert compare.cli.main(words) == 2")
    assert loaded.isdisjoint(FRAMEWORKS)
    natives = sorted((ROOT / "backends").glob("*/native.py"))
    assert len(natives) == 3
    assert offenders(natives, FRAMEWORKS, inside_functions=False) == []


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    """Nothing ran when the files above were refused; the canary would sing."""
    for maker in (pickled, zipped):
        path = tmp_path / "model.safetensors"
        maker(path)
        with pytest.raises(ModelFileError):
            files.read_header(path)
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(Canary(tmp_path / "ran"))).close()
    assert (tmp_path / "ran").exists()


def test_a_file_that_cannot_be_written_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be written"):
        write_parameters(tmp_path / "none" / "model.safetensors", IRIS.parameters(0))
