"""One job with a file of parameters, in a process of its own: ``python -m compare.model_worker``.

It is asked and answers as :mod:`compare.worker` does.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from backends import load_backend, native
from backends.files import check_finite, read_parameters, write_parameters
from compare.worker import main, outputs_of
from tasks import load_task
from tasks.errors import one_line


class ModelWork:
    """The work of one request.

    Args:
        request: ``backend``, ``task``, ``recipe``, ``threads``, and ``job``: ``predict`` (from the parameters ``model``
            and the ``inputs`` to the outputs ``output``, both .npy), ``from-native`` (from the framework's own file
            ``model`` to the parameters ``output``) or ``to-native`` (the other way round).
        report: for events, of which there are none.
    """

    def __init__(self, request: dict[str, Any], report: Callable[..., None]) -> None:
        self.request = request
        self.result: dict[str, Any] = {"status": "ok"}

    def run(self) -> None:
        request = self.request
        name, model_file, output = request["backend"], Path(request["model"]), Path(request["output"])
        task = load_task(request["task"], request["recipe"])
        backend = load_backend(name)
        backend.configure(request["threads"])
        if request["job"] == "to-native":
            parameters = read_parameters(model_file, task.architecture)
            native(name).write(output, task.architecture, parameters)
        elif request["job"] == "from-native":
            write_parameters(output, native(name).read(model_file, task.architecture))
        else:
            model = backend.build(task, read_parameters(model_file, task.architecture))
            inputs = np.load(request["inputs"], allow_pickle=False)
            outputs = outputs_of(model, inputs)
            check_finite(model_file, {"an output": outputs})
            np.save(output, outputs)

    def fail(self, error: BaseException) -> None:
        """Notes an error as the outcome, in one line."""
        self.result = {"status": "crashed", "message": one_line(error)}


if __name__ == "__main__":
    main(ModelWork)
