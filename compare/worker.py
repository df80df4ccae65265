"""One cell, inside its own process: ``python -m compare.worker``.

The request is one line of JSON on standard input; what comes back are lines of JSON on standard output, the last of
them the result. The framework's own output goes to standard error. The process ends when standard input closes, so
that nothing is left behind when the parent is killed.
"""

import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from backends import load_backend
from backends.base import Model, usable_cores
from backends.numpy.noise import NoisyModel
from compare import evidence, measure
from compare.plan import Cell
from tasks import load_task
from tasks.batches import Batches
from tasks.dataset import Dataset, predicted_labels
from tasks.errors import SideBySideError, one_line
from tasks.reproducible import sha256_of

Report = Callable[..., None]
EVALUATION_BATCH = 500
MATRIX_SIZE = 2048


class CellWork:
    """The work of one cell; ``result`` fills up as it goes, so that a failure loses nothing that came before.

    Args:
        request: the cell's fields as ``cell``; ``threads`` and ``first_core``, the cores it may use; ``dtype``;
            ``data`` (a file or None); ``train`` (whether to train and measure); ``started`` (the parent's monotonic
            clock); and the files to write: ``arrays`` and ``model``, each a path or None, and ``evidence``, one path
            for each nudge; see :func:`compare.evidence.gather`.
        report: takes an event's name and its values.
    """

    def __init__(self, request: dict[str, Any], report: Report) -> None:
        self.request = request
        self.report = report
        self.cell = Cell.of(request["cell"])
        self.result: dict[str, Any] = {"status": "ok"}
        self.started = request["started"]
        self.evaluating = 0.0
        self.first_calls: list[tuple[float, int]] = []

    def run(self) -> None:
        cell, request, result = self.cell, self.request, self.result
        result["load_average"] = measure.load_average()
        task = load_task(cell.task, cell.recipe)
        dataset = task.load(Path(request["data"]) if request["data"] else None)
        batches = task.batches(
            len(dataset.train_labels), cell.seed, epochs=cell.epochs, examples=cell.examples, batch_size=cell.batch_size
        )
        parameters = task.parameters(cell.seed)

        measure.forget_peak()
        level = measure.resident_bytes()
        self.report("phase", name="import")
        start = time.perf_counter()
        backend = load_backend(cell.backend)
        result["import_seconds"] = time.perf_counter() - start
        result["import_memory_bytes"] = max(measure.resident_bytes() - level, 0)
        result["versions"] = backend.about.versions()
        result["settings"] = {
            **backend.configure(request["threads"]),
            "affinity": usable_cores(),
            "environment": measure.environment(),
            "last_batch": "kept" if batches.rest else "every batch is full",
            "warm_up": "the first epoch is timed apart",
        }

        self.report("phase", name="build")
        start = time.perf_counter()
        model: Model
        if request["dtype"] == "mixed":
            model = NoisyModel(task.recipe, parameters, cell.device, "mixed")
        else:
            model = backend.build(task, parameters, device=cell.device, mode=cell.mode, dtype=request["dtype"])  # type: ignore[arg-type]
        model.place(dataset)
        result["build_seconds"] = time.perf_counter() - start
        result["settings"].update(model.settings)
        result["parameters_sha256"] = sha256_of(model.parameters())
        if request["dtype"] == "float32" and result["parameters_sha256"] != sha256_of(parameters):
            raise SideBySideError("the framework holds other initial parameters than it was given")
        result["parameter_count"] = model.parameter_count()
        result["parameter_counts"] = task.architecture.parameter_counts
        result["batches_sha256"] = model.held_batches(batches).sha256()
        result["test_examples"] = len(dataset.test_labels)
        result["target_accuracy"] = task.target_accuracy
        result["operations_per_epoch"] = task.architecture.training_operations() * batches.examples

        if request["train"]:
            steady = self._train(model, dataset, batches)
            device_peak = backend.peak_bytes(cell.device)
            result["peak_memory_bytes"] = (
                max(measure.peak_resident_bytes() - level, 0) if device_peak is None else device_peak
            )
            result["memory_source"] = (
                "the process's resident memory above its level before the framework's import"
                if device_peak is None
                else "the framework's own peak on the device"
            )
            result["settings"].update(model.settings)  # what turned out only while training
            self._keep(model, dataset)
            self.report("phase", name="measure")
            if not steady and result["status"] == "ok":
                steady, result["epochs_a_call"] = measure.time_short_epochs(model, batches)
            if steady:
                result["epoch_seconds"] = steady
                result["examples_per_second"] = batches.examples / statistics.median(steady)
                epoch = statistics.median(steady)
                result["compile_seconds"] = sum(max(call - epoch * epochs, 0.0) for call, epochs in self.first_calls)
            inference = measure.time_inference(model, dataset.test_inputs, batches.batch_size)
            result["inference_examples_per_second"] = inference.examples_per_second
            result["latency_seconds"] = inference.latency_seconds
            result["latency_95_seconds"] = inference.latency_95_seconds
            multiply = backend.matrix_product(MATRIX_SIZE, cell.device)
            multiply()
            fastest = min(measure.clock(multiply) for _ in range(3))
            result["matrix_operations_per_second"] = 2 * MATRIX_SIZE**3 / fastest

            self.report("measured", result=result)  # stands, whatever becomes of the certificate

        if request["evidence"]:
            self.report("phase", name="certify")
            facts = [
                evidence.gather(model, task, dataset, cell.seed, Path(path), nudge, sizes=request["dtype"] == "float64")
                for nudge, path in enumerate(request["evidence"])
            ]
            result["evidence"] = facts[0]
            result["data_sha256"] = facts[0]["data_sha256"]

    def _train(self, model: Model, dataset: Dataset, batches: Batches) -> list[float]:
        """Trains by the recipe, call by call; returns the seconds of the steady epochs, none if they are too short."""
        result = self.result
        # A tuned call holds an epoch (or a hundredth of them all), and the accuracy is taken between calls, off the
        # clock. A stock loop gets all that follows the first epoch in one call, as its users would call it.
        size = max(1, batches.epochs // 100 if self.cell.mode == "tuned" else batches.epochs - 1)
        ends = [1, *range(1 + size, batches.epochs + 1, size)]
        ends += range(ends[-1] + 1, batches.epochs + 1)  # single epochs, for which the loop is compiled already
        seconds, losses, begin = [], [], 0
        result |= {"accuracies": [], "accuracy_epochs": [], "losses": []}
        for end in ends:
            part = batches[begin:end]
            start = time.perf_counter()
            step_losses = model.train(part)
            seconds.append((time.perf_counter() - start, end - begin))
            measure.check_finished(model, seconds[-1][0])
            if begin == 0:
                result["first_epoch_seconds"] = seconds[0][0]
                result["first_epoch_end_seconds"] = time.monotonic() - self.started
            losses.append(step_losses)
            result["losses"] += list(part.epoch_means(step_losses))
            begin = end
            accuracy = self._evaluate(model, dataset)
            result["accuracies"].append(accuracy)
            result["accuracy_epochs"].append(end)
            reached = self.cell.mode == "tuned" and accuracy >= result["target_accuracy"]  # stock is looked at twice
            if reached and "seconds_to_target" not in result:
                result["seconds_to_target"] = sum(call for call, _ in seconds)
            self.report(
                "epoch", epoch=end, epochs=batches.epochs, loss=_finite(result["losses"][-1]), accuracy=accuracy
            )
            if not np.isfinite(step_losses).all():
                result["status"] = "diverged"
                result["message"] = f"the loss is no longer finite in epoch {len(result['losses'])}"
                result["losses"] = [loss for loss in result["losses"] if np.isfinite(loss)]
                break
        result["accuracy"] = result["accuracies"][-1]
        # One evaluation counts, the last: how often a loop lets itself be looked at must not count against it.
        result["total_seconds"] = time.monotonic() - self.started - self.evaluating + result["evaluate_seconds"]
        self.step_losses = np.concatenate(losses)
        # The first call of each length compiles, of a stock loop the first of all; what follows is steady.
        known: set[int] = set()
        steady: list[tuple[float, int]] = []
        for call, epochs in seconds:
            compiled = epochs in known or (known and self.cell.mode == "stock")
            (steady if compiled else self.first_calls).append((call, epochs))
            known.add(epochs)
        if not steady or statistics.median(call for call, _ in steady) < measure.CALL_SECONDS:
            return []
        result["epochs_a_call"] = steady[0][1]
        return [call / epochs for call, epochs in steady]

    def _evaluate(self, model: Model, dataset: Dataset) -> float:
        """The accuracy on the whole test set."""
        start = time.perf_counter()
        outputs = outputs_of(model, dataset.test_inputs)
        self.result["evaluate_seconds"] = time.perf_counter() - start
        self.evaluating += self.result["evaluate_seconds"]
        self.predictions = predicted_labels(outputs)
        return float((self.predictions == dataset.test_labels).mean())

    def _keep(self, model: Model, dataset: Dataset) -> None:
        """Writes what the report draws, and the trained parameters where they were asked for."""
        if path := self.request["arrays"]:
            arrays: dict[str, NDArray[Any]] = {
                "predictions": self.predictions.astype(np.int32),
                "step_losses": self.step_losses.astype(np.float32),
            }
            kernels = [array for name, array in model.parameters().items() if name.endswith("/kernel")]
            if kernels:
                arrays["first_kernel"] = np.ascontiguousarray(kernels[0], np.float32)
            save_file(arrays, path)
        if path := self.request["model"]:
            cell = self.cell
            facts = {"task": cell.task, "recipe": cell.recipe, "backend": cell.backend, "seed": str(cell.seed)}
            model.save(Path(path), facts)

    def fail(self, error: BaseException) -> None:
        """Notes an error as the cell's outcome, in one line."""
        signs = ("out of memory", "resource_exhausted", "oom when allocating", "can't allocate memory")
        memory = isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in signs)
        self.result["status"] = "out-of-memory" if memory else "crashed"
        self.result["message"] = one_line(error)


def outputs_of(model: Model, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
    """The model's outputs for any number of inputs, in parts that fit into memory."""
    parts = range(0, len(inputs), EVALUATION_BATCH)
    return np.concatenate([model.logits(inputs[at : at + EVALUATION_BATCH]) for at in parts])


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def main(work_class: Callable[[dict[str, Any], Report], Any] = CellWork) -> int:
    """Reads the request, does the work, tells the result, and ends the process."""
    # What frameworks print must not reach the protocol: keep the real stdout, and point descriptor 1 at stderr.
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        first = min(request.get("first_core", 0), len(cores) - 1)
        os.sched_setaffinity(0, cores[first : first + request["threads"]])

    def report(event: str, **values: Any) -> None:
        protocol.write(json.dumps({"event": event, **values}, allow_nan=False) + "\n")

    work = work_class(request, report)
    try:
        work.run()
    except Exception as error:
        import traceback

        traceback.print_exc()  # into the cell's log
        work.fail(error)
    report("result", **work.result)
    protocol.flush()
    os._exit(0)  # frameworks' threads and exit handlers have hung before; everything is written


def _end_with_parent() -> None:
    while sys.stdin.read(1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
