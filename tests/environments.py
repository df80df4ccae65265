"""Environments with an interpreter of their own, made in a moment: their packages are those of this one."""

import subprocess
import sys
import sysconfig
from pathlib import Path

from compare.executors.interpreters import interpreter_in
from compare.executors.look import NEEDED
from tests.sources import ROOT


def bare_environment(folder: Path) -> Path:
    """An environment without any package; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return interpreter_in(folder)


def twin_environment(folder: Path, **versions: str) -> Path:
    """An environment with the packages of this one; its interpreter.

    Args:
        folder: new.
        versions: what the environment says of the versions of packages, in place of what is true.
    """
    python = bare_environment(folder)
    (packages_of(folder) / "twin.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    for name, version in versions.items():
        say_version(folder, name, version)
    return python


def without_framework(folder: Path) -> Path:
    """An environment with this package and empty modules in place of what it needs, but for a framework's."""
    python = bare_environment(folder)
    (packages_of(folder) / "ours.pth").write_text(f"{ROOT}\n")
    for name in NEEDED:
        (packages_of(folder) / f"{name}.py").touch()
    return python


def say_version(folder: Path, name: str, version: str) -> None:
    """Makes an environment say that it has this version of a package."""
    about = packages_of(folder) / f"{name}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def packages_of(folder: Path) -> Path:
    """Where an environment's packages lie."""
    return Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
