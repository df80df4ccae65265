"""Why two layers differ: the setting with which the reference, given the first's, computes the second's output.

The reference computes the first layer from its settings; if it comes to the first's output, and to the second's once
one setting is the second's, that setting is the cause. Two are tried together where one does not do.
"""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from backends.numpy.layers import LAYERS
from backends.numpy.network import build_network, set_parameters
from backends.own import Array, Call
from compare.records.port import ROUNDING
from tasks.architecture import sequence
from tasks.layers import GELU, AveragePool2D, BatchNorm, Conv2D, Dense, Layer, LayerNorm, LeakyReLU, MaxPool2D

Settings = Mapping[str, Any]
Change = Callable[[Settings, Mapping[str, Array]], tuple[Settings, Mapping[str, Array]]]
"""Gives other settings, or other parameters."""


def find_causes(one: Call, other: Call, own: Array) -> list[str]:
    """What explains that two layers make different outputs of the same input; empty where nothing known does.

    Args:
        one: the first's call.
        other: the second's, with the first's parameters.
        own: what the second makes of the first's input.
    """
    if own.shape != one.output.shape or _same(one.output, own):
        return []
    if not _same(one.output, _computed(one, one.settings, one.parameters)):
        return []
    changes = _changes(one, other)
    for count in (1, 2):
        for chosen in combinations(changes, count):
            settings, parameters = one.settings, one.parameters
            for name in chosen:
                settings, parameters = changes[name](settings, parameters)
            if _same(own, _computed(one, settings, parameters)):
                return list(chosen)
    return []


def _changes(one: Call, other: Call) -> dict[str, Change]:
    """What may be otherwise in the second, in words, and how the first becomes so."""
    found: dict[str, Change] = {}
    for name, value in other.settings.items():
        if name in one.settings and one.settings[name] != value:
            found[f"{name} is {_word(one.settings[name])} in the first and {_word(value)} in the second"] = _set(
                name, value
            )
    if "bias" in one.parameters and "bias" not in other.parameters:
        found["the second has no bias"] = _put(bias=np.zeros_like(one.parameters["bias"]))
    if one.kind == "batch_norm":
        axes = tuple(range(one.inputs[0].ndim - 1))
        batch = _put(mean=one.inputs[0].mean(axes), variance=one.inputs[0].var(axes))
        found["the second normalizes with the batch's own mean and variance, as in training"] = batch
    if one.kind == "gelu":
        found["the second computes GELU exactly"] = _set("approximation", False)
        found["the second computes GELU by a hyperbolic tangent"] = _set("approximation", True)
    if one.kind == "conv2d":
        found["the second's kernel is flipped"] = _put(kernel=one.parameters["kernel"][::-1, ::-1])
    return found


def _set(name: str, value: Any) -> Change:
    return lambda settings, parameters: ({**settings, name: value}, parameters)


def _put(**arrays: Array) -> Change:
    return lambda settings, parameters: (settings, {**parameters, **arrays})


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _layer(call: Call, settings: Settings, parameters: Mapping[str, Array]) -> Layer | None:
    """The layer of a call with some settings, as tasks have it; None of a kind that is not known here."""
    padding = settings.get("padding", (0, 0))
    if isinstance(padding, tuple) and padding and isinstance(padding[0], int):
        padding = tuple((length, length) for length in padding)
    match call.kind:
        case "dense":
            return Dense(call.output.shape[-1], "bias" in parameters)
        case "conv2d":
            size = parameters["kernel"].shape
            groups, strides = settings.get("groups", 1), tuple(settings.get("strides", (1, 1)))
            return Conv2D(size[3], size[:2], strides, padding, "bias" in parameters, groups)
        case "batch_norm":
            return BatchNorm(0.9, settings["epsilon"])
        case "layer_norm":
            return LayerNorm(settings["epsilon"])
        case "leaky_relu":
            return LeakyReLU(settings["slope"])
        case "gelu":
            return GELU(settings.get("approximation", False) in (True, "tanh"))
        case "max_pool2d":
            return MaxPool2D(settings["size"], settings.get("strides"), padding)
        case "average_pool2d":
            return AveragePool2D(
                settings["size"], settings.get("strides"), padding, settings.get("counts the padding", False)
            )
    return None


def _computed(call: Call, settings: Settings, parameters: Mapping[str, Array]) -> Array | None:
    """What the reference makes of the call's input in float64; None where it cannot."""
    try:
        layer = _layer(call, settings, parameters)
        if layer is None:
            return None
        architecture = sequence(call.inputs[0].shape[1:], [layer])
        network = build_network(architecture, LAYERS)
        named = {
            variable.key: np.asarray(parameters.get(variable.name, np.zeros(variable.shape)))
            for variable in architecture.variables
        }
        set_parameters(network, architecture, named, np.float64)
        return list(network.layer_outputs(call.inputs[0].astype(np.float64)).values())[-1]
    except (ValueError, KeyError, TypeError):  # settings that no layer of ours can have
        return None


def distance(one: Array, other: Array) -> float | None:
    """How far two arrays are apart, relative to the first's size; None where their shapes differ."""
    if one.shape != other.shape:
        return None
    size = float(np.linalg.norm(one.astype(np.float64).ravel()))
    apart = float(np.linalg.norm((one.astype(np.float64) - other).ravel()))
    return apart / size if size else apart


def _same(one: Array, other: Array | None) -> bool:
    """Whether two arrays differ by rounding alone."""
    apart = None if other is None else distance(one, other)
    return apart is not None and apart <= ROUNDING
