"""No framework is imported before a backend is loaded, and each is imported in its own folder alone."""

import ast
from pathlib import Path

import pytest

from tests.sources import FRAMEWORKS, HEAVY, ROOT, imports, module_name, modules_after, offenders


@pytest.mark.parametrize(
    "script",
    [
        "import tasks, backends, compare, compare.cli",
        "import compare.cli; assert compare.cli.main(['list']) == 0",
        "import compare.cli; assert compare.cli.main(['list', '--json']) == 0",
        "import compare.cli\ntry: compare.cli.main(['--help'])\nexcept SystemExit as end: assert end.code in (0, None)",
        "import compare.cli\ntry: compare.cli.main(['run', '--help'])\nexcept SystemExit as end: assert not end.code",
    ],
    ids=["import", "list", "list --json", "--help", "run --help"],
)
def test_nothing_heavy_is_imported(script: str) -> None:
    loaded = modules_after(script)
    assert {"tasks", "backends", "compare"} <= loaded
    assert loaded.isdisjoint(HEAVY), loaded.intersection(HEAVY)


def test_the_process_that_is_asked_can_tell() -> None:
    """The twin of the test above: an import is seen, wherever it stands."""
    assert "scipy" in modules_after("import compare.cli, scipy.special")


def test_all_modules_of_tasks_and_compare_import_no_framework() -> None:
    names = [module_name(path) for package in ("tasks", "compare") for path in sources(package)]
    assert {"tasks.mnist", "compare.worker.cell", "compare.run.runner", "compare.report.terminal"} <= set(names)
    loaded = modules_after("import importlib\nfor name in " + repr(names) + ": importlib.import_module(name)")
    assert loaded.isdisjoint(FRAMEWORKS), loaded.intersection(FRAMEWORKS)


def test_tasks_import_neither_backends_nor_compare() -> None:
    names = [module_name(path) for path in sources("tasks")]
    loaded = modules_after("import importlib\nfor name in " + repr(names) + ": importlib.import_module(name)")
    assert "tasks" in loaded
    assert loaded.isdisjoint({"backends", "compare"})


def test_backends_do_not_import_compare() -> None:
    loaded = modules_after("import backends, backends.base, backends.numpy.model; backends.load_backend('numpy')")
    assert "compare" not in loaded


# The same by reading the sources: what is imported inside functions counts too.


def sources(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, package
    return found


def test_the_reader_of_sources_sees_every_kind_of_import() -> None:
    source = """
import os, torch.nn as nn
from jax import numpy
from . import base
try:
    import keras
except ImportError:
    pass
class Late:
    def load(self):
        from flax import nnx
        return importlib.import_module("optax")
"""
    everything = {name for name, _, _ in imports(ast.parse(source))}
    assert everything == {"os", "torch.nn", "jax", ".", "keras", "flax", "optax"}
    at_import = {name for name, _, _ in imports(ast.parse(source), inside_functions=False)}
    assert at_import == {"os", "torch.nn", "jax", ".", "keras"}


def test_offenders_are_found(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("import json\n\ndef f():\n    import torch.nn\n")
    assert offenders([path], FRAMEWORKS, root=tmp_path) == ["bad.py:4: torch.nn"]
    assert offenders([path], FRAMEWORKS, inside_functions=False, root=tmp_path) == []


def test_sources_of_tasks_import_no_other_package_and_no_framework() -> None:
    assert offenders(sources("tasks"), ("backends", "compare", *FRAMEWORKS)) == []


def test_sources_of_backends_do_not_import_compare() -> None:
    assert offenders(sources("backends"), ("compare",)) == []


def test_sources_of_compare_import_no_framework() -> None:
    assert offenders(sources("compare"), FRAMEWORKS) == []


@pytest.mark.parametrize(
    ("backend", "own"),
    [
        ("numpy", ()),
        ("pytorch", ("torch", "torchvision")),
        ("keras", ("tensorflow", "keras")),
        ("jax", ("jax", "jaxlib", "flax", "optax")),
    ],
)
def test_each_backend_imports_its_own_framework_alone(backend: str, own: tuple[str, ...]) -> None:
    others = tuple(name for name in FRAMEWORKS if name not in own)
    assert offenders(sources(f"backends/{backend}"), others) == []
    if own:  # else the test above would pass for an empty folder
        assert offenders(sources(f"backends/{backend}"), own) != []


def test_what_all_backends_share_imports_no_framework() -> None:
    shared = [path for path in sources("backends") if path.parent == ROOT / "backends"]
    assert {path.name for path in shared} >= {"__init__.py", "base.py"}
    assert offenders(shared, FRAMEWORKS) == []


def test_lessons_import_nothing_heavy_until_they_run() -> None:
    assert offenders(sources("backends/lessons"), HEAVY, inside_functions=False) == []
