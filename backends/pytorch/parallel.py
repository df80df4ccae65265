"""Data-parallel training in PyTorch: ``DistributedDataParallel``, with a process for each device."""

from collections.abc import Sequence
from contextlib import suppress
from inspect import signature
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, multiprocessing
from torch.nn.parallel import DistributedDataParallel

from backends.base import DeviceUnavailableError
from backends.devices import single_devices
from backends.pytorch.backend import Backend, _meet, _share_of
from backends.pytorch.model import Model
from backends.pytorch.network import _channels_first, set_parameters, variables
from backends.pytorch.stateful import _MaskedDropout
from backends.pytorch.training import (
    _canonical_state,
    _clip_gradients,
    _labels,
    _make_scheduler,
    _targets,
    make_optimizer,
)
from tasks.architecture import Parameters
from tasks.batches import Batches
from tasks.dataset import Dataset, Labels
from tasks.layers import BatchNorm
from tasks.task import Recipe
from tasks.training import OptimizerState

_SYNCHRONIZES = "forward_sync_buffers"
"""The option by which the first copy's buffers would be sent to the others in every step, under its new name."""
if _SYNCHRONIZES not in signature(DistributedDataParallel).parameters:
    _SYNCHRONIZES = "broadcast_buffers"

_PATIENCE_SECONDS = 5.0
"""For a process that has failed to say why."""


class _Replica(Model):
    """One process's copy of the network. All processes make the same calls in the same order.

    Args:
        recipe: architecture, loss and optimizer.
        parameters: of all copies.
        devices: of all copies.
        rank: which of them this copy is on.
        dtype: of parameters and arithmetic.
    """

    def __init__(self, recipe: Recipe, parameters: Parameters, devices: Sequence[str], rank: int, dtype: str) -> None:
        self.devices, self.rank = devices, rank
        super().__init__(recipe, parameters, devices[rank], dtype)

    def load_parameters(self, parameters: Parameters) -> None:
        """Copies parameters in the canonical layout into this copy; ``start`` is called of all copies after it."""
        set_parameters(self.network, self.recipe.architecture, parameters)

    def place(self, dataset: Dataset) -> None:
        """Puts all inputs (n, *input_shape), images NHWC, and labels (n,) on this copy's device."""
        self.inputs = torch.from_numpy(dataset.train_inputs).to(self.own_device)
        self.labels = _targets(dataset.train_labels).to(self.own_device)

    def held_data(self) -> tuple[NDArray[np.float32], Labels]:
        """The inputs (n, *input_shape) and labels (n,), read back from this copy's device."""
        return self.inputs.cpu().numpy(), _labels(self.labels)

    def held_batches(self, batches: Batches) -> Batches:
        """The batches as they are: every process is sent all of them, and takes its share."""
        return batches

    def start(self) -> None:
        """Makes one training of all copies, which hold the same parameters, with optimizers with fresh state."""
        self.settings = {"layout": "NCHW", "compiled": "no: eager", "devices": len(self.devices)}
        self.parallel = DistributedDataParallel(
            self.network,
            device_ids=None if self.own_device.type == "cpu" else [self.own_device],
            gradient_as_bucket_view=True,
            **{_SYNCHRONIZES: False},
        )
        self.dropouts = [layer for layer in self.network.modules() if isinstance(layer, _MaskedDropout)]
        self.optimizer = make_optimizer(self.recipe, variables(self.network, self.recipe.architecture))
        self.scheduler = _make_scheduler(self.recipe, self.optimizer)

    def where(self) -> list[str]:
        """The device of each copy's parameters, as its own process finds it."""
        found = [""] * len(self.devices)
        distributed.all_gather_object(found, ", ".join(sorted(super().parameter_devices())))
        return [f"cpu:{rank}" if device == "cpu" else device for rank, device in enumerate(found)]

    def optimizer_state(self) -> OptimizerState:
        """The moments that torch keeps by parameter, and the count of steps, in the canonical form."""
        return _canonical_state(self.optimizer, self.scheduler, self.network, self.recipe)

    def train(self, batches: Batches) -> NDArray[np.float32]:
        """Trains on this copy's share of every batch; returns the losses of the whole batches, (epochs, steps)."""
        self.network.train()
        steps = (batch for epoch in range(batches.epochs) for batch in batches.of_epoch(epoch))
        losses = torch.stack([self.train_step(batch) for batch in steps])
        distributed.all_reduce(losses)
        return losses.cpu().numpy().reshape(batches.epochs, batches.steps)

    def train_step(self, batch: NDArray[np.int32]) -> Tensor:
        """Forward, loss, backward, update with a share of the batch (batch_size,); returns its part of the loss."""
        shares = np.array_split(batch, len(self.devices))
        own = shares[self.rank]
        # A last batch may have fewer examples than there are devices: one is computed for nothing then.
        taken = torch.from_numpy(own if len(own) else batch[:1]).to(self.own_device)
        weight = len(own) / len(batch) if self.recipe.loss != "sum_of_squared_errors" else float(len(own) > 0)
        first = sum(map(len, shares[: self.rank]))
        rows = [layer.next_row.clone() for layer in self.dropouts]  # masks are by an example's place in the batch
        for layer, row in zip(self.dropouts, rows, strict=True):
            layer.next_row.copy_((row + first) % len(layer.table))
        self.optimizer.zero_grad()
        loss = self.loss(self.parallel(_channels_first(self.inputs[taken])), self.labels[taken]) * weight
        # DistributedDataParallel takes the mean over the copies, whose shares may differ in size: here they are added.
        (loss * len(self.devices)).backward()
        for layer, row in zip(self.dropouts, rows, strict=True):
            layer.next_row.copy_((row + len(batch)) % len(layer.table))
        _clip_gradients(self.network, self.recipe)
        self.optimizer.step()
        if self.scheduler:
            self.scheduler.step()
        return loss.detach()


