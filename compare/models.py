"""Uses what was trained: predictions from a file of parameters, and conversion to and from the frameworks' own files.

Files are checked here, before a framework is loaded; each framework then works in a process of its own.
"""

import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import backends
import tasks
from backends.base import usable_cores
from backends.files import (
    MisfitError,
    ModelFileError,
    read_header,
    read_parameters,
    size_of,
    write_parameters,
)
from compare.process import run_worker
from tasks.architecture import Parameters
from tasks.dataset import predicted_labels
from tasks.errors import SideBySideError
from tasks.layers import Softmax
from tasks.task import Task

AGREEMENT = 1e-5
"""How far outputs may lie apart, as a share of the largest: rounding in float32 comes to about 1e-6."""
CANONICAL = "safetensors"
TIMEOUT_SECONDS = 600.0
_OF_STATE_DICT = re.compile(r"[0-9.]+\.(weight|bias)")
_COMMAND = (sys.executable, "-m", "compare.model_worker")


@dataclass(frozen=True)
class SavedModel:
    """A file of parameters that has passed the checks.

    Attributes:
        path: the file.
        task: whose network it fits, with the recipe.
        facts: what the file says of itself: ``task``, ``recipe``, ``backend``, ``seed``, as far as it does.
    """

    path: Path
    task: Task
    facts: Mapping[str, str]

    def __str__(self) -> str:
        trained = f", trained with {self.facts['backend']}" if "backend" in self.facts else ""
        seed = f", seed {self.facts['seed']}" if "seed" in self.facts else ""
        return f"{self.task.name}, recipe {self.task.recipe_name}{trained}{seed}"


@dataclass(frozen=True)
class Answers:
    """What the backends make of the same inputs.

    Attributes:
        task: whose network answered.
        outputs: ``(n, outputs)``, of the last layer, by backend.
        failures: a line for each backend that gave no answer.
    """

    task: Task
    outputs: Mapping[str, NDArray[np.floating]]
    failures: Mapping[str, str]

    @property
    def distance(self) -> float:
        """The largest difference between two backends, as a share of the largest output."""
        outputs = list(self.outputs.values())
        largest = max(float(np.abs(output).max()) for output in outputs)
        return float(np.ptp(outputs, axis=0).max()) / largest if largest else 0.0

    @property
    def agree(self) -> bool | None:
        """Whether all give the same answers, and outputs within 1e-5; None where there are not two to compare."""
        if len(self.outputs) < 2:
            return None
        labels = [predicted_labels(output) for output in self.outputs.values()]
        return self.distance <= AGREEMENT and all(np.array_equal(label, labels[0]) for label in labels)

    @property
    def verdict(self) -> str:
        """The same, in a line."""
        if self.agree is None:
            return "one backend alone: there is nothing to compare it with"
        labels = np.array([predicted_labels(output) for output in self.outputs.values()])
        differing = int((labels != labels[0]).any(axis=0).sum())
        names = " and ".join(filter(None, [", ".join(list(self.outputs)[:-1]), list(self.outputs)[-1]]))
        distance = f"outputs at most {self.distance:.1e} of the largest apart" if self.distance else "equal outputs"
        if self.agree:
            return f"{names} agree: the same answers, {distance}"
        return f"{names} DISAGREE: {differing} different answers, {distance} (allowed: {AGREEMENT:.0e})"

    def probabilities(self, backend: str) -> NDArray[np.floating]:
        """``(n, classes)``: from logits by softmax; where the network ends in one or in a sigmoid, the outputs."""
        outputs = self.outputs[backend].astype(np.float64)
        if outputs.shape[1] == 1:
            return np.concatenate([1 - outputs, outputs], axis=1)
        if isinstance(self.task.architecture.layers[-1], Softmax):
            return outputs
        exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def open_model(path: Path, task: str | None = None, recipe: str | None = None) -> SavedModel:
    """Checks a file of parameters and finds out which task's they are.

    Args:
        path: what ``run --save-models`` wrote, or ``convert --to safetensors``.
        task: whose network it is; None for what the file says or, where it says nothing, the one it fits.
        recipe: of the task; None for what the file says, else ``standard``.

    Raises:
        ModelFileError: there is no such file, it is damaged, or it fits no task.
        UnknownNameError: there is no such task or recipe.
    """
    if (form := form_of(path)) != CANONICAL:
        raise ModelFileError(
            f"{path}: {form}'s own form; convert it first: sidebyside convert FILE --to safetensors OUT"
        )
    facts = read_header(path).metadata
    if task is None and facts.get("task") in tasks.available_tasks():
        task = facts["task"]
        if recipe is None and facts.get("recipe") in tasks.available_recipes(task):
            recipe = facts["recipe"]
    found = _fitting(path, task, recipe, lambda architecture: read_parameters(path, architecture))
    return SavedModel(path, found, facts)


