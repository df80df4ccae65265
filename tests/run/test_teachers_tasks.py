"""Tasks in TOML as a teacher writes them: trained, certified on every framework, reported, answered by, converted."""

from pathlib import Path

import pytest

from compare.cli import main
from compare.run.reading import read_results
from tasks.array_files import FashionMNIST
from tasks.toml_task import read_task
from tests.sources import ROOT
from tests.worker.fakes import posix_only

FILES = sorted((ROOT / "tests" / "data" / "tasks").glob("*.toml"))
LEAST = {
    "my-digits": 0.93,
    "my-wine": 0.94,
    "my-tumours": 0.94,
    "my-cnn": 0.95,
    "my-resnet": 0.95,
    "my-leaves": 0.85,
    "my-shapes": 0.9,
    "my-clothes": 0.7,
    "my-diabetes": 0.25,
    "my-rows": 0.9,
}


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    file: Path = request.param
    if file.stem == "my-clothes" and not Path(FashionMNIST().folder).exists():
        pytest.skip("this system has no Fashion-MNIST")
    return file


def test_a_teachers_file_is_a_task(path: Path) -> None:
    task, _ = read_task(path)
    dataset = task.dataset()
    assert dataset.train_inputs.shape[1:] == task.architecture.input_shape
    if task.source.classes:
        assert set(dataset.test_labels) == set(range(len(task.source.classes)))


@pytest.mark.slow
@posix_only
def test_a_teachers_task_is_certified_on_every_framework(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert main(["run", str(path), "--mode", "both", "--save-models", "--output", str(folder)]) == 0
    results = read_results(folder)
    assert len(results.runs) == 6
    assert all(results.verified(run) for run in results.runs)
    assert all((run.accuracy or 0) >= LEAST[path.stem] for run in results.runs)
    model = next((folder / "models").glob("*.keras.tuned.*"))
    assert main(["predict", "--model", str(model), "--test-set", "--task", str(path)]) == 0
    native, back = tmp_path / "native.safetensors", tmp_path / "back.safetensors"
    assert main(["convert", str(model), "--to", "pytorch", str(native), "--task", str(path)]) == 0
    assert main(["convert", str(native), "--to", "safetensors", str(back), "--task", str(path)]) == 0
    assert back.stat().st_size
