"""``sidebyside envs``: environments in which single backends run."""

import sys
from pathlib import Path
from typing import Annotated

import tomlkit
from cyclopts import Parameter

from backends.registry import about
from compare.cli.status import OK
from tasks.errors import SideBySideError


def create(
    *backends: Annotated[str, Parameter(name="BACKEND")],
    folder: Path = Path("envs"),
    gpu: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Make an environment for each backend with uv, and print the lines of a plan file that use them.

    Args:
        backends: Backends, one environment each; pytorch@2.13 is the version 2.13 of PyTorch.
        folder: The folder for the environments; envs, unless given.
        gpu: Install the frameworks' builds for NVIDIA's GPUs.
    """
    from compare.executors.uv import make_environment

    if not backends:
        raise SideBySideError("name the backends: sidebyside envs create pytorch jax")
    for name in backends:
        about(name)  # raises UnknownNameError before anything is made
    python = tomlkit.table()
    for name in dict.fromkeys(backends):
        print(f"sidebyside: making the environment of {name}", file=sys.stderr)
        made = make_environment(name, folder / name, gpu=gpu)
        versions = ", ".join(f"{package} {version}" for package, version in made.versions.items())
        print(f"sidebyside: {name} has Python {made.python}, {versions}", file=sys.stderr)
        python[name] = str(made.path.relative_to(Path.cwd()) if made.path.is_relative_to(Path.cwd()) else made.path)
    print(tomlkit.dumps({"backends": list(python), "python": python}), end="")
    return OK
