"""A user's own model, layer by layer: what is common to the frameworks. Imports no framework.

A layer is a module of the framework that has no other inside, or one that is known as a whole. Their calls are recorded
in the order in which they are made, whatever the model's own code does between them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.errors import SideBySideError

Array = NDArray[Any]
IMAGE_AXES = 4
SEPARATOR = "\t"
"""Between the words by which an array is named in a file: layers' names may hold any other character."""


class OwnModelError(SideBySideError):
    """A user's model cannot be looked into; the message says why, in one line."""


@dataclass(frozen=True)
class Call:
    """One call of a layer.

    Attributes:
        name: the layer's place in the model, in the framework's own words: ``features.0``.
        kind: the same in all frameworks, ``dense``; of a layer that is not known, the name of its class.
        settings: what the layer was made with, by the names that all frameworks share; see :func:`in_common_terms`.
        inputs: what it was called with, images (n, height, width, channels).
        output: what came of it, in the same layout.
        parameters: its own, by the names and in the layouts that all frameworks share; of a layer that is not known, by
            its own names. Among them is the state, ``mean`` and ``variance``.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    inputs: tuple[Array, ...]
    output: Array
    parameters: Mapping[str, Array]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of its parameters."""
        return {name: array.shape for name, array in self.parameters.items()}


def in_common_terms(name: str, value: Any) -> Any:
    """A setting as all frameworks can have it: strides and padding in two directions, words in small letters."""
    if isinstance(value, str):
        return (0, 0) if value.lower() == "valid" else value.lower()
    if name in ("strides", "padding", "size") and isinstance(value, int):
        return value, value
    if isinstance(value, list | tuple) and all(
        isinstance(part, list | tuple) and len(set(part)) == 1 for part in value
    ):
        return tuple(part[0] for part in value)
    return tuple(value) if isinstance(value, list) else value


def made(value: object) -> tuple[Any, Any, Any]:
    """What a user's function returned, as model, optimizer and loss; the latter two may be missing, and are None then.

    Raises:
        OwnModelError: it is neither a model nor two or three of them in a tuple.
    """
    if not isinstance(value, tuple):
        return value, None, None
    if len(value) not in (2, 3):
        raise OwnModelError(f"it returns {len(value)} things: return a model, or (model, optimizer, loss)")
    model, *others = value
    optimizer, loss = [*others, None][:2]
    return model, optimizer, loss


def one_array(output: object, what: str) -> Any:
    """The one array that a model or a layer returned. Raises OwnModelError where it is a dictionary or a tuple."""
    if isinstance(output, dict | tuple | list):
        kind = "a dictionary" if isinstance(output, dict) else f"{len(output)} things"
        raise OwnModelError(f"{what} returns {kind}: wrap it in a model that returns the one that is compared")
    return output


def arrays_of(calls: Sequence[Call]) -> dict[str, Array]:
    """The arrays of all calls for a file: by the call's place, what they are, and which."""
    arrays = {}
    for at, call in enumerate(calls):
        arrays[SEPARATOR.join((str(at), "output", ""))] = call.output
        arrays |= {SEPARATOR.join((str(at), "input", str(place))): array for place, array in enumerate(call.inputs)}
        arrays |= {SEPARATOR.join((str(at), "parameter", name)): array for name, array in call.parameters.items()}
    return arrays


def by_layer(arrays: Mapping[str, Array]) -> dict[str, dict[str, Array]]:
    """Arrays by the layer's name and their own, from their names in a file."""
    found: dict[str, dict[str, Array]] = {}
    for key, array in arrays.items():
        layer, name = key.split(SEPARATOR)
        found.setdefault(layer, {})[name] = array
    return found


def calls_of(arrays: Mapping[str, Array], described: Sequence[Mapping[str, Any]]) -> list[Call]:
    """The calls again, from such a file, and from each call's name, kind and settings."""
    parts: list[dict[str, dict[str, Array]]] = [{"output": {}, "input": {}, "parameter": {}} for _ in described]
    for key, array in arrays.items():
        at, what, *name = key.split(SEPARATOR)
        if at.isdecimal():
            parts[int(at)][what][name[0]] = array
    return [
        Call(
            name=call["name"],
            kind=call["kind"],
            settings={name: _as_tuple(value) for name, value in call["settings"].items()},
            inputs=tuple(of_one["input"][str(place)] for place in range(len(of_one["input"]))),
            output=of_one["output"][""],
            parameters=of_one["parameter"],
        )
        for call, of_one in zip(described, parts, strict=True)
    ]


def _as_tuple(value: Any) -> Any:
    """A setting as it was before it was JSON."""
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


def flatten_order(call: Call, before: Sequence[Call]) -> NDArray[np.int64] | None:
    """How a layer's input (n, features) was made of an image before it: channels last, as (height, width, channel)?

    It is told by the values: by all of them, or, where the model's own code has pooled the image in between, by the
    largest or the mean of each channel.

    Args:
        call: of a dense layer.
        before: the calls before it.

    Returns:
        of each feature the place that it has where the image is flattened channels last; None where the input is no
        flattened image, or is one in that order already.
    """
    given = call.inputs[0]
    images = [earlier.output for earlier in before if earlier.output.ndim == IMAGE_AXES]
    if given.ndim != 2 or not images or given.shape[1] % images[-1].shape[-1] or len(images[-1]) != len(given):
        return None
    image = images[-1]
    channels = image.shape[-1]
    parts = given.shape[1] // channels
    places = np.arange(given.shape[1]).reshape(parts, channels).T.ravel()
    last, first = given.reshape(-1, parts, channels), given.reshape(-1, channels, parts).transpose(0, 2, 1)
    whole = image.reshape(len(image), -1, channels)
    fits = [_is_of(order, whole) for order in (last, first)]
    return places if fits == [False, True] else None


def _is_of(features: Array, image: Array) -> bool:
    """Whether features (n, parts, channels) can be those of an image (n, pixels, channels), rectified or pooled."""
    for whole in (image, np.maximum(image, 0)):
        if features.shape == whole.shape and np.allclose(features, whole, rtol=1e-6, atol=0):
            return True
        if np.allclose(features.max(1), whole.max(1), rtol=1e-6, atol=0) and features.shape != whole.shape:
            return True
        if np.allclose(features.mean(1), whole.mean(1), rtol=1e-6, atol=1e-9) and features.shape != whole.shape:
            return True
    return False
