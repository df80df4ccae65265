"""Work with files of parameters: answers of a saved model, and conversion from and to a framework's own file."""

from pathlib import Path

import numpy as np

from backends import load_backend, native
from backends.files import check_finite, read_parameters, write_parameters
from compare.records.event import Reply
from compare.records.request import ConvertRequest, PredictRequest
from compare.worker.answers import outputs_of
from tasks import load_task


def predict(request: PredictRequest) -> Reply:
    """Writes the outputs of a saved model for inputs; both are .npy files."""
    task = load_task(request.task, request.recipe)
    path = Path(request.model)
    backend = load_backend(request.backend)
    backend.configure(request.threads)
    parameters = read_parameters(path, task.architecture)
    model = backend.build(task.with_workload(1), parameters)  # it is not trained: a schedule of any length will do
    outputs = outputs_of(model, np.load(request.inputs, allow_pickle=False))
    check_finite(path, {"an output": outputs})
    np.save(request.output, outputs)
    return Reply()


def convert(request: ConvertRequest) -> Reply:
    """Writes parameters in the canonical form as the framework's own file, or the other way round."""
    architecture = load_task(request.task, request.recipe).architecture
    source, output = Path(request.source), Path(request.output)
    load_backend(request.backend).configure(request.threads)
    if request.to_native:
        native(request.backend).write(output, architecture, read_parameters(source, architecture))
    else:
        write_parameters(output, native(request.backend).read(source, architecture))
    return Reply()
