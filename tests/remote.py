"""A backend in a process of its own, called like one in this process: frameworks do not live together in one."""

import importlib
import multiprocessing
import traceback
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.about import Mode
from backends.base import Dtype
from tasks.architecture import Parameters
from tasks.batches import Batches
from tasks.dataset import Dataset
from tasks.task import Recipe, Task

THREADS = 2


def task_of(recipe: Recipe, name: str = "drawn") -> Task:
    """A task for a recipe alone; its data come by hand."""
    return Task(name, name, {"standard": recipe}, 1.0, load=_no_data)


def _no_data(file: object) -> Dataset:
    raise NotImplementedError


def _serve(backend_name: str, connection: Connection) -> None:
    """The other side: builds models and calls them, until the connection closes."""
    import os

    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1"}
    # Several frameworks share the cores here: a thread of OpenMP that waits must not keep one from the others.
    os.environ["GOMP_SPINCOUNT"] = "1000"
    from backends import load_backend

    backend = load_backend(backend_name)
    backend.configure(THREADS)
    model: Any = None
    while True:
        try:
            method, args, kwargs = connection.recv()
        except EOFError:
            return
        try:
            if method == "build":
                model = backend.build(*args, **kwargs)
                answer = None
            elif method == "apply":  # a function of the tests, by name: it may plant a fault in the model
                module, name, *rest = args
                answer = getattr(importlib.import_module(module), name)(model, *rest)
            elif method.startswith("backend."):
                answer = getattr(backend, method.removeprefix("backend."))(*args, **kwargs)
            else:
                answer = getattr(model, method)(*args, **kwargs)
            connection.send((answer, None))
        except Exception as error:
            connection.send((None, (type(error).__name__, str(error), traceback.format_exc())))


class RemoteError(Exception):
    """An error that was raised on the other side."""

    def __init__(self, kind: str, text: str, trace: str) -> None:
        super().__init__(f"{kind}: {text}\n{trace}")
        self.kind = kind


class RemoteBackend:
    """A backend and the model it built last, in another process."""

    def __init__(self, name: str) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(name, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        self.connection.send((method, args, kwargs))
        answer, error = self.connection.recv()
        if error is not None:
            raise RemoteError(*error)
        return answer

    def build(
        self, task: Task, parameters: Parameters, *, device: str = "cpu", mode: Mode = "tuned", dtype: Dtype = "float32"
    ) -> "RemoteBackend":
        self.call("build", task, parameters, device=device, mode=mode, dtype=dtype)
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
        self.connection.close()
        self.process.join(10)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
