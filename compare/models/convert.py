"""Conversion of files of parameters to and from the frameworks' own forms, each in its framework's process."""

import tempfile
from functools import partial
from pathlib import Path

import backends
from backends.base import usable_cores
from backends.files import ModelFileError, read_parameters, write_parameters
from compare.executors.local import LocalExecutor
from compare.models.saved import CANONICAL, TIMEOUT_SECONDS, fitting_task, form_of, open_model
from compare.records.request import ConvertRequest
from tasks.architecture import Parameters
from tasks.errors import SideBySideError
from tasks.task import Task


def convert(path: Path, form: str, output: Path, task: str | None = None, recipe: str | None = None) -> Task:
    """Converts a file of parameters, whatever wrote it, to a framework's own form or to the canonical one.

    Args:
        path: canonical safetensors, a ``state_dict`` in safetensors, a ``.weights.h5``, or flax's msgpack.
        form: ``pytorch``, ``keras``, ``jax``, or ``safetensors`` for the canonical one.
        output: the file to write, whole or not at all.
        task: see :func:`open_model`.
        recipe: see :func:`open_model`.

    Returns:
        the task whose parameters they are.
    """
    source = form_of(path)
    for file, name in ((path, source), (output, form)):
        if name != CANONICAL:
            if message := backends.missing(name):
                raise SideBySideError(message)
            if not file.name.endswith(suffix := backends.native(name).SUFFIX):
                raise SideBySideError(f"{file}: {name} wants a name that ends in {suffix}; rename it")
    if output.is_dir() or not output.parent.is_dir():
        raise SideBySideError(f"{output}: cannot be written; name a file in a folder that is there")
    if source == CANONICAL:
        model = open_model(path, task, recipe)
        fitting, metadata = model.task, dict(model.metadata)
    else:
        fitting, metadata = fitting_task(path, task, recipe, partial(backends.native(source).check, path)), {}
    metadata = {key: metadata[key] for key in ("backend", "seed") if key in metadata}
    metadata |= {"task": fitting.name, "recipe": fitting.recipe_name}
    try:
        # In the folder of the output, so that the last step is a replacement, which is whole or not at all.
        with tempfile.TemporaryDirectory(prefix=".sidebyside-", dir=output.parent) as scratch:
            canonical, made = Path(scratch) / "canonical.safetensors", Path(scratch) / output.name
            if source == CANONICAL:
                parameters: Parameters = read_parameters(path, fitting.architecture)
            else:
                _convert(source, fitting, path, canonical, to_native=False)
                parameters = read_parameters(canonical, fitting.architecture)
            write_parameters(canonical, parameters, metadata)
            if form != CANONICAL:
                _convert(form, fitting, canonical, made, to_native=True)
            (made if form != CANONICAL else canonical).replace(output)
    except OSError as error:
        raise ModelFileError(f"{output}: cannot be written ({error.strerror}); name another file") from error
    return fitting


def _convert(backend: str, task: Task, source: Path, output: Path, *, to_native: bool) -> None:
    """Has a framework convert a file. Raises SideBySideError where it fails."""
    request = ConvertRequest(
        backend=backend,
        task=task.name,
        recipe=task.recipe_name,
        to_native=to_native,
        source=str(source.resolve()),
        output=str(output.resolve()),
    )
    reply = LocalExecutor(usable_cores()).ask(backend, request, timeout=TIMEOUT_SECONDS)
    if reply.status != "ok":
        raise SideBySideError(f"{backend}: {reply.message}")
