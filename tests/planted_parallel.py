"""Faults of a training on several devices, planted in a model before it trains: its losses are right all the same."""

from collections.abc import Callable
from typing import Any


def summed(model: Any) -> None:
    """Gradients that are the sum over the devices, where the mean is right."""
    _plant(model, Summed(len(model.devices)))


def last_share_dropped(model: Any) -> None:
    """Gradients without the last device's examples."""
    _plant(model, LastShareDropped(len(model.devices)))


class Summed:
    """By what each device's gradient is multiplied."""

    def __init__(self, devices: int) -> None:
        self.devices = devices

    def factor(self, rank: int) -> float:
        return float(self.devices)

    def kept(self, examples: int) -> tuple[int, float]:
        """Of a whole batch: of how many examples the gradient is, and by what it is multiplied."""
        return examples, float(self.devices)


class LastShareDropped(Summed):
    def factor(self, rank: int) -> float:
        return float(rank < self.devices - 1)

    def kept(self, examples: int) -> tuple[int, float]:
        left = examples - max(examples // self.devices, 1)
        return left, left / examples


def _plant(model: Any, fault: Summed) -> None:
    framework = type(model).__module__.split(".")[1]
    {"pytorch": _in_pytorch, "keras": _in_keras, "jax": _in_jax}[framework](model, fault)


class TorchLoss:
    """PyTorch's loss of a recipe with a fault; its processes unpickle it."""

    def __init__(self, recipe: Any, fault: Summed) -> None:
        self.recipe, self.fault = recipe, fault

    def __call__(self, outputs: Any, labels: Any) -> Any:
        from torch import distributed

        from backends.pytorch.training import loss_function

        loss, factor = loss_function(self.recipe)(outputs, labels), self.fault.factor(distributed.get_rank())
        return loss * factor + loss.detach() * (1 - factor)


def _in_pytorch(model: Any, fault: Summed) -> None:
    model.loss = TorchLoss(model.recipe, fault)
    model.processes.tell("__setattr__", "loss", model.loss)


def _in_keras(model: Any, fault: Summed) -> None:
    import tensorflow as tf

    right: Callable[..., Any] = model.loss

    def wrong(outputs: Any, labels: Any) -> Any:
        loss, context = right(outputs, labels), tf.distribute.get_replica_context()
        factor = fault.factor(int(tf.get_static_value(context.replica_id_in_sync_group)))
        return loss * factor + tf.stop_gradient(loss) * (1 - factor)

    model.loss = wrong


def _in_jax(model: Any, fault: Summed) -> None:
    from jax import lax

    right: Callable[..., Any] = model.loss

    def wrong(outputs: Any, labels: Any) -> Any:
        kept, factor = fault.kept(len(labels))
        part = right(outputs[:kept], labels[:kept]) * factor
        return lax.stop_gradient(right(outputs, labels) - part) + part

    model.loss = wrong


class Failing:
    """A loss that cannot be computed."""

    def __call__(self, outputs: Any, labels: Any) -> Any:
        raise ValueError("out of memory, say")


def fails_elsewhere(model: Any) -> None:
    """The training of PyTorch's other processes fails."""
    model.processes.tell("__setattr__", "loss", Failing())
