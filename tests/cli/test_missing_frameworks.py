"""Where a framework or a device is missing, that is said, and the rest is run."""

from pathlib import Path

import pytest

from compare import cli
from compare.run.reading import read_results
from tests.cli.common import RUN, Capture, Finished, numpy_run, python
from tests.faults import missing_frameworks
from tests.sources import FRAMEWORKS


def test_without_any_framework_run_says_what_is_missing_and_fails(tmp_path: Path) -> None:
    result = python(RUN, "run", "--output", str(tmp_path / "run"), hidden=FRAMEWORKS)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        'sidebyside: pytorch needs the package torch: pip install -e ".[pytorch]"',
        'sidebyside: keras needs the package tensorflow: pip install -e ".[keras]"',
        'sidebyside: jax needs the package jax: pip install -e ".[jax]"',
    ]
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def partial_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """A run on numpy and jax where a package of jax is missing."""
    output = tmp_path_factory.mktemp("partial") / "run"
    arguments = ("--backend", "jax", "--epochs", "20", "--threads", "1", "--output", str(output))
    return output, python(RUN, *numpy_run(*arguments), hidden=("optax",))


def test_the_rest_is_run_where_a_framework_is_missing(partial_run: tuple[Path, Finished]) -> None:
    output, finished = partial_run
    assert finished.returncode == 0, finished.stderr
    runs = {run.backend: run for run in read_results(output).runs}
    assert set(runs) == {"numpy", "jax"}
    assert runs["numpy"].status == "ok"
    assert runs["numpy"].accuracy is not None
    assert runs["jax"].status == "skipped"
    assert runs["jax"].message == 'jax needs the package optax: pip install -e ".[jax]"'
    assert f"written: {output / 'results.json'}\nwritten: {output / 'report.html'}, for a browser" in finished.stdout
    assert "jax needs the package optax" in (output / "report.html").read_text()


def test_without_a_terminal_progress_is_plain_lines(partial_run: tuple[Path, Finished]) -> None:
    _, finished = partial_run
    assert "\x1b" not in finished.stdout + finished.stderr
    assert "\r" not in finished.stdout + finished.stderr
    first, second = finished.stderr.splitlines()
    assert first.startswith("and-gate numpy tuned cpu: accuracy ")
    assert first.endswith(" examples/s")
    assert second == 'and-gate jax tuned cpu: skipped: jax needs the package optax: pip install -e ".[jax]"'


# In a table that is fitted to a terminal "unverified" became "unve…", and the install command was broken.
def test_without_a_terminal_nothing_is_cut_to_fit_one(partial_run: tuple[Path, Finished]) -> None:
    _, finished = partial_run
    assert "unverified" in finished.stdout
    assert "…" not in finished.stdout
    assert 'jax needs the package optax: pip install -e ".[jax]"' in finished.stdout


def test_a_device_that_is_not_there_fails_and_is_no_cpu_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(numpy_run("--device", "gpu")) == cli.FAILED
    (folder,) = (tmp_path / "runs").iterdir()  # where a run is written unless it is told
    (run,) = read_results(folder).runs
    assert (run.status, run.device) == ("skipped", "gpu:0")
    assert run.message.startswith("numpy has no device gpu:0 here (it has cpu)")
    assert run.accuracy is None
    assert "numpy has no device gpu:0 here" in " ".join(capsys.readouterr().out.split())


def test_commands_say_what_is_missing_or_broken_and_run_the_rest(tmp_path: Path) -> None:
    model = missing_frameworks.train_reference(tmp_path)
    assert missing_frameworks.check_missing(tuple(missing_frameworks.MODULES), model) == 7
    assert missing_frameworks.check_broken("jax", "ImportError", model) == 5
