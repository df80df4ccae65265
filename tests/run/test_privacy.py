"""Nothing that names the user, the machine or a folder gets into a run's results and report, unless it is asked for."""

import getpass
import json
import re
import socket
from pathlib import Path

import pytest

import compare
from tests.tasks.digit_files import save

ABSOLUTE = re.compile(rb"/(?:home|root|tmp|usr|private|Users)/[\w.-]+")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run leaves that was given an absolute path, in its options, its environment and an error's message."""
    folder = tmp_path_factory.mktemp("secret-place")
    save(folder / "digits.npz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLA_FLAGS", f"--xla_dump_to={folder}/dump")
        compare.compare(
            "mnist-mlp",
            "numpy",
            data=folder / "digits.npz",
            epochs=1,
            batch_size=10,
            output=folder / "run",
            certify=False,
            threads=1,
        )
        patch.setattr("compare.api.check_data", lambda options: None)
        (folder / "digits.npz").unlink()
        compare.compare(
            "mnist-mlp", "numpy", data=folder / "digits.npz", epochs=1, output=folder / "run2", certify=False, threads=1
        )
    texts = [path for path in folder.rglob("*") if path.suffix in (".json", ".html")]
    assert any(b"digits.npz: cannot be read" in path.read_bytes() for path in texts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in texts}


def test_no_path_and_no_name_is_kept(files: dict[str, bytes]) -> None:
    assert {"run/results.json", "run/run.json", "run/report.html", "run2/report.html"} <= files.keys()
    for name, content in files.items():
        assert b"secret-place" not in content, name
        assert ABSOLUTE.search(content) is None, (name, ABSOLUTE.search(content))
        for word in (socket.gethostname(), getpass.getuser()):
            if len(word) > 5:  # a shorter one could stand in the middle of a picture's code
                assert word.encode() not in content, (name, word)


def test_the_data_file_is_named_without_its_folder(files: dict[str, bytes]) -> None:
    results = json.loads(files["run/results.json"])
    assert results["options"]["data"] == "digits.npz"
    assert "data='digits.npz'" in results["command"]
    assert "xla_dump_to" in results["runs"][0]["settings"]["environment"]


def test_the_machine_is_named_where_that_is_asked_for(tmp_path: Path) -> None:
    results = compare.compare(
        "and-gate", "numpy", epochs=5, threads=1, certify=False, include_host=True, output=tmp_path / "run"
    ).results
    assert results.host["name"] == socket.gethostname()
