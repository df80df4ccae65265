"""Conversion of files of parameters to and from the frameworks' own forms, each in its framework's process."""

from functools import partial
from pathlib import Path

import backends
from backends.cores import usable_cores
from backends.files import ModelFileError, read_parameters, write_parameters
from compare.executors.local import LocalExecutor
from compare.folders import Scratch
from compare.models.saved import CANONICAL, TIMEOUT_SECONDS, SavedModel, fitting_task, form_of, open_model
from compare.records.request import ConvertRequest
from tasks.architecture import Parameters
from tasks.errors import SideBySideError
from tasks.files import check_output, write_whole
from tasks.task import Task

OTHER_ENDINGS = (
    *(".safetensors", ".h5", ".hdf5", ".keras", ".msgpack"),
    *(".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".onnx", ".npz", ".npy", ".tflite", ".zip"),
)
"""Endings that each promise a form, and most of them one that is not written here."""


def convert(path: Path, form: str, output: Path, task: str | None = None, recipe: str | None = None) -> SavedModel:
    """Converts a file of parameters, whatever wrote it, to a framework's own form or to the canonical one.

    Args:
        path: canonical safetensors, a ``state_dict`` in safetensors, a ``.weights.h5``, or flax's msgpack.
        form: ``pytorch``, ``keras``, ``jax``, or ``safetensors`` for the canonical one.
        output: the file to write, whole or not at all.
        task: see :func:`open_model`.
        recipe: see :func:`open_model`.

    Returns:
        what was read.
    """
    if form != CANONICAL:
        _check_installed(form)
    check_output(output)
    _check_ending(output, form)
    model, parameters = read_model(path, task, recipe)
    metadata = {key: model.metadata[key] for key in ("backend", "seed", "data") if key in model.metadata}
    metadata |= {"task": model.task.name, "recipe": model.task.recipe_name}
    with Scratch() as scratch:  # its names can be told a worker, a user's not
        made = canonical = scratch / "canonical.safetensors"
        write_parameters(canonical, parameters, metadata)
        if form != CANONICAL:
            made = scratch / f"made{_suffix(form)}"
            _convert(form, model.task, canonical, made, to_native=True)
        try:
            write_whole(output, made.read_bytes())
        except OSError as error:
            raise ModelFileError(f"{output}: cannot be written ({error.strerror}); name another file") from error
    return model


def read_model(path: Path, task: str | None = None, recipe: str | None = None) -> tuple[SavedModel, Parameters]:
    """Reads a file of parameters, whatever wrote it; for the arguments and errors see :func:`convert`.

    Returns:
        what it is, and its parameters in the canonical layout.
    """
    if (source := form_of(path)) == CANONICAL:
        model = open_model(path, task, recipe)
        return model, read_parameters(path, model.task.architecture)
    _check_installed(source)
    fitting, note = fitting_task(path, task, recipe, partial(backends.native(source).check, path))
    with Scratch() as scratch:
        given, canonical = scratch / f"given{_suffix(source)}", scratch / "canonical.safetensors"
        given.symlink_to(path.resolve())
        _convert(source, fitting, given, canonical, to_native=False)
        return SavedModel(path, fitting, {}, note), read_parameters(canonical, fitting.architecture)


def _check_installed(form: str) -> None:
    if message := backends.missing(form):
        raise SideBySideError(message)


def _suffix(form: str) -> str:
    """How the names of a form's files end."""
    return ".safetensors" if form == CANONICAL else str(backends.native(form).SUFFIX)


def _check_ending(output: Path, form: str) -> None:
    """Raises SideBySideError where a file's name promises another form than what is written into it."""
    suffix = _suffix(form)
    if form == "keras" and not output.name.endswith(suffix):
        raise SideBySideError(f"{output}: keras wants a name that ends in {suffix}; rename it")
    if output.suffix.lower() in OTHER_ENDINGS and not output.name.lower().endswith(suffix):
        raise SideBySideError(f"{output}: --to {form} writes no {output.suffix}; name a file that ends in {suffix}")


def _convert(backend: str, task: Task, source: Path, output: Path, *, to_native: bool) -> None:
    """Has a framework convert a file. Raises SideBySideError where it fails."""
    request = ConvertRequest(
        backend=backend,
        task=task.name,
        recipe=task.recipe_name,
        to_native=to_native,
        source=str(source),
        output=str(output),
    )
    reply = LocalExecutor(usable_cores()).ask(backend, request, timeout=TIMEOUT_SECONDS)
    if reply.status != "ok":
        raise SideBySideError(f"{backend}: {reply.message}")
