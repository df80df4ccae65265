"""``import sidebyside`` and ``python -m sidebyside``; a wheel, its hints, and its numbers."""

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import backends.about
import sidebyside
from backends.registry import about, framework_backends
from compare import api
from compare.run.options import make_options
from compare.run.repeating import as_call
from tasks.errors import SideBySideError
from tests.sources import ROOT


def test_sidebyside_is_the_api_and_the_command() -> None:
    assert (sidebyside.compare, sidebyside.Comparison) == (api.compare, api.Comparison)
    command = [sys.executable, "-m", "sidebyside", "list"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "iris-mlp" in finished.stdout


def test_public_names_are_imported_where_they_are_asked_for() -> None:
    assert set(sidebyside.__all__) == set(sidebyside._HOMES) == set(dir(sidebyside))
    for name in sidebyside.__all__:
        found = getattr(sidebyside, name)
        assert getattr(found, "__name__", name).rpartition(".")[2] == name
    with pytest.raises(AttributeError, match="has no attribute 'compere'"):
        getattr(sidebyside, "compere")  # noqa: B009 - no such name
    code = "import sys, sidebyside as sbs; assert 'numpy' not in sys.modules; sbs.Task; assert 'numpy' in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_wheel_has_the_module_the_types_and_the_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["license"] == "MIT AND CC-BY-SA-3.0"
    held = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    assert set(held) == {"tasks", "backends", "compare", "sidebyside.py"}
    assert all((ROOT / name / "py.typed").is_file() for name in held if not name.endswith(".py"))


@pytest.mark.parametrize("name", [*framework_backends(), "keras-jax", "keras-torch"])
def test_the_install_command_fits_what_is_installed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert about(name).install == f'pip install -e ".[{name}]"'  # these are the sources
    monkeypatch.setattr(backends.about, "__file__", str(tmp_path / "backends" / "about.py"))
    assert about(name).install == f'pip install "sidebyside[{name}]"'


def test_numpy_numbers_are_numbers_in_every_option() -> None:
    whole = {name: np.int64(2) for name in ("seeds", "rounds", "epochs", "examples", "batch_size", "threads")}
    parts = {"learning_rate": np.float32(0.5), "timeout": np.int64(60), "certify": np.bool_(False)}
    options = make_options(whole | parts | {"tasks": np.array(["iris-mlp"]), "backends": np.str_("jax")})
    plain = make_options(dict.fromkeys(whole, 2) | {"learning_rate": 0.5, "timeout": 60.0, "certify": False})
    assert options == plain.model_copy(update={"tasks": ("iris-mlp",), "backends": ("jax",)})
    assert options.model_dump_json()
    assert "np." not in as_call(options)


def test_a_self_check_alone_has_the_rounds_that_it_needs() -> None:
    assert make_options({"self_check": True}).rounds == 3
    with pytest.raises(SideBySideError, match="a self-check compares 3 rounds or more, not 2"):
        make_options({"self_check": True, "rounds": 2})
