"""Holds two models of a user's against each other: the second is given the first's parameters, then layer by layer."""

import ast
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from backends.own import SEPARATOR, Array, Call, calls_of, flatten_order
from backends.registry import framework_backends, missing
from compare.executors.local import LocalExecutor
from compare.explain.causes import distance, find_causes
from compare.explain.match import Matching, match
from compare.folders import Scratch
from compare.records.port import LayerPair, Port
from compare.records.request import PairRequest
from tasks.errors import SideBySideError

IMPORTED = {"torch": "pytorch", "keras": "keras", "tensorflow": "keras", "flax": "jax", "jax": "jax"}
"""The frameworks by the modules that a file imports."""


class PortError(SideBySideError):
    """A side cannot be compared; the message names it."""


@dataclass(frozen=True)
class Side:
    """One of the two models: a function of a file, and the framework that it is written in."""

    framework: str
    file: Path
    function: str

    @property
    def name(self) -> str:
        return f"{self.file.name}:{self.function}"


def find_side(word: str) -> Side:
    """The side that a user names: ``mine.py:make``, or ``keras=mine.py:make`` where the file imports several.

    Raises:
        SideBySideError: it is none, or its framework is not to be seen or not installed.
    """
    named, equals, rest = word.partition("=")
    framework, place = (named, rest) if equals and named in framework_backends() else ("", word)
    name, colon, function = place.rpartition(":")
    file = Path(name)
    if not colon or not function.isidentifier() or file.suffix != ".py":
        raise PortError(f"{word}: write a Python file and its function, as mine.py:make")
    try:
        source = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PortError(f"{word}: {file} cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from error
    if not framework:
        found = _frameworks_of(word, source)
        if len(found) != 1:
            seen = f"it imports {' and '.join(sorted(found))}" if found else "no framework is to be seen in its imports"
            raise PortError(f"{word}: {seen}: say which it is, as keras={word}")
        framework = found.pop()
    if message := missing(framework):
        raise PortError(f"{word}: {message}")
    return Side(framework, file, function)


def _frameworks_of(word: str, source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise PortError(f"{word}: the file is not Python ({error})") from error
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {IMPORTED[name] for full in names if (name := full.partition(".")[0]) in IMPORTED}


def compare_models(
    first: Side, second: Side, inputs: Array, threads: int, timeout: float | None = None, *, as_they_are: bool = False
) -> Port:
    """Compares two models for inputs (n, ...), images NHWC: in float64 layer by layer, in float32 their outputs.

    Args:
        first: whose parameters both get.
        second: the other.
        inputs: for both.
        threads: of each worker.
        timeout: seconds for each run of a model.
        as_they_are: whether the second keeps its own parameters.

    Raises:
        PortError: a side fails; one line that names it.
    """
    with Scratch() as folder:
        work = _Work(folder, inputs, threads, timeout)
        one, other = work.run_both((first, "float64"), (second, "float64"))
        matching = match(one, other)
        orders = Orders(one, other)
        parameters, reordered = ({}, []) if as_they_are else moved_parameters(one, other, matching, orders)
        given = {
            f"{other[at].name}{SEPARATOR}{place}": orders.input_of(one_at, at, array)
            for one_at, at in matching.pairs
            for place, array in enumerate(one[one_at].inputs)
        }
        again, own = work.run(second, "float64", parameters, given)
        # Each run makes the model anew, perhaps with other weights: both are given those of the first run.
        weights = {f"{call.name}{SEPARATOR}{name}": array for call in one for name, array in call.parameters.items()}
        in_float32 = work.run_both((first, "float32"), (second, "float32"), weights, parameters)
        return Port(
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


class _Work:
    """Runs models in workers, with files in a folder."""

    def __init__(self, folder: Path, inputs: Array, threads: int, timeout: float | None) -> None:
        self.folder, self.threads, self.timeout = folder, threads, timeout
        save_file({"x": np.ascontiguousarray(inputs)}, folder / "inputs")
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
            output=str(place / "output"),
        )
        with LocalExecutor(self.threads).open(side.framework) as session:
            reply = session.ask(request, timeout=self.timeout)
        if reply.status != "ok" or not isinstance(reply.value, list):
            message = reply.message if reply.message.startswith(side.name) else f"{side.name}: {reply.message}"
            raise PortError(message)
        arrays = load_file(place / "output")
        described = [value for value in reply.value if isinstance(value, dict)]
        own = {key.split(SEPARATOR)[1]: array for key, array in arrays.items() if key.startswith(f"own{SEPARATOR}")}
        return calls_of(arrays, described), own


class Orders:
    """In which order the features of dense layers are, where they are of an image that was flattened."""

    def __init__(self, first: Sequence[Call], second: Sequence[Call]) -> None:
        self.first, self.second = first, second

    def between(self, one_at: int, at: int) -> Array | None:
        """Of each feature of the second's layer, the place that it has in the first's; None where they are the same."""
        one, other = self.first[one_at], self.second[at]
        if one.kind != "dense" or one.inputs[0].shape != other.inputs[0].shape:
            return None
        of_first, of_second = flatten_order(one, self.first[:one_at]), flatten_order(other, self.second[:at])
        if (of_first is None) == (of_second is None):
            return None
        return of_second if of_first is None else np.argsort(of_first)

    def input_of(self, one_at: int, at: int, array: Array) -> Array:
        """The first's input in the second's order."""
        order = self.between(one_at, at)
        return array if order is None else array[:, order]


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
