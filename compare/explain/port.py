"""Holds two models of a user's against each other: the second is given the first's parameters, then layer by layer."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from backends.own import SEPARATOR, Array, Call, by_layer, calls_of
from backends.own_training import steps_of
from compare.executors.interpreters import Interpreter
from compare.executors.local import LocalExecutor
from compare.explain.causes import distance, find_causes
from compare.explain.match import Matching, match
from compare.explain.orders import Orders
from compare.explain.port_training import Training, hold_training, why_training_differs
from compare.explain.rule_causes import in_words
from compare.explain.sides import PortError, Side
from compare.folders import Scratch
from compare.records.port import LayerPair, Port
from compare.records.request import PairRequest


def _parameters_of(calls: Sequence[Call]) -> dict[str, Array]:
    """The parameters of all layers, by their names in a file."""
    return {f"{call.name}{SEPARATOR}{name}": array for call in calls for name, array in call.parameters.items()}


@dataclass(frozen=True)
class Asked:
    """What is compared.

    Attributes:
        inputs: for both models, (n, ...), images NHWC.
        targets: of the inputs; None where no steps are trained.
        steps: of training, by the users' own optimizers and losses.
        as_they_are: whether the second keeps its own parameters.
        threads: of each worker.
        timeout: seconds for each run of a model.
        interpreters: of backends that run in other environments.
    """

    inputs: Array
    targets: Array | None = None
    steps: int = 0
    as_they_are: bool = False
    threads: int = 1
    timeout: float | None = None
    interpreters: Mapping[str, Interpreter] = field(default_factory=dict)


def compare_models(first: Side, second: Side, asked: Asked) -> Port:
    """Compares two models: in float64 layer by layer, in float32 their outputs, and steps of training in float64.

    Args:
        first: whose parameters both get.
        second: the other.
        asked: inputs, and how they are compared.

    Raises:
        PortError: a side fails; one line that names it.
    """
    with Scratch() as folder:
        work = _Work(folder, asked)
        one, other = work.run_both((first, "float64"), (second, "float64"))
        matching = match(one, other)
        orders = Orders(one, other)
        parameters, reordered = ({}, []) if asked.as_they_are else moved_parameters(one, other, matching, orders)
        given = {
            f"{other[at].name}{SEPARATOR}{place}": orders.input_of(one_at, at, array)
            for one_at, at in matching.pairs
            for place, array in enumerate(one[one_at].inputs)
        }
        again, own = work.run(second, "float64", parameters, given)
        # Each run makes the model anew, perhaps with other weights: both are given those of the first run.
        weights = _parameters_of(one)
        in_float32 = work.run_both((first, "float32"), (second, "float32"), weights, parameters)
        port = Port(
            first=first.name,
            second=second.name,
            layers=[
                _held(one[at], again[place], own.get(other[place].name))
                for at, place in matching.pairs
                if one[at].kind != "output"
            ],
            output=distance(one[-1].output, again[-1].output),
            output_float32=distance(in_float32[0][-1].output, in_float32[1][-1].output),
            unpaired=([one[at].name for at in matching.unpaired[0]], [other[at].name for at in matching.unpaired[1]]),
            reordered=reordered,
        )
        if not asked.steps or not port.right:
            return port
        sides = work.train_both(first, second, weights, _parameters_of(again))
        steps = hold_training(*sides, (one, other), matching, orders)
        assert asked.targets is not None
        causes = why_training_differs(steps, *sides, (one, again), asked.targets)
        return port.model_copy(update={"steps": steps, "training_causes": causes})


class _Work:
    """Runs models in workers, with files in a folder."""

    def __init__(self, folder: Path, asked: Asked) -> None:
        self.folder, self.asked = folder, asked
        batch = {"x": asked.inputs} if asked.targets is None else {"x": asked.inputs, "y": asked.targets}
        save_file({name: np.ascontiguousarray(array) for name, array in batch.items()}, folder / "inputs")
        self.count = 0

    def run_both(
        self, first: tuple[Side, str], second: tuple[Side, str], *parameters: Mapping[str, Array]
    ) -> tuple[list[Call], list[Call]]:
        """Both side by side, as they are or with parameters for the first and for the second."""
        with ThreadPoolExecutor() as pool:
            one = pool.submit(self.run, *first, *parameters[:1])
            other = pool.submit(self.run, *second, *parameters[1:])
            return one.result()[0], other.result()[0]

    def run(
        self,
        side: Side,
        dtype: str,
        parameters: Mapping[str, Array] | None = None,
        given: Mapping[str, Array] | None = None,
    ) -> tuple[list[Call], dict[str, Array]]:
        """The calls of a model's layers, and what single layers made of what they were given."""
        told, arrays = self._ask(side, dtype, parameters, given)
        own = {key.split(SEPARATOR)[1]: array for key, array in arrays.items() if key.startswith(f"own{SEPARATOR}")}
        return calls_of(arrays, told["calls"]), own

    def train_both(
        self, first: Side, second: Side, weights: Mapping[str, Array], parameters: Mapping[str, Array]
    ) -> tuple[Training, Training]:
        """Both in training, side by side, from the parameters given."""
        with ThreadPoolExecutor() as pool:
            one = pool.submit(self._train, first, weights)
            other = pool.submit(self._train, second, parameters)
            return one.result(), other.result()

    def _train(self, side: Side, parameters: Mapping[str, Array]) -> Training:
        told, arrays = self._ask(side, "float64", parameters, None, self.asked.steps)
        settings = in_words(side.framework, told["optimizer"])
        return Training(steps_of(arrays, told["losses"]), by_layer(parameters), settings)

    def _ask(
        self,
        side: Side,
        dtype: str,
        parameters: Mapping[str, Array] | None,
        given: Mapping[str, Array] | None,
        steps: int = 0,
    ) -> tuple[dict[str, Any], dict[str, Array]]:
        """What the side's worker tells, and the arrays that it wrote."""
        self.count += 1
        place = self.folder / f"{side.framework}-{dtype}-{self.count}"
        place.mkdir()
        for name, arrays in (("parameters", parameters), ("given", given)):
            if arrays is not None:
                save_file({key: np.ascontiguousarray(array) for key, array in arrays.items()}, place / name)
        request = PairRequest(
            framework=side.framework,
            file=str(side.file.absolute()),
            function=side.function,
            dtype="float64" if dtype == "float64" else "float32",
            inputs=str(self.folder / "inputs"),
            parameters=None if parameters is None else str(place / "parameters"),
            given=None if given is None else str(place / "given"),
            steps=steps,
            output=str(place / "output"),
        )
        executor = LocalExecutor(self.asked.threads, interpreters=self.asked.interpreters)
        with executor.open(side.backend) as session:
            reply = session.ask(request, timeout=self.asked.timeout)
        if reply.status != "ok" or not isinstance(reply.value, dict):
            message = reply.message if reply.message.startswith(side.name) else f"{side.name}: {reply.message}"
            raise PortError(message)
        return reply.value, load_file(place / "output")


