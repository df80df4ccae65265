"""Frameworks that are missing, or whose import raises: that is said in plain words, and the others run."""

import os
import subprocess
import sys
import tempfile
from itertools import combinations
from pathlib import Path

from backends.registry import about
from tests.sources import ROOT

MODULES = {"pytorch": "torch", "keras": "tensorflow", "jax": "jax"}
ENDINGS = {"pytorch": ".safetensors", "keras": ".weights.h5", "jax": ".msgpack"}
HIDING = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in {names!r} else find_spec(name, package)
"""


def subsets() -> list[tuple[str, ...]]:
    """The seven sets of frameworks of which at least one is missing."""
    return [names for size in (1, 2, 3) for names in combinations(MODULES, size)]


def hide(names: tuple[str, ...], folder: Path) -> dict[str, str]:
    """Variables with which a process, and the workers that it starts, lacks these frameworks."""
    hidden = tuple(MODULES[name] for name in names)
    (folder / "sitecustomize.py").write_text(HIDING.format(names=hidden))
    return environment(folder)


def break_imports(names: tuple[str, ...], error: str, folder: Path) -> dict[str, str]:
    """Variables with which the import of these frameworks raises."""
    for name in names:
        package = folder / MODULES[name]
        package.mkdir()
        (package / "__init__.py").write_text(f"raise {error}('libfoo.so.1: cannot open shared object file')")
    return environment(folder)


def environment(folder: Path) -> dict[str, str]:
    # sitecustomize is found on PYTHONPATH; a worker puts the sources before it, which changes nothing here.
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "PYTHONDONTWRITEBYTECODE": "1"}


def command(variables: dict[str, str], folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-P", "-m", "compare", *words]
    finished = subprocess.run(line, cwd=folder, env=variables, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in finished.stdout + finished.stderr, (words, finished.stderr)
    assert finished.returncode in (0, 1, 2), (words, finished.stderr)
    return finished


def train_reference(folder: Path) -> Path:
    """A model file of the reference, for which no framework is needed."""
    words = ("run", "and-gate", "--backend", "numpy", "--no-certify", "--epochs", "3", "--save-models", "--output", "r")
    finished = command(environment(folder), folder, *words)
    assert finished.returncode == 0, finished.stderr
    (model,) = (folder / "r" / "models").iterdir()
    return model


def check_missing(names: tuple[str, ...], model: Path) -> int:
    """Every command where these frameworks are missing; returns how many were run."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        variables = hide(names, folder)
        hints = [f"{name} needs the package {MODULES[name]}: {about(name).install}" for name in names]
        everything = len(names) == len(MODULES)

        listed = command(variables, folder, "list")
        assert listed.returncode == 0
        text = " ".join(listed.stdout.split())
        assert all(hint in text for hint in hints), listed.stdout

        words = ("run", "and-gate", "--no-certify", "--epochs", "3", "--output", "r")
        trained = command(variables, folder, *words)
        said = " ".join((trained.stdout + trained.stderr).split())
        assert trained.returncode == everything, trained.stderr
        assert all(hint in said for hint in hints), said
        assert all(f"and-gate {name} tuned cpu: accuracy" in said for name in MODULES if name not in names), said

        lesson = command(variables, folder, "lesson", "two-layers")
        assert lesson.returncode == everything, lesson.stderr
        assert all(hint in " ".join(lesson.stdout.split()) for hint in hints), lesson.stdout
        assert not everything or all(hint in lesson.stderr for hint in hints)

        predicted = command(variables, folder, "predict", "--model", str(model), "1", "0")
        assert predicted.returncode == (2 if everything else 0), predicted.stderr
        assert all(hint in predicted.stderr for hint in hints), predicted.stderr

        for name in MODULES:
            converted = command(variables, folder, "convert", str(model), "--to", name, f"{name}{ENDINGS[name]}")
            assert converted.returncode == (2 if name in names else 0), converted.stderr
            assert name not in names or hints[names.index(name)] in converted.stderr
    return 4 + len(MODULES)


def check_broken(name: str, error: str, model: Path) -> int:
    """Every command where the import of a framework raises: it fails with these words, and the others run."""
    reason = f"{error}: libfoo.so.1: cannot open shared object file"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        variables = break_imports((name,), error, folder)
        assert command(variables, folder, "list").returncode == 0
        both = ("--backend", "numpy", name)

        trained = command(variables, folder, "run", "and-gate", "--no-certify", "--epochs", "3", "--output", "r", *both)
        assert trained.returncode == 1
        assert reason in trained.stderr
        assert "and-gate numpy tuned cpu: accuracy" in trained.stderr

        lesson = command(variables, folder, "lesson", "two-layers", *both)
        assert lesson.returncode == 1
        assert f"sidebyside: two-layers: {name}: {reason}" in lesson.stderr, lesson.stderr

        predicted = command(variables, folder, "predict", "--model", str(model), "1", "0", *both)
        assert predicted.returncode == 1
        assert reason in predicted.stderr
        assert "numpy" in predicted.stdout

        converted = command(variables, folder, "convert", str(model), "--to", name, f"out{ENDINGS[name]}")
        assert converted.returncode in (0, 1, 2)
        assert converted.returncode == 0 or reason in converted.stderr
    return 5


def run(count: int) -> str:
    """Tries as many of the seven sets of missing frameworks and of the six ways in which an import raises."""
    broken = [(name, error) for name in MODULES for error in ("ImportError", "RuntimeError")]
    with tempfile.TemporaryDirectory() as folder:
        model = train_reference(Path(folder))
        commands = sum(check_missing(names, model) for names in subsets()[::-1][:count])
        commands += sum(check_broken(name, error, model) for name, error in broken[:count])
    sets, ways = len(subsets()[:count]), len(broken[:count])
    return f"{sets} sets of missing frameworks and {ways} imports that raise: {commands} commands, no traceback"