class ParallelModel(_Replica):
    """The copy in this process, which answers: it starts the processes of the others and tells them what to do."""

    _processes: "_Processes | None" = None

    def __init__(
        self, recipe: Recipe, parameters: Parameters, device: str, dtype: str, formulation: str | None = None
    ) -> None:
        if any(isinstance(layer, BatchNorm) for layer in recipe.architecture.layers):
            raise DeviceUnavailableError(
                "pytorch normalizes the examples of each device by themselves (its SyncBatchNorm, which does not, is"
                " for GPUs alone): train a network with batch normalization on one device"
            )
        if ParallelModel._processes is not None:
            ParallelModel._processes.end()  # torch has one group in a process
        devices = single_devices(device)
        ParallelModel._processes = self.processes = _Processes(recipe, parameters, devices, dtype)
        super().__init__(recipe, parameters, devices, 0, dtype)
        self.device = device

    def _tell(self, call: str, *arguments: Any) -> Any:
        """Makes a call of all copies, of the others in their processes; returns what this one's comes to."""
        self.processes.tell(call, *arguments)
        try:
            return getattr(super(), call)(*arguments)
        except RuntimeError as error:  # which may be that another copy's process has ended
            raise RuntimeError(self.processes.failure() or str(error)) from error

    def load_parameters(self, parameters: Parameters) -> None:
        """Copies parameters in the canonical layout into every copy, and starts the optimizer afresh."""
        self._tell("load_parameters", parameters)
        self.start()

    def start(self) -> None:
        """Gives the optimizer of every copy fresh state."""
        self._tell("start")

    def parameter_devices(self) -> set[str]:
        """The devices of all copies' parameters, as each process finds its own."""
        return set(self._tell("where"))

    def place(self, dataset: Dataset) -> None:
        """Puts the training data on every device."""
        self._tell("place", dataset)

    def train(self, batches: Batches) -> NDArray[np.float32]:
        """Trains batch by batch, every process its share; returns the loss of every step, (epochs, steps)."""
        threads = torch.get_num_threads()
        torch.set_num_threads(_share_of(threads, self.devices))
        try:
            losses: NDArray[np.float32] = self._tell("train", batches)
        finally:
            torch.set_num_threads(threads)
        return losses


class _Processes:
    """The processes of all copies but the first, which is in this one. They end with it, even where it is killed."""

    def __init__(self, recipe: Recipe, parameters: Parameters, devices: Sequence[str], dtype: str) -> None:
        self.folder = TemporaryDirectory(prefix="sidebyside-", ignore_cleanup_errors=True)
        meeting, context = str(Path(self.folder.name) / "meeting"), multiprocessing.get_context("spawn")
        threads = _share_of(torch.get_num_threads(), devices)
        self.devices, self.pipes, self.processes = devices, [], []
        for rank in range(1, len(devices)):
            ours, theirs = context.Pipe()
            copy = recipe, parameters, devices, rank, dtype
            process = context.Process(target=_obey, args=(theirs, meeting, threads, copy), daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self.processes.append(process)
        try:
            _meet(meeting, devices, 0)
        except RuntimeError as error:
            raise RuntimeError(self.failure() or str(error)) from error

    def tell(self, call: str, *arguments: Any) -> None:
        """Has each of them make a call."""
        for pipe in self.pipes:
            pipe.send((call, arguments))

    def failure(self) -> str:
        """Why one of them has ended; empty if none has."""
        for device, pipe in zip(self.devices[1:], self.pipes, strict=True):
            with suppress(EOFError, OSError):
                if pipe.poll(_PATIENCE_SECONDS):
                    return f"on {device}: {pipe.recv()}"
        return ""

    def end(self) -> None:
        """Ends them, and leaves torch's group."""
        for pipe in self.pipes:
            pipe.close()
        for process in self.processes:
            process.join()
        distributed.destroy_process_group()
        self.folder.cleanup()


def _obey(pipe: Connection, meeting: str, threads: int, copy: Any) -> None:
    """What a process of a copy does until its pipe is closed: the calls that it is told to make."""
    try:
        Backend().configure(threads)
        recipe, parameters, devices, rank, dtype = copy
        _meet(meeting, devices, rank)
        replica = _Replica(recipe, parameters, devices, rank, dtype)
        while True:
            try:
                call, arguments = pipe.recv()
            except EOFError:
                return
            getattr(replica, call)(*arguments)
    except Exception as error:
        with suppress(OSError):
            pipe.send(f"{type(error).__name__}: {error}")
        raise
