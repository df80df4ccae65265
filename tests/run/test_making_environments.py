"""Environments that ``sidebyside envs create`` makes: what is installed, and a run with two versions of a framework."""

import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from backends.registry import about
from compare.cli import main
from compare.executors import uv
from compare.executors.uv import make_environment, requirements
from compare.run.reading import read_results
from tests.sources import ROOT


def test_an_environment_has_this_package_with_the_framework_and_the_version_that_was_named() -> None:
    sources = ["--editable", f"{ROOT}[pytorch]"]
    assert requirements(about("pytorch"), gpu=False) == sources
    assert requirements(about("pytorch@2.13"), gpu=False) == [*sources, "torch==2.13.*"]
    assert requirements(about("pytorch@mine"), gpu=False) == sources
    assert requirements(about("numpy@1.26"), gpu=True) == ["--editable", str(ROOT), "numpy==1.26.*"]
    assert requirements(about("jax@0.9.2"), gpu=True)[-2:] == ["jax==0.9.2.*", "jax[cuda13]"]
    other = replace(about("numpy"), name="other", package="their-package")
    assert requirements(other, gpu=False) == ["--editable", str(ROOT), "their-package"]


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (None, ["sidebyside[jax]==0.1.0"]),
        ({"url": "file:///a/wheel.whl", "archive_info": {}}, ["sidebyside[jax] @ file:///a/wheel.whl"]),
        (
            {"url": "https://example.org/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            ["sidebyside[jax] @ git+https://example.org/x.git@abc"],
        ),
    ],
)
def test_a_package_that_was_installed_is_installed_from_the_same_place(
    origin: object, words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(uv, "ROOT", tmp_path)
    text = None if origin is None else json.dumps(origin)
    installed = SimpleNamespace(version="0.1.0", read_text=lambda name: text)
    monkeypatch.setattr(uv, "distribution", lambda name: installed)
    assert requirements(about("jax"), gpu=False) == words


def test_without_uv_and_for_a_folder_that_is_there_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "numpy").mkdir()
    assert main(["envs", "create", "numpy", "--folder", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert "there is such a folder already (numpy: " in err
    assert "there is no such file" in err
    assert "remove it, or name another folder" in err
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert main(["envs", "create", "jax", "--folder", str(tmp_path)]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "sidebyside: uv is not installed: pip install uv"
    assert main(["envs", "create", "jax", "torch", "--folder", str(tmp_path)]) == 2
    assert "unknown backend 'torch'" in capsys.readouterr().err
    assert main(["envs", "create"]) == 2
    assert capsys.readouterr().err == "sidebyside: name the backends: sidebyside envs create pytorch jax\n"
    assert [path.name for path in tmp_path.iterdir()] == ["numpy"]


def test_what_uv_cannot_finish_is_removed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(uv.EnvironmentFailedError, match="what uv says stands above"):
        make_environment("numpy@0.0.1", tmp_path / "old")
    assert capfd.readouterr().err  # uv's own words
    assert not (tmp_path / "old").exists()


@pytest.mark.slow
def test_two_versions_of_a_framework_stand_in_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["envs", "create", "jax@0.9", "jax@0.10"]) == 0
    made = capfd.readouterr()
    assert "jax@0.9 has Python" in made.err
    (tmp_path / "plan.toml").write_text('tasks = "iris-mlp"\n' + made.out)
    assert tomllib.loads(made.out)["python"] == {
        "jax@0.9": "envs/jax@0.9/bin/python", "jax@0.10": "envs/jax@0.10/bin/python",
    }  # fmt: skip
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-m",
            "compare",
            "run",
            "plan.toml",
            "--rounds",
            "3",
            "--output",
            "run",
            "--threads",
            "1",
        ],
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = read_results(tmp_path / "run")
    assert all(results.verified(run) for run in results.runs)
    versions = {run.backend: run.versions["jax"].rpartition(".")[0] for run in results.runs}
    assert versions == {"jax@0.9": "0.9", "jax@0.10": "0.10"}
