"""A trained model of iris, and an untrained one of digits."""

from pathlib import Path

import pytest

import tasks
from backends.files import write_parameters
from compare import cli


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run of iris in the reference that keeps its model: the run's folder and the file."""
    folder = tmp_path_factory.mktemp("run")
    words = ["run", "iris-mlp", "--backend", "numpy", "--save-models", "--no-certify", "--output", str(folder)]
    assert cli.main(words) == cli.OK
    (file,) = (folder / "models").iterdir()
    return folder, file


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """The file of an untrained mnist-mlp."""
    path = tmp_path / "drawn.safetensors"
    write_parameters(path, tasks.load_task("mnist-mlp").parameters(0))
    return path
