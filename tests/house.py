"""The rules of the house: which file may import which, how long files and functions may be, what must be alike."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.sources import PACKAGES, functions, imported_files, parameters, public, trees

LEVELS = (
    {"interrupts"},
    {"records", "text", "host", "page", "folders"},
    {"executors", "worker", "certify", "analysis", "trackers"},
    {"run", "models", "lessons", "report"},
    {"comparison"},
    {"explain", "api"},
    {"cli"},
    {"__init__", "__main__"},
)
"""The rooms of ``compare``, its files and folders. A room may import its own files and rooms of earlier levels."""
FRAMEWORKS = ("pytorch", "keras", "jax")
TYPED_ROOMS = {"executors", "worker", "certify", "run"}
FILE_LINES, FUNCTION_LINES, PARAMETERS = 250, 60, 7


def arrows(root: Path) -> Iterator[tuple[str, str]]:
    return ((path, other) for path, others in imported_files(root).items() for other in others)


def room_of(path: str) -> str | None:
    """The room of a file of ``compare``; None for the files of other packages."""
    package, name, *_ = path.split("/")
    return name.removesuffix(".py") if package == "compare" else None


def level_of(path: str) -> int | None:
    return next((level for level, rooms in enumerate(LEVELS) if room_of(path) in rooms), None)


# The rules


def imports_against_the_order(root: Path) -> set[str]:
    found = set()
    for path, other in arrows(root):
        package, of_other = (PACKAGES.index(file.partition("/")[0]) for file in (path, other))
        level, level_of_other = level_of(path), level_of(other)
        upwards = level is not None and level_of_other is not None and level_of_other >= level
        if of_other > package or (upwards and room_of(path) != room_of(other)):
            found.add(f"{path} -> {other}")
    return found


def unknown_rooms(root: Path) -> set[str]:
    return {f"compare/{room_of(path)}" for path in trees(root) if room_of(path) and level_of(path) is None}


def files_in_a_circle(root: Path) -> set[str]:
    """The files that import themselves by way of others."""
    edges = imported_files(root)

    def reached(path: str) -> set[str]:
        seen: set[str] = set()
        waiting = [*edges[path]]
        while waiting:
            if (other := waiting.pop()) not in seen:
                seen.add(other)
                waiting += edges[other]
        return seen

    return {path for path in edges if path in reached(path)}


def imports_of_the_worker(root: Path) -> set[str]:
    """It is started as ``python -m compare.worker``; only its own tests may import its modules."""
    homes = ("compare/worker/", "tests/worker/")
    return {
        f"{path} -> {other}"
        for path, other in arrows(root)
        if room_of(other) == "worker" and not path.startswith(homes)
    }


def long_files(root: Path) -> set[str]:
    return {path for path in trees(root) if len((root / path).read_text(encoding="utf-8").splitlines()) > FILE_LINES}


def long_functions(root: Path) -> set[str]:
    return {name for name, node in functions(root) if (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES}


def many_parameters(root: Path) -> set[str]:
    """Without ``self`` and ``cls``, and without ``*args`` and ``**kwargs``."""
    return {name for name, node in functions(root) if len({*parameters(node)} - {"self", "cls"}) > PARAMETERS}


def untyped_signatures(root: Path) -> set[str]:
    return {
        name
        for name, node in functions(root)
        if room_of(name.partition(":")[0]) in TYPED_ROOMS
        and "dict[str, Any]" in f"{ast.unparse(node.args)} -> {node.returns and ast.unparse(node.returns)}"
    }


def unlike_frameworks(root: Path) -> set[str]:
    """Files that not every framework has, files whose public names differ, and classes whose public methods differ.

    A class that takes methods from ``HostData`` has them; a class whose name begins with an underscore is its
    framework's own.
    """
    folders = tuple(f"backends/{name}/" for name in FRAMEWORKS)
    found = set()
    for file in {path.split("/", 2)[2] for path in trees(root) if path.startswith(folders)}:
        same = [trees(root)[folder + file] for folder in folders if folder + file in trees(root)]
        if len(same) < len(folders):
            found.add(f"{file}: missing")
        if any(public(tree) != public(same[0]) for tree in same):
            found.add(f"{file}: names")
        methods: dict[str, list[str]] = {}
        for node in (node for tree in same for node in tree.body if isinstance(node, ast.ClassDef)):
            from_host_data = ["place", "held_data"] if "HostData" in map(ast.unparse, node.bases) else []
            own = from_host_data + public(node)
            if not node.name.startswith("_") and methods.setdefault(node.name, own) != own:
                found.add(f"{file}: {node.name}")
    return found


RULES = {
    rule.__name__.replace("_", " "): rule
    for rule in (
        imports_against_the_order,
        unknown_rooms,
        files_in_a_circle,
        imports_of_the_worker,
        long_files,
        long_functions,
        many_parameters,
        untyped_signatures,
        unlike_frameworks,
    )
}
"""Each takes the root of a source tree and returns what breaks the rule there."""
