"""Runs a user's own model and writes, as plain arrays, what each of its layers was given and made of it."""

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save

from backends import load_backend
from backends.own import SEPARATOR, OwnModelError, arrays_of, by_layer, made
from backends.own_training import OwnStep, step_arrays
from compare.records.event import Reply
from compare.records.request import PairRequest
from tasks.errors import one_line
from tasks.files import write_whole


def run_own(request: PairRequest) -> Reply:
    """Does what the request asks; the reply names the calls, one after the other. Whatever fails is one line."""
    try:
        return _run(request)
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        where = f"{Path(request.file).name}:{request.function}"
        return Reply(status="crashed", message=f"{where}: {one_line(error)}")


def _run(request: PairRequest) -> Reply:
    load_backend(request.framework).configure(request.threads)
    own = importlib.import_module(f"backends.{request.framework}.own")
    own.begin(request.dtype)
    batch = load_file(request.inputs)
    inputs = batch["x"]
    made_model, optimizer, loss = _make(request)
    model = own.OwnModel(made_model, request.dtype)
    calls = model.calls(inputs)  # before parameters are loaded: some layers make theirs when they are first called
    if request.parameters is not None:
        model.load(by_layer(load_file(request.parameters)))
        calls = model.calls(inputs)
    arrays = arrays_of(calls)
    if request.given is not None:
        for layer, given in by_layer(load_file(request.given)).items():
            try:
                arrays[SEPARATOR.join(("own", layer))] = model.output_of(
                    layer, tuple(given[at] for at in sorted(given, key=int))
                )
            except Exception as error:  # of another shape, say: the layers differ, and the table says so
                print(f"{layer}: {one_line(error)}", file=sys.stderr)
    steps: list[OwnStep] = []
    settings: dict[str, Any] = {}
    if request.steps:
        training = importlib.import_module(f"backends.{request.framework}.own_training")
        steps = training.train(model, optimizer, loss, inputs, batch["y"], request.steps)
        settings = training.optimizer_settings(optimizer)
        arrays |= step_arrays(steps)
    write_whole(Path(request.output), save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))
    described = [{"name": call.name, "kind": call.kind, "settings": dict(call.settings)} for call in calls]
    told = {"calls": described, "losses": [step.loss for step in steps], "optimizer": settings}
    return Reply(value=json.loads(json.dumps(told)))  # tuples become lists


def _make(request: PairRequest) -> tuple[Any, Any, Any]:
    """What the user's function returns: the model, and its optimizer and loss, where there are such."""
    path = Path(request.file).absolute()
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(f"own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise OwnModelError("it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if not callable(function := getattr(module, request.function, None)):
        raise OwnModelError("there is no function of this name in the file")
    return made(function())
