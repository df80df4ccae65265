"""A lesson in one framework as a notebook: its text, its code as it stands in the lesson, and what that gave."""

import importlib.util
import inspect
import os
from pathlib import Path
from typing import Any

from backends.lessons import Lesson, load_lesson
from backends.lessons.course import QUESTIONS
from backends.registry import about
from compare.folders import Scratch
from tasks.errors import SideBySideError, one_line
from tasks.files import write_whole

PACKAGES = ("nbformat", "nbclient", "ipykernel")
"""What writes and runs notebooks: the extra ``notebooks``."""
SECONDS = 300
"""The longest that one cell may take."""
_KERNEL = {
    "CUDA_VISIBLE_DEVICES": "-1",  # the outputs should not depend on a GPU and its TF32
    "JAX_PLATFORMS": "cpu",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}
_SHOW = """\
for name, value in outputs.items():
    print(f"{name}: {value}")"""
_DRAW = """\
import altair

altair.renderers.enable("png")
for caption, chart in pictures(as_lists(outputs)).items():
    print(caption)
    display(chart)"""
_AS_LISTS = '''\
from typing import Any


def as_lists(value):
    """Outputs as altair takes them: without arrays."""
    if isinstance(value, dict):
        return {name: as_lists(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_lists(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value'''


class NotebookError(SideBySideError):
    """A notebook could not be written or run."""


def write_notebook(name: str, framework: str, path: Path) -> None:
    """Writes a lesson in one framework as a notebook that has been executed.

    Args:
        name: of the lesson.
        framework: in which it is told.
        path: of the notebook; the file is whole or not there at all.

    Raises:
        NotebookError: what runs notebooks is not installed, or a cell failed.
        OSError: the file cannot be written.
    """
    if absent := [package for package in PACKAGES if importlib.util.find_spec(package) is None]:
        raise NotebookError(f'notebooks need the package {absent[0]}: pip install "sidebyside[notebooks]"')
    import nbformat

    notebook = make_notebook(load_lesson(name), framework)
    _execute(notebook, f"{name} in {framework}")
    write_whole(path, (nbformat.writes(notebook) + "\n").encode())


def make_notebook(lesson: Lesson, framework: str) -> Any:
    """The notebook before it is executed."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    label = about(framework).label
    texts: list[tuple[Any, str]] = [(new_markdown_cell, f"# {lesson.title}: {label}\n\n{lesson.about}")]
    if lesson.shared_source:
        texts.append((new_code_cell, lesson.shared_source))
    for function in lesson.functions(framework):
        argument = "folder" if inspect.signature(function).parameters else ""
        folder = "import tempfile\nfrom pathlib import Path\n\nfolder = Path(tempfile.mkdtemp())\n" if argument else ""
        texts.append((new_code_cell, inspect.getsource(function)))
        first = function is lesson.functions(framework)[0]
        texts.append((new_code_cell, f"{folder if first else ''}outputs = {function.__name__}({argument})\n{_SHOW}"))
    if hasattr(lesson.module, "pictures"):
        texts.append((new_code_cell, f"{_AS_LISTS}\n\n\n{inspect.getsource(lesson.module.pictures)}"))
        texts.append((new_code_cell, _DRAW))
    texts.append((new_markdown_cell, f"## What differs between the frameworks\n\n{lesson.note}"))
    asked = "\n".join(f"- {question}" for question, _ in QUESTIONS[lesson.name])
    texts.append((new_markdown_cell, f"## Questions\n\n{asked}"))
    cells = [make(text.rstrip("\n"), id=f"cell-{at}") for at, (make, text) in enumerate(texts)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def _execute(notebook: Any, what: str) -> None:
    """Runs every cell in a kernel of its own."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    environment = {**os.environ, **_KERNEL}
    with Scratch() as scratch:
        client = NotebookClient(
            notebook,
            timeout=SECONDS,
            record_timing=False,  # so that the same lesson gives the same file
            resources={"metadata": {"path": str(scratch)}},
            # A socket of the file system, where there is one: nobody else on this machine can listen.
            config=Config(
                {"KernelManager": {"transport": "ipc", "ip": str(scratch / "kernel")}} if os.name == "posix" else {}
            ),
        )
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            raise NotebookError(f"{what}: a cell failed: {error.ename}: {error.evalue}") from error
        except (CellTimeoutError, DeadKernelError) as error:
            raise NotebookError(f"{what}: a cell ran longer than {SECONDS} seconds, or its kernel died") from error
        except RuntimeError as error:
            raise NotebookError(f"{what}: no kernel could be started: {one_line(error)}") from error