def predict(model: SavedModel, inputs: NDArray[np.float32], names: Sequence[str]) -> Answers:
    """Runs a saved network on inputs ``(n, *input_shape)``, in each backend, each in a process of its own."""
    outputs, failures = {}, {}
    with tempfile.TemporaryDirectory(prefix="sidebyside-") as scratch:
        given, output = Path(scratch) / "inputs.npy", Path(scratch) / "outputs.npy"
        np.save(given, inputs)
        for name in names:
            try:
                _work("predict", name, model.task, model.path, output, inputs=str(given))
                outputs[name] = np.load(output, allow_pickle=False)
            except SideBySideError as error:
                failures[name] = str(error)
    return Answers(model.task, outputs, failures)


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
        found, facts = model.task, dict(model.facts)
    else:
        found, facts = _fitting(path, task, recipe, partial(backends.native(source).check, path)), {}
    facts = {key: facts[key] for key in ("backend", "seed") if key in facts}
    facts |= {"task": found.name, "recipe": found.recipe_name}
    try:
        # In the folder of the output, so that the last step is a replacement, which is whole or not at all.
        with tempfile.TemporaryDirectory(prefix=".sidebyside-", dir=output.parent) as scratch:
            canonical, made = Path(scratch) / "canonical.safetensors", Path(scratch) / output.name
            if source == CANONICAL:
                parameters: Parameters = read_parameters(path, found.architecture)
            else:
                _work("from-native", source, found, path, canonical)
                parameters = read_parameters(canonical, found.architecture)
            write_parameters(canonical, parameters, facts)
            if form != CANONICAL:
                _work("to-native", form, found, canonical, made)
            (made if form != CANONICAL else canonical).replace(output)
    except OSError as error:
        raise ModelFileError(f"{output}: cannot be written ({error.strerror}); name another file") from error
    return found


def form_of(path: Path) -> str:
    """Whose file it is, from its first bytes: ``safetensors`` for the canonical form, else the framework's name."""
    size_of(path)
    with path.open("rb") as file:
        head = file.read(9)
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "keras"
    if head[1:8] == b"\xa6layers":  # a map of msgpack's whose first key is this
        return "jax"
    names = read_header(path).tensors
    return "pytorch" if names and all(_OF_STATE_DICT.fullmatch(name) for name in names) else CANONICAL


def _fitting(path: Path, task: str | None, recipe: str | None, check: Any) -> Task:
    """The task that was named, or else the one whose architecture the file fits, which ``check`` says."""
    if task is not None:
        found = tasks.load_task(task, recipe or "standard")
        check(found.architecture)
        return found
    for name in tasks.available_tasks():
        if recipe is not None and recipe not in tasks.available_recipes(name):
            continue
        found = tasks.load_task(name, recipe or "standard")
        try:
            check(found.architecture)
        except MisfitError:
            continue
        return found
    raise ModelFileError(f"{path}: fits no task's network; name a task with --task to see where it differs")


def _work(job: str, backend: str, task: Task, model: Path, output: Path, **more: str) -> None:
    request = {
        "job": job,
        "backend": backend,
        "task": task.name,
        "recipe": task.recipe_name,
        "threads": usable_cores(),
        "model": str(model.resolve()),
        "output": str(output.resolve()),
        **more,
    }
    result = run_worker(request, timeout=TIMEOUT_SECONDS, command=_COMMAND)
    if result["status"] != "ok":
        raise SideBySideError(f"{backend}: {result['message']}")
