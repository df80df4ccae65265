"""A user's own model, trained step by step by the user's own optimizer and loss. Imports no framework."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backends.own import SEPARATOR, Array, OwnModelError

ByLayer = Mapping[str, Mapping[str, Array]]
"""Arrays by the layer's name and their own, in the layouts that all frameworks share."""


@dataclass(frozen=True)
class OwnStep:
    """One step of training.

    Attributes:
        loss: before the update.
        gradients: of the loss.
        parameters: after the update, and the state of layers.
    """

    loss: float
    gradients: ByLayer
    parameters: ByLayer


def check_trainable(optimizer: object, loss: object) -> None:
    """Raises OwnModelError where a user's function returned no optimizer or no loss."""
    if optimizer is None or loss is None:
        raise OwnModelError("to compare steps of training, return (model, optimizer, loss)")


def as_number(loss: Any, shape: tuple[int, ...]) -> float:
    """The loss as a number. Raises OwnModelError where there is one for each example."""
    if shape not in ((), (1,)):
        raise OwnModelError(f"its loss is of shape {shape}: return one number, their mean say")
    return float(loss)


def step_arrays(steps: Sequence[OwnStep]) -> dict[str, Array]:
    """The arrays of all steps for a file: by the step, what they are, the layer, and which."""
    return {
        SEPARATOR.join(("step", str(at), what, layer, name)): array
        for at, step in enumerate(steps)
        for what, by_layer in (("gradient", step.gradients), ("parameter", step.parameters))
        for layer, arrays in by_layer.items()
        for name, array in arrays.items()
    }


def steps_of(arrays: Mapping[str, Array], losses: Sequence[float]) -> list[OwnStep]:
    """The steps again, from such a file and the losses."""
    parts: list[dict[str, dict[str, dict[str, Array]]]] = [{"gradient": {}, "parameter": {}} for _ in losses]
    for key, array in arrays.items():
        first, *words = key.split(SEPARATOR)
        if first == "step":
            at, what, layer, name = words
            parts[int(at)][what].setdefault(layer, {})[name] = array
    return [OwnStep(loss, part["gradient"], part["parameter"]) for loss, part in zip(losses, parts, strict=True)]
