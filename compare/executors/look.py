"""Looks into a Python interpreter: what of this package and of a framework is installed there.

The interpreter is given this file's text to run (``python -P -c TEXT MODULES DISTRIBUTIONS``, two lists in JSON), and
prints what it finds as JSON. So the file needs only Python's own library, and is written for older versions too.
"""

from __future__ import annotations  # for older versions

import hashlib
import importlib.util
import json
import platform
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = ("tasks", "backends", "compare")
NEEDED = ("numpy", "psutil", "pydantic", "safetensors")
"""What a worker imports besides this package and its framework."""


def look(modules: list[str], distributions: list[str]) -> dict[str, object]:
    """What the interpreter that runs this has.

    Args:
        modules: names of modules that a backend needs.
        distributions: packages whose versions are told.

    Returns:
        the interpreter's version, the version and the hash of the sources of this package (None where it is not
        installed), the modules that are missing, and the versions of the packages, ``unknown`` where one is none.
    """
    return {
        "python": platform.python_version(),
        "sidebyside": _version("sidebyside"),
        "sources": sources_sha256(),
        "missing": [module for module in (*NEEDED, *modules) if not _is_there(module)],
        "versions": {name: _version(name) or "unknown" for name in distributions},
    }


def sources_sha256() -> str | None:
    """The hash of this package's sources as the interpreter would import them; None where it would not."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        folders = list(spec.submodule_search_locations or []) if spec else []
        if not folders:
            return None
        root = Path(folders[0])
        files = sorted(path for path in root.rglob("*") if path.suffix in (".py", ".toml"))
        for path in files:
            digest.update(path.relative_to(root.parent).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


if __name__ == "__main__":
    print(json.dumps(look(json.loads(sys.argv[1]), json.loads(sys.argv[2]))))
