"""Answers of a saved model to new inputs, in each backend, and whether the backends agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.cores import usable_cores
from backends.files import read_parameters, write_parameters
from compare.executors.local import LocalExecutor
from compare.folders import Scratch
from compare.models.saved import TIMEOUT_SECONDS, SavedModel
from compare.records.request import PredictRequest
from tasks.dataset import predicted_labels
from tasks.layers import Softmax
from tasks.task import Task

AGREEMENT = 1e-5
"""How far outputs may lie apart, as a share of the largest: rounding in float32 comes to about 1e-6."""
ALLOWED = f"allowed: {AGREEMENT:.0e}"


@dataclass(frozen=True)
class Answers:
    """What the backends make of the same inputs.

    Attributes:
        task: whose network answered.
        outputs: ``(n, outputs)``, of the last layer, by backend.
        failures: a line for each backend that gave no answer.
    """

    task: Task
    outputs: Mapping[str, NDArray[np.floating]]
    failures: Mapping[str, str]

    @property
    def distance(self) -> float:
        """The largest difference between two backends, as a share of the largest output."""
        outputs = list(self._without_denormals().values())
        largest = max(float(np.abs(output).max()) for output in outputs)
        return float(np.ptp(outputs, axis=0).max()) / largest if largest else 0.0

    @property
    def agree(self) -> bool | None:
        """Whether all give the same answers, and outputs within 1e-5; None where there are not two to compare."""
        if len(self.outputs) < 2:
            return None
        return self.distance <= AGREEMENT and not self._differing

    @property
    def verdict(self) -> str:
        """The same, in a line."""
        if self.agree is None:
            return "one backend alone: there is nothing to compare it with"
        differing = self._differing
        names = " and ".join(filter(None, [", ".join(list(self.outputs)[:-1]), list(self.outputs)[-1]]))
        distance = f"outputs differ by at most {self.distance:.1e} of the largest" if self.distance else "equal outputs"
        if self.task.source.predicts_numbers:
            return f"{names} agree: {distance}" if self.agree else f"{names} DISAGREE: {distance} ({ALLOWED})"
        if self.agree:
            return f"{names} agree: the same answers, {distance}"
        answers = f"{differing} different answer{'s' * (differing != 1)}" if differing else "the same answers"
        return f"{names} DISAGREE: {answers}, {distance} ({ALLOWED})"

    @property
    def _differing(self) -> int:
        """Of how many inputs the answers are not all the same; of a regression's, which are never quite so, none."""
        labels = np.array(list(self._labels_of(self._without_denormals()).values()))
        return 0 if self.task.source.predicts_numbers else int((labels != labels[0]).any(axis=0).sum())

    @property
    def labels(self) -> dict[str, NDArray[Any]]:
        """The labels ``(n,)`` that the outputs stand for, by backend; of a regression the numbers."""
        return self._labels_of(self.outputs)

    def _labels_of(self, outputs: Mapping[str, NDArray[np.floating]]) -> dict[str, NDArray[Any]]:
        loss, measure = self.task.recipe.loss, self.task.source.measure
        return {name: predicted_labels(output, loss, measure) for name, output in outputs.items()}

    def _without_denormals(self) -> dict[str, NDArray[np.floating]]:
        """The outputs with 0 for numbers too small for full precision: some frameworks compute with 0 instead."""
        least = np.finfo(np.float32).tiny
        return {name: np.where(np.abs(output) < least, 0, output) for name, output in self.outputs.items()}

    def probabilities(self, backend: str) -> NDArray[np.floating]:
        """``(n, classes)``: from logits by softmax or sigmoid; where the network ends in one of these, the outputs."""
        outputs = self.outputs[backend].astype(np.float64)
        if self.task.recipe.loss == "binary_cross_entropy":
            outputs = np.exp(-np.logaddexp(0, -outputs))
        if outputs.shape[1] == 1:
            return np.concatenate([1 - outputs, outputs], axis=1)
        if isinstance(self.task.architecture.layers[-1], Softmax):
            return outputs
        exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def predict(model: SavedModel, inputs: NDArray[np.float32], names: Sequence[str]) -> Answers:
    """Runs a saved network on inputs ``(n, *input_shape)``, in each backend, each in a process of its own."""
    executor = LocalExecutor(usable_cores())
    outputs, failures = {}, {}
    with Scratch() as scratch:
        given, output, kept = (scratch / name for name in ("inputs.npy", "outputs.npy", "model.safetensors"))
        write_parameters(kept, read_parameters(model.path, model.task.architecture))  # under a name without surprises
        np.save(given, inputs)
        for name in names:
            request = PredictRequest(
                backend=name,
                task=model.task.name,
                recipe=model.task.recipe_name,
                model=str(kept),
                inputs=str(given),
                output=str(output),
            )
            reply = executor.ask(name, request, timeout=TIMEOUT_SECONDS)
            if reply.status == "ok":
                outputs[name] = np.load(output, allow_pickle=False)
            else:
                failures[name] = f"{name}: {reply.message}"
    return Answers(model.task, outputs, failures)
