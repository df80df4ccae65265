"""One cell: imports the framework, builds the model, trains and measures it, and gathers the certificate's evidence."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from backends import load_backend
from backends.base import EAGER
from backends.devices import single_devices
from backends.numpy.noise import nudged
from compare import host
from compare.records.event import EpochEnd, EvidenceSummary, Measured, Phase, Reply
from compare.records.request import CellRequest, Copy
from compare.records.run import Curve, Run
from compare.worker import clocks, memory
from compare.worker.answers import drawn_arrays
from compare.worker.calls import Calls
from compare.worker.environment import surroundings
from compare.worker.evidence import gather, load_cell_task
from compare.worker.failure import failure
from compare.worker.gpu import meter_of, read_gpu
from compare.worker.load import OutsideLoad
from compare.worker.machine import machine_rate
from compare.worker.race import build_model
from compare.worker.timing import time_epochs
from compare.worker.training import Training, call_batches, train_for_the_curve
from tasks import load_task
from tasks.errors import SideBySideError
from tasks.files import write_whole
from tasks.reproducible import sha256_of

MATRIX_SIZE = 2048
"""Rows and columns of the matrices whose product shows what the machine can do."""


def run_cell(request: CellRequest, tell: Callable[[Phase | EpochEnd | Measured], None]) -> Reply:
    """Does the work of one cell. Where it fails, the reply holds what was measured before."""
    work = CellWork(request, tell)
    try:
        evidence = work.run()
    except Exception as error:
        reply = failure(error)
        work.note(status=reply.status, message=reply.message)
        evidence = None
    run = work.as_run()
    return Reply(status=run.status, message=run.message, run=run, evidence=evidence, calls=tuple(work.calls.made))


class CellWork:
    """The work of one cell, phase by phase: import, build, train, measure, certify."""

    def __init__(self, request: CellRequest, tell: Callable[[Phase | EpochEnd | Measured], None]) -> None:
        self.request = request
        self.cell = request.cell
        self.tell = tell
        self.outside_load = OutsideLoad()
        self.measured: dict[str, Any] = {"status": "ok", "load_average": host.load_average()}
        self.task = load_task(self.cell.task, self.cell.recipe)
        self.curve: Curve | None = None
        self.calls = Calls(Path(request.calls) if request.calls else None)
        self.training = Training(
            self.cell.mode, self.task.target_accuracy, request.started_seconds, tell, self.calls, request.tail_steps
        )

    def note(self, **values: Any) -> None:
        """Adds fields of the run."""
        self.measured |= values

    def as_run(self) -> Run:
        """The run as far as it came."""
        training = self.training
        if training.evaluate_seconds:
            self.note(
                losses=training.losses,
                accuracies=training.accuracies,
                accuracy_epochs=training.accuracy_epochs,
                curve=self.curve or training.curve(),
                first_epoch_seconds=training.call_seconds[0][0],
                first_epoch_end_seconds=training.first_epoch_end_seconds,
                evaluate_seconds=training.evaluate_seconds[-1],
                seconds_to_target=training.seconds_to_target,
                total_seconds=training.total_seconds,
                accuracy=training.accuracies[-1] if training.accuracies else None,
            )
        return Run(**self.cell.model_dump(), **self.measured)

    def run(self) -> EvidenceSummary | None:
        """Does the work; returns the summary of the evidence if the request asks for it."""
        self._prepare()
        if self.request.train:
            self._look_at_the_machine()  # nothing else is at work in this process yet
        self._import()
        self._build()
        if self.request.train:
            self._train()
            self._keep()
            self._measure()
            self.tell(Measured(run=self.as_run()))
        if self.request.nudges or self.request.evidence is not None:
            self.tell(Phase(name="certify"))
        if self.request.train and self.training.diverged is None:
            self._train_again()
        if self.request.evidence is None:
            return None
        copy = Copy(path=self.request.evidence)
        evidence = gather(self.model, self.task, self.dataset, self.cell, copy)
        self.note(data_sha256=evidence.data_sha256)
        return evidence

    def _prepare(self) -> None:
        cell, request = self.cell, self.request
        self.task, self.dataset = load_cell_task(cell, request.data, own_randomness=request.own_randomness)
        self.note(measure=self.dataset.measure)
        self.batches = self.task.batches(
            len(self.dataset.train_labels),
            cell.seed,
            epochs=cell.epochs,
            examples=cell.examples,
            batch_size=cell.batch_size,
        )
        self.parameters = self.task.parameters(cell.seed)

    def _look_at_the_machine(self) -> None:
        """Measures the machine, off the clock."""
        start = time.monotonic()
        self.note(machine=[*self.measured.get("machine", []), machine_rate()])
        self.training.started_seconds += time.monotonic() - start

    def _import(self) -> None:
        memory.forget_peak()
        self.resident_bytes = memory.resident_bytes()
        self.tell(Phase(name="import"))
        start = time.perf_counter()
        self.backend = load_backend(self.cell.backend)
        self.note(
            import_seconds=time.perf_counter() - start,
            import_memory_bytes=max(memory.resident_bytes() - self.resident_bytes, 0),
            versions=self.backend.about.versions(),
        )
        self.devices = single_devices(self.cell.device)
        if self.cell.device.startswith("cpu") and len(self.devices) > 1:
            self.backend.divide_cpu(len(self.devices))
        rate = self.cell.learning_rate
        self.settings: dict[str, Any] = {
            **self.backend.configure(self.request.threads),
            **surroundings(self.task.recipe.arithmetic),
            "last_batch": "kept" if self.batches.rest else "every batch is full",
            "warm_up": "the first epoch is excluded from the speed",
            **({} if rate is None else {"learning_rate": rate}),
            **({"own_randomness": True} if self.request.own_randomness else {}),
        }
        self.note(settings=self.settings)

    def _build(self) -> None:
        self.tell(Phase(name="build"))
        start = time.monotonic()
        built = build_model(self.request, self.backend, self.task, self.parameters, self.dataset, self.batches)
        self.model, self.race_compile_seconds = built.model, built.compile_seconds
        # Of a race, what the fastest would have taken alone is on the clock.
        self.training.started_seconds += time.monotonic() - start - built.build_seconds - built.compile_seconds
        self.note(build_seconds=built.build_seconds, race=built.examples_per_second)
        formulation = {"formulation": self.model.formulation} if self.model.formulation else {}
        self.settings.update(self.model.settings | formulation)
        architecture = self.task.architecture
        held = sha256_of(self.model.parameters())
        self.note(
            parameters_sha256=held,
            parameter_count=self.model.parameter_count(),
            parameter_counts=architecture.parameter_counts,
            batches_sha256=self.model.held_batches(self.batches).sha256(),
            test_examples=len(self.dataset.test_labels),
            target_accuracy=self.task.target_accuracy,
            operations_per_epoch=architecture.training_operations() * self.batches.examples,
        )
        if held != sha256_of(self.parameters):
            raise SideBySideError("the framework holds other initial parameters than it was given")

    def _train(self) -> None:
        self.tell(Phase(name="train"))
        self.meter = meter_of(self.devices)
        if self.meter is not None:
            self.calls.energy = self.meter.joules
        self.training.run(self.model, self.dataset, self.batches)
        if self.training.diverged is not None:
            step = self.training.diverged
            epoch = (step - 1) // self.batches.steps + 1
            message = f"diverged at step {step}, in epoch {epoch}: its loss or its parameters are not finite"
            self.note(status="diverged", message=message, diverged_step=step)
        self.note(**memory.peak(self.backend, self.devices, self.resident_bytes))
        self.settings.update(self.model.settings)  # what turned out only while training
        compiled = str(self.settings.get("compiled", ""))
        if compiled.startswith(EAGER) and self.training.diverged is None:
            self.note(message=f"the loop was not compiled, for {compiled.removeprefix(EAGER)}: its speed is not ranked")

    def _keep(self) -> None:
        """Writes what the report draws, and the trained parameters where they were asked for."""
        cell, training = self.cell, self.training
        if (path := self.request.arrays) and training.predictions is not None:
            losses = np.concatenate(training.step_losses)
            arrays = drawn_arrays(training.predictions, losses, self.model.parameters(), self.dataset)
            write_whole(Path(path), save(arrays))  # by save_file only its owner could read it
        if path := self.request.model:
            origin = {"task": cell.task, "recipe": cell.recipe, "backend": cell.backend, "seed": str(cell.seed)}
            origin["data"] = self.dataset.train_sha256
            self.model.save(Path(path), origin)

    def _measure(self) -> None:
        self.tell(Phase(name="measure"))
        first_calls, steady_calls = self.training.sorted_calls()
        if self.training.diverged is None:
            epoch_seconds, epochs, warm_up = time_epochs(self.calls, self.model, self.batches, steady_calls)
            self.settings["warm_up"] += f", {warm_up} slower calls after it are left out" if warm_up else ""
            epoch = statistics.median(epoch_seconds)
            self.note(
                epoch_seconds=epoch_seconds,
                epochs_a_call=epochs,
                examples_per_second=self.batches.examples / epoch,
                compile_seconds=sum((max(s - epoch * n, 0.0) for s, n in first_calls), self.race_compile_seconds),
                gpu=read_gpu(self.meter, self.calls, len(epoch_seconds), self.batches),
            )
        self._look_at_the_machine()
        inference = clocks.time_inference(self.model, self.dataset.test_inputs, self.batches.batch_size)
        if len(self.devices) == 1 and self.task.recipe.arithmetic != "bfloat16":
            multiply = self.backend.matrix_product(MATRIX_SIZE, self.cell.device)  # in float32, or TF32
            fastest = min(clocks.clock(multiply) for _ in range(4))
            self.note(matrix_operations_per_second=2 * MATRIX_SIZE**3 / fastest)
        self.note(
            outside_load=self.outside_load.cores(),
            inference_examples_per_second=inference.examples_per_second,
            latency_seconds=inference.latency_seconds,
            latency_95_seconds=inference.latency_95_seconds,
        )

    def _train_again(self) -> None:
        """Trains again, off the clock: for a stock loop's curve, and from moved parameters as the request asks."""
        if self.cell.mode == "stock":
            self.model.load_parameters(self.parameters)
            self.curve = train_for_the_curve(self.model, self.dataset, self.batches)
        calls = call_batches(self.batches, self.cell.mode)  # of lengths for which the loop is compiled already
        losses = []
        for seed in range(1, self.request.nudges + 1):
            self.model.load_parameters(nudged(self.task.architecture, self.parameters, seed, self.request.nudge))
            means = [call.epoch_means(self.model.train(call)) for call in calls]
            losses.append([float(loss) for loss in np.concatenate(means) if np.isfinite(loss)])
        self.note(nudged_losses=losses)
