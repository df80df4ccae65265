"""A backend in a worker of its own, called like one in this process: frameworks do not live together in one."""

import importlib
import pickle
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from backends import load_backend
from backends.base import Backend
from compare.executors.local import LocalExecutor
from compare.records.request import CallRequest
from tasks.architecture import Parameters
from tasks.batches import Batches
from tasks.dataset import Dataset
from tasks.layers import Shape
from tasks.source import Source
from tasks.task import Recipe, Task

THREADS = 2
_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    # Several frameworks share the cores here: a thread of OpenMP that waits must not keep one from the others.
    "GOMP_SPINCOUNT": "1000",
}


def task_of(recipe: Recipe, name: str = "drawn") -> Task:
    """A task for a recipe alone; its data come by hand."""
    return Task(name, name, {"standard": recipe}, 1.0, Given(recipe.architecture.input_shape))


@dataclass(frozen=True)
class Given(Source):
    """Data that a test has made, if it needs any."""

    shape: Shape
    classes: tuple[str, ...] = ()
    dataset: Dataset | None = None
    kind: ClassVar[str] = "given"

    @property
    def input_shape(self) -> Shape:
        return self.shape

    def load(self, file: Path | None) -> Dataset:
        assert self.dataset is not None
        return self.dataset


class _Side:
    """The worker's side: a backend, and the model that it built last."""

    backend: Backend
    model: Any = None

    def do(self, method: str, *args: Any, **kwargs: Any) -> Any:
        if method == "build":
            self.model = self.backend.build(*args, **kwargs)
            return None
        if method == "apply":  # a function of the tests, by name: it may plant a fault in the model
            module, name, *rest = args
            return getattr(importlib.import_module(module), name)(self.model, *rest, **kwargs)
        owner = self.backend if method.startswith("backend.") else self.model
        return getattr(owner, method.removeprefix("backend."))(*args, **kwargs)


_side = _Side()


def answer(backend: str, question: str, reply: str) -> None:
    """Runs in the worker: does what the file ``question`` asks, and writes the answer, or the error, to ``reply``."""
    if not hasattr(_side, "backend"):
        _side.backend = load_backend(backend)
        _side.backend.configure(THREADS)
    method, args, kwargs = pickle.loads(Path(question).read_bytes())
    try:
        content = _side.do(method, *args, **kwargs), None
    except Exception as error:
        content = None, (type(error).__name__, str(error), traceback.format_exc())
    Path(reply).write_bytes(pickle.dumps(content))


class RemoteError(Exception):
    """An error that was raised on the other side."""

    def __init__(self, kind: str, text: str, trace: str) -> None:
        super().__init__(f"{kind}: {text}\n{trace}")
        self.kind = kind


class RemoteBackend:
    """A backend and the model it built last, in a worker."""

    def __init__(self, name: str, *, gpu: bool = False) -> None:
        self.name = name
        self.folder = tempfile.TemporaryDirectory(prefix="sidebyside-test-")
        self.session = LocalExecutor(THREADS, environment={} if gpu else _ENVIRONMENT).open(name)

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        question, answered = (Path(self.folder.name) / name for name in ("question", "reply"))
        question.write_bytes(pickle.dumps((method, args, kwargs)))
        arguments = (self.name, str(question), str(answered))
        reply = self.session.ask(CallRequest(module="tests.remote", function="answer", arguments=arguments))
        if reply.status != "ok":
            raise RemoteError("WorkerError", reply.message, "")
        value, error = pickle.loads(answered.read_bytes())
        if error is not None:
            raise RemoteError(*error)
        return value

    def build(self, task: Task, parameters: Parameters, **options: Any) -> "RemoteBackend":
        """As :meth:`backends.base.Backend.build`, with its options."""
        self.call("build", task, parameters, **options)
        return self

    def place(self, dataset: Dataset) -> None:
        self.call("place", dataset)

    def train(self, batches: Batches) -> NDArray[np.float32]:
        return self.call("train", batches)  # type: ignore[no-any-return]

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
        return self.call("logits", inputs)  # type: ignore[no-any-return]

    def loss_and_gradients(self, inputs: NDArray[Any], labels: NDArray[Any]) -> tuple[float, Parameters]:
        return self.call("loss_and_gradients", inputs, labels)  # type: ignore[no-any-return]

    def parameters(self) -> Parameters:
        return self.call("parameters")  # type: ignore[no-any-return]

    def load_parameters(self, parameters: Parameters) -> None:
        self.call("load_parameters", parameters)

    def close(self) -> None:
        self.session.close()
        self.folder.cleanup()
