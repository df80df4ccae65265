"""Reads the project's sources: which modules there are, what they import, and what an import of them loads."""

import ast
import json
import subprocess
import sys
from collections.abc import Container, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
FRAMEWORKS = ("torch", "torchvision", "tensorflow", "keras", "jax", "jaxlib", "flax", "optax")
HEAVY = (*FRAMEWORKS, "sklearn", "scipy", "pandas", "altair", "matplotlib")
PACKAGES = ("tasks", "backends", "compare", "tests")
"""Each may import those before it."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def module_name(path: Path, root: Path = ROOT) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(
    tree: ast.AST, *, inside_functions: bool = True, for_types: bool = True
) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """Each import: the module's full name, the names that are taken from it, and the line.

    A relative module begins with a dot. ``for_types=False`` leaves out what stands under ``if TYPE_CHECKING``.
    """
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if not inside_functions and isinstance(node, Function | ast.Lambda):
            continue
        if (
            not for_types
            and isinstance(node, ast.If)
            and ast.unparse(node.test).removeprefix("typing.") == "TYPE_CHECKING"
        ):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from ((name.name, (), node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), tuple(name.name for name in node.names), node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            first = node.args[0] if node.args else None
            if called in ("import_module", "__import__") and isinstance(first, ast.Constant):
                yield str(first.value), (), node.lineno
        waiting += ast.iter_child_nodes(node)


def modules_imported(tree: ast.AST, modules: Container[str]) -> set[str]:
    """Those of ``modules`` that are imported when the program runs, ``x`` in ``from package import x`` among them."""
    found = set()
    for module, names, _ in imports(tree, for_types=False):
        found |= {full if (full := f"{module}.{name}") in modules else module for name in names} or {module}
    return {module for module in found if module in modules}


def modules_after(script: str) -> set[str]:
    """The full names of the modules that a new process holds after a script, which may print what it likes."""
    report = "import json, sys; sys.__stderr__.write('\\n' + json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", f"{script}\n{report}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stderr.splitlines()[-1]))


def offenders(
    paths: list[Path], forbidden: tuple[str, ...], *, inside_functions: bool = True, root: Path = ROOT
) -> list[str]:
    """``file:line: module`` for each import of what is forbidden, and for each relative import."""
    return [
        f"{path.relative_to(root)}:{line}: {name}"
        for path in paths
        for name, _, line in imports(ast.parse(path.read_text(encoding="utf-8")), inside_functions=inside_functions)
        if name.partition(".")[0] in (*forbidden, "")
    ]


@cache
def trees(root: Path) -> dict[str, ast.Module]:
    """The parsed files of a source tree by their path from its root."""
    return {
        path.relative_to(root).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
    }


@cache
def imported_files(root: Path) -> dict[str, set[str]]:
    """For each file the files that it imports, inside functions too."""
    modules = {module_name(Path(path), Path()): path for path in trees(root)}
    return {
        path: {modules[name] for name in modules_imported(tree, modules)} - {path} for path, tree in trees(root).items()
    }


def functions(root: Path) -> Iterator[tuple[str, Function]]:
    """Each function with the words that name it in a violation."""
    for path, tree in trees(root).items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{path}: {node.name}", node


def parameters(node: Function) -> Iterator[str]:
    return (argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))


def public(tree: ast.Module | ast.ClassDef) -> list[str]:
    """The public names that a module or a class defines, in their order."""
    names = []
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(tree, ast.Module):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    return [name for name in names if not name.startswith("_")]
