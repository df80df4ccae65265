"""Backends and tasks of other packages: found by their entry points, loaded when named, held to the contract."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backends import registry as backend_registry
from compare.cli import main
from compare.run.formulations import _sources
from compare.run.options import make_options
from compare.run.reading import read_results
from tasks import contract, registry
from tasks.errors import SideBySideError
from tasks.form import LAYERS, OPTIMIZER_PARTS, SCHEDULE_PARTS
from tasks.plugins import plugins
from tasks.registry import load_task
from tests.sources import ROOT
from tests.worker.fakes import posix_only

PLUGIN = ROOT / "tests" / "data" / "plugin"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package as pip would install it."""
    site = tmp_path / "site"
    shutil.copytree(PLUGIN / "plainly", site / "plainly")
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    metadata = site / "plainly-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")])))
    plugins.cache_clear()
    yield site
    plugins.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "plainly"]:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process that has not loaded anything of another package."""
    monkeypatch.setattr(backend_registry, "_BACKENDS", dict(backend_registry._BACKENDS))
    monkeypatch.setattr(registry, "_TASKS", dict(registry._TASKS))
    monkeypatch.setattr(registry, "_DOCUMENTS", {})


def test_nothing_of_another_package_is_loaded_until_it_is_named(
    installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "plainly      plainly" in shown
    assert "spirals      plainly" in shown
    assert "plainly" not in sys.modules


@posix_only
def test_a_backend_and_a_task_of_another_package_are_run(installed: Path, tmp_path: Path) -> None:
    command = ["run", "spirals", "--backend", "plainly", "numpy", "--mode", "both", "--output", str(tmp_path / "run")]
    assert main(command) == 0
    results = read_results(tmp_path / "run")
    assert {run.backend: run.status for run in results.runs if run.mode == "stock"}["plainly"] == "ok"
    assert all(results.verified(run) for run in results.runs if run.status == "ok")
    assert load_task("spirals").source.kind == "spirals"


@posix_only
def test_the_contract_is_kept_by_the_backend_and_broken_by_its_twin(
    installed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "NAMES", ("contract-binary", "contract-gate"))  # all seven take minutes
    assert main(["check-backend", "plainly"]) == 0
    assert "plainly has kept 2 of 2 parts of the contract" in capsys.readouterr().out
    assert main(["check-backend", "crooked"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "contract-binary, stock: refused: first to differ: gradient of 0_dense/bias, 5.0e-01 of its"
    )
    assert lines[-1] == "crooked has kept 0 of 2 parts of the contract"


@pytest.mark.slow
@posix_only
@pytest.mark.parametrize("name", ["numpy", "pytorch", "keras", "jax", "plainly"])
def test_every_backend_keeps_the_contract(name: str, installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-backend", name]) == 0, capsys.readouterr().out


def test_the_contract_has_every_layer_loss_and_rule() -> None:
    contract.register()
    recipes = [load_task(name).recipe for name in contract.NAMES]
    layers = {type(layer) for recipe in recipes for layer in recipe.architecture.layers}
    assert layers == set(LAYERS)
    assert {type(recipe.optimizer).__name__ for recipe in recipes} == set(OPTIMIZER_PARTS)
    assert {type(recipe.schedule).__name__ for recipe in recipes} | {"Cosine"} == set(SCHEDULE_PARTS)
    assert len({recipe.loss for recipe in recipes}) == 5


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["run", "--backend", "broken"], "broken of the package plainly cannot be loaded (ModuleNotFoundError"),
        (["run", "--backend", "misnamed"], "misnamed of the package plainly leads to no About of the name misnamed"),
        (["run", "untasked"], "untasked of the package plainly leads to no Task of the name untasked"),
        (["check-backend", "plain"], "unknown backend 'plain': did you mean plainly? choose from numpy, pytorch"),
        (
            ["run", "--backend", "quitting"],
            "quitting of the package plainly cannot be loaded (SystemExit); ask its auth",
        ),
        (["run", "quitter"], "quitter of the package plainly cannot be loaded (SystemExit); ask its authors"),
        (
            ["check-backend", "exploding"],
            "needs plainly.quitting.inner, which cannot be imported (SystemExit); ask its",
        ),
        (
            ["run", "spirals", "--set", "epochs=3"],
            "spirals: its data are of the class Spirals, which no task's file can",
        ),
        (["run", "spirals", "--sweep", "epochs=3,4"], "so it cannot be changed or given as an object: run it by its"),
        (
            ["new", "mine.toml", "--from", "spirals"],
            "spirals is of the package plainly, and has no file that is copied:",
        ),
        (["run", "--backend", "dotted", "--formulation", "even"], "unknown formulation 'even': choose from "),
        (["check-backend", "plainly", "--device", "gpu"], ""),
    ],
)
def test_what_is_wrong_with_a_package_is_one_line(
    command: list[str], message: str, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(command)
    printed = capsys.readouterr()
    if message:
        assert status == 2
        assert message in printed.err
        assert printed.err.count("\n") == 1
    else:
        assert status == 1
        assert "plainly has no device gpu:0 here (it has cpu)" in printed.out


def test_a_package_that_is_missing_is_named_on_standard_error(
    installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["check-backend", "dotted"], ["run", "--backend", "dotted", "--formulation", "odd"]):
        assert main(command) == 1
        message = "sidebyside: dotted needs the package nonesuch.inner: pip install plainly\n"
        assert capsys.readouterr() == ("", message)


def test_a_name_that_is_built_in_is_not_listed_for_another_package(
    installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--json"]) == 0
    others = json.loads(capsys.readouterr().out)["of_other_packages"]
    assert "spirals" in others["sidebyside.tasks"]
    assert "iris-mlp" not in others["sidebyside.tasks"]
    assert "numpy" not in others["sidebyside.backends"]


def test_a_task_of_another_package_that_is_given_as_an_object_is_named(installed: Path) -> None:
    with pytest.raises(SideBySideError, match=r"spirals: its data are of the class Spirals, .*: run it by its name"):
        make_options({"tasks": [load_task("spirals")]})


def test_what_a_race_found_is_for_the_files_of_the_package_as_they_are(installed: Path) -> None:
    plainly, ours = backend_registry.about("plainly"), backend_registry.about("pytorch")
    assert installed / "plainly" / "backend.py" in _sources(plainly)
    assert {path.name for path in _sources(ours)} == {path.name for path in (ROOT / "backends/pytorch").glob("*.py")}
    assert [path.name for path in _sources(replace(plainly, backend="this.Backend"))] == ["this.py"]


def test_without_entry_points_nothing_is_found() -> None:
    code = "from tasks.plugins import plugins; print(plugins('sidebyside.backends'))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "{}\n"
