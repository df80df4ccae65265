"""What a lesson shows is a program: run by itself, with its framework alone, it gives the outputs shown with it."""

import ast
import builtins
import inspect
import json
import os
import re
import subprocess
import symtable
import sys
from pathlib import Path

import pytest

from backends.lessons import load_lesson
from backends.registry import about
from compare.lessons.result import FRAMEWORKS, FrameworkResult
from compare.lessons.text import heading
from tests.conftest import is_there
from tests.lessons.common import NAMES, SLOW, Ran
from tests.sources import ROOT

PROGRAM = """
import json, sys
from importlib.machinery import PathFinder
from pathlib import Path
OF_OTHERS = set(sys.argv[2].split(","))
class Hidden(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in OF_OTHERS else PathFinder.find_spec(name, path, target)
sys.meta_path[:] = [Hidden if finder is PathFinder else finder for finder in sys.meta_path]
from compare.worker.lesson import plain
outputs = {}
for path in map(Path, sys.argv[3:]):
    space = {"__name__": path.stem}
    exec(compile(path.read_text(), str(path), "exec"), space)
    function = space["with_" + sys.argv[1]]
    outputs[path.parent.name] = plain(function(path.parent) if function.__code__.co_argcount else function())
Path("outputs.json").write_text(json.dumps(outputs))
"""


def undefined(source: str) -> set[str]:
    """The names that a program reads and that nothing in it defines."""
    top = symtable.symtable(source, "shown", "exec")
    defined = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    defined |= {symbol.get_name() for symbol in top.get_symbols() if symbol.is_namespace()} | set(dir(builtins))
    names, waiting = set[str](), [top]
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        symbols = table.get_symbols()
        names |= {symbol.get_name() for symbol in symbols if symbol.is_referenced() and symbol.is_global()}
    names |= {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    return names - defined


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_no_name_is_missing_and_no_loader_of_ours_is_used(framework: str) -> None:
    for name in NAMES:
        shown = load_lesson(name).shown(framework)
        assert undefined(shown) == set(), name
        assert "load_backend" not in shown, name
        assert "backends" not in {part for line in shown.splitlines() if "import" in line for part in line.split()}


def test_a_missing_name_is_seen() -> None:
    assert undefined("def f(x: Any) -> Outputs:\n    y = x\n    return [len(z) for z in y + w]") == {
        "Any",
        "Outputs",
        "w",
    }


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_no_output_is_typed_in(framework: str) -> None:
    for name in NAMES:
        for function in load_lesson(name).functions(framework):
            (tree,) = ast.parse(inspect.getsource(function)).body
            returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
            values = [value for node in returned if isinstance(node, ast.Dict) for value in node.values]
            assert not [ast.unparse(value) for value in values if not any_name(value)], name


def any_name(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Name) for part in ast.walk(node))


def run_shown(framework: str, names: list[str], folder: Path) -> dict[str, dict[str, object]]:
    files = []
    for name in names:
        (folder / name).mkdir()
        files.append(folder / name / "shown.py")
        files[-1].write_text(load_lesson(name).shown(framework))
    command = [sys.executable, "-P", "-c", PROGRAM, framework, of_others(framework), *map(str, files)]
    finished = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr
    outputs: dict[str, dict[str, object]] = json.loads((folder / "outputs.json").read_text())
    return outputs


def of_others(framework: str) -> str:
    """The packages of the other frameworks, which a reader who has this one may lack."""
    own = set(about(framework).modules)
    names = {module for name in FRAMEWORKS for module in about(name).modules} - own - {"numpy"}
    return ",".join(sorted(names))


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "-1"}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_shown_code_gives_the_shown_outputs(framework: str, ran: Ran, tmp_path: Path) -> None:
    is_there(framework)
    names = [name for name in NAMES if name not in SLOW]
    outputs = run_shown(framework, names, tmp_path)
    columns: dict[str, FrameworkResult] = {
        name: column for name in names for column in ran[name].columns if column.framework == framework
    }
    for name in names:
        assert set(outputs[name]) == set(columns[name].outputs)
        for output, value in outputs[name].items():
            assert close(value, columns[name].outputs[output]), (name, output)


def close(value: object, other: object) -> bool:
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(close, value, other))
    if isinstance(value, float) and isinstance(other, float | int):
        return value == pytest.approx(other, rel=1e-4, abs=1e-5)
    return value == other


def test_a_heading_names_what_the_code_uses(ran: Ran) -> None:
    modules = {"NumPy": "numpy", "PyTorch": "torch", "Keras": "keras", "TensorFlow": "tensorflow", "JAX": "jax"}
    for result in ran.values():
        for column in result.columns:
            if column.status == "ok":
                label, version = heading(column).rsplit(" ", 1)
                module = modules.get(label, label.lower())
                assert re.search(rf"(?m)^ *(from|import) {module}\b", column.source), (result.name, label)
                assert version == column.versions[module]