def moved_parameters(
    first: Sequence[Call], second: Sequence[Call], matching: Matching, orders: Orders
) -> tuple[dict[str, Array], list[str]]:
    """The first model's parameters for the second's layers; and the dense layers whose rows had to be put in order."""
    found: dict[str, Array] = {}
    reordered = []
    for one_at, at in matching.pairs:
        one, other = first[one_at], second[at]
        for name, array in one.parameters.items():
            if name not in other.parameters or array.shape != other.parameters[name].shape:
                continue
            order = orders.between(one_at, at) if name == "kernel" else None
            if order is not None:
                array = array[order]
                reordered.append(other.name)
            found[f"{other.name}{SEPARATOR}{name}"] = array
    return found, reordered


def _held(one: Call, other: Call, own: Array | None) -> LayerPair:
    """Two layers beside each other; ``own`` is what the second makes of the first's input."""
    lacking = [name for name in one.parameters if name not in other.parameters]
    more = [name for name in other.parameters if name not in one.parameters]
    notes = [f"only the first has {' and '.join(lacking)}"] if lacking else []
    notes += [f"only the second has {' and '.join(more)}"] if more else []
    shared = [name for name in one.settings if name in other.settings]
    return LayerPair(
        first=one.name,
        second=other.name,
        kind=one.kind,
        carried=distance(one.output, other.output),
        own=None if own is None else distance(one.output, own),
        causes=[] if own is None else find_causes(one, other, own),
        settings={
            name: (str(one.settings[name]), str(other.settings[name]))
            for name in shared
            if one.settings[name] != other.settings[name]
        },
        note="; ".join(notes),
    )
