"""Makes an environment for a backend with uv: this package, the framework, and nothing of the other frameworks."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from backends.about import About
from backends.registry import about
from compare.executors.environment import ROOT
from compare.executors.interpreters import VERSION, Interpreter, InterpreterError, find_interpreters, interpreter_in
from tasks.errors import SideBySideError


class EnvironmentFailedError(SideBySideError):
    """An environment could not be made; one line that says what to do."""


def make_environment(name: str, folder: Path, *, gpu: bool = False) -> Interpreter:
    """Makes an environment in which the workers of a backend can run. What uv says goes to standard error.

    Args:
        name: of the backend; ``pytorch@2.13`` gets PyTorch 2.13, and ``pytorch@mine`` the newest, under that name.
        folder: new, or with the environment of an earlier call; the environment is written to it.
        gpu: whether to install the build of the framework for NVIDIA's GPUs.

    Raises:
        EnvironmentFailedError: uv is missing or has failed, or the folder is there and is no such environment.
    """
    known = about(name)
    if folder.exists():
        try:
            return find_interpreters({name: folder})[name]  # of an earlier call
        except InterpreterError as error:
            advice = "remove it, or name another folder"
            raise EnvironmentFailedError(f"{folder}: there is such a folder already ({error}); {advice}") from error
    uv = shutil.which("uv") or shutil.which("uv", path=sysconfig.get_path("scripts"))
    if uv is None:
        raise EnvironmentFailedError("uv is not installed: pip install uv")
    python = str(interpreter_in(folder))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    made = False
    try:
        _run(name, uv, "venv", "--quiet", "--python", version, str(folder))
        quiet = [] if sys.stderr.isatty() else ["--quiet"]
        _run(name, uv, "pip", "install", *quiet, "--python", python, *requirements(known, gpu=gpu))
        interpreter = find_interpreters({name: folder})[name]
        made = True
    finally:
        if not made:
            shutil.rmtree(folder, ignore_errors=True)
    return interpreter


def requirements(known: About, *, gpu: bool) -> list[str]:
    """What is installed for a backend, as the arguments of ``pip install``."""
    base, _, variant = known.name.partition("@")
    words = [*_this_package("" if known.package else base), *filter(None, [known.package])]
    if VERSION.fullmatch(variant):
        words.append(f"{known.distributions[0]}=={variant}.*")
    return [*words, *(known.gpu if gpu else ())]


def _this_package(extra: str) -> list[str]:
    """This package from where it was installed from, with the packages of an extra."""
    name = f"sidebyside[{extra}]" if extra and extra != "numpy" else "sidebyside"
    if (ROOT / "pyproject.toml").is_file():
        return ["--editable", name.replace("sidebyside", str(ROOT), 1)]
    try:
        installed = distribution("sidebyside")
    except PackageNotFoundError:
        return [name]
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    if "url" not in origin:
        return [f"{name}=={installed.version}"]
    control = origin.get("vcs_info")
    return [
        f"{name} @ {control['vcs']}+{origin['url']}@{control['commit_id']}" if control else f"{name} @ {origin['url']}"
    ]


def _run(name: str, *command: str) -> None:
    environment = {**os.environ, "UV_COMPILE_BYTECODE": "1"}  # once, and not in every worker
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), env=environment, check=False)
    if done.returncode:
        raise EnvironmentFailedError(f"{name}: uv could not make its environment; what uv says stands above")
