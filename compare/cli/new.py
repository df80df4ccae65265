"""``sidebyside new``: a task's file to edit."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from compare.cli.status import OK
from tasks.errors import SideBySideError, UnknownNameError
from tasks.files import check_output, write_whole
from tasks.plugins import TASKS, package_of, plugins
from tasks.registry import BUILT_IN, file_of
from tasks.toml_task import check_name


def new(
    file: Annotated[Path, Parameter(name="FILE")],
    *,
    from_: Annotated[str, Parameter(name="--from")] = "mnist-mlp",
) -> int:
    """Write a task's file to edit, a copy of a built-in task's; then: sidebyside run FILE.

    Args:
        file: The file to write, new; its name, which ends in .toml, is the task's.
        from_: The built-in task that is copied; mnist-mlp, unless given.
    """
    if from_ in plugins(TASKS) and from_ not in BUILT_IN:
        what = f"{from_} is of the package {package_of(TASKS, from_)}, and has no file that is copied"
        raise SideBySideError(f"{what}: choose from {', '.join(BUILT_IN)}")
    if from_ not in BUILT_IN:
        raise UnknownNameError("task", from_, BUILT_IN)
    if file.suffix != ".toml":
        raise SideBySideError(f"{file}: the name of a task's file ends in .toml; name {file.name}.toml")
    check_name(file.stem, str(file))
    if file.stem in BUILT_IN:
        raise SideBySideError(f"{file}: there is a built-in task of this name; choose another")
    if file.exists():
        raise SideBySideError(f"{file}: there is such a file already; choose another name")
    check_output(file)
    write_whole(file, file_of(from_).read_bytes())
    print(f"written: {file}")
    return OK
