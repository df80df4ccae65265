"""Faults in a framework's own layers, planted in its worker before a network is built of them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any

from backends.fusion import PooledConv2D
from tasks.layers import (
    GELU,
    LSTM,
    Add,
    AveragePool2D,
    BatchNorm,
    Concatenate,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Reshape,
    Shape,
    Sigmoid,
    Softmax,
    Tanh,
)

FACTOR = 1.0001
SEQUENCE, GRAPH, STATE = "more-layers", "more-branches-adam", "state-in-branches"
Change = Callable[[Any], Layer] | None
FAULTS: dict[type[Layer], tuple[str, str, Change]] = {
    # the layer: the sample, the node that must be named, and as what it is computed; None: its output is off by 0.01 %
    Dense: (SEQUENCE, "13_dense", None),
    Conv2D: (SEQUENCE, "0_conv2d", None),
    ConvTranspose2D: (SEQUENCE, "5_conv_transpose2d", None),
    MaxPool2D: (SEQUENCE, "2_max_pool2d", None),
    AveragePool2D: (SEQUENCE, "10_average_pool2d", lambda layer: replace(layer, count_padding=True)),
    GlobalAveragePool2D: (GRAPH, "mean", None),
    LayerNorm: (SEQUENCE, "4_layer_norm", lambda layer: LayerNorm(1e-5)),
    Flatten: (SEQUENCE, "11_flatten", None),
    Reshape: ("sequences", "0_reshape", None),
    LSTM: ("sequences", "1_lstm", None),
    ReLU: (SEQUENCE, "1_relu", None),
    LeakyReLU: (SEQUENCE, "6_leaky_relu", lambda layer: LeakyReLU(0.3)),
    GELU: (SEQUENCE, "9_gelu", lambda layer: GELU(approximate=True)),
    Tanh: (STATE, "slope", None),
    Sigmoid: ("sigmoid-squares", "1_sigmoid", None),
    Softmax: ("softmax-in-logits", "3_softmax", None),
    Add: (STATE, "sum", None),
    Concatenate: (GRAPH, "both", None),
    BatchNorm: (STATE, "norm", lambda layer: replace(layer, epsilon=1e-3)),
    Dropout: (STATE, "dropped", None),
}
FUSED: dict[type[Layer], str] = {Conv2D: "0_conv2d", ReLU: "1_relu", MaxPool2D: "2_max_pool2d"}
"""The layers that two of the tuned loops compute as one."""


_undisturbed: list[tuple[dict[Any, Any], dict[Any, Any]]] = []


def plant(model: object, backend: str, kind: type[Layer]) -> None:
    """Runs in a worker: networks that are built from now on, for both loops, have the fault in layers of one kind."""
    change = FAULTS[kind][2]
    for module, name in (("layers", "LAYERS"), ("tuned_layers", "TUNED_LAYERS")):
        table = getattr(import_module(f"backends.{backend}.{module}"), name)
        _undisturbed.append((table, dict(table)))
        table[kind] = partial(_changed if change else _off, table[kind], change or backend)
        if kind in FUSED and PooledConv2D in table:
            table[PooledConv2D] = partial(_off, table[PooledConv2D], backend)


def clear(model: object) -> None:
    """Runs in a worker: takes out what was planted."""
    while _undisturbed:
        table, undisturbed = _undisturbed.pop()
        table.update(undisturbed)


def _changed(build: Any, change: Callable[[Any], Layer], layer: Layer, shape: Shape) -> Any:
    return build(change(layer), shape)


def _off(build: Any, backend: str, layer: Layer, shape: Shape) -> Any:
    """A layer whose output is off."""
    module = build(layer, shape)
    if backend == "pytorch":
        module.register_forward_hook(lambda module, inputs, output: output * FACTOR)
    elif backend == "keras":
        last = module.layers[-1] if hasattr(module, "layers") else module  # the parts of a layer that pads
        right = last.call
        last.call = lambda *inputs, **options: right(*inputs, **options) * FACTOR
    elif any(base.__module__.startswith("flax") for base in type(module).__mro__):
        call = type(module).__call__
        module.__class__ = type("Off", (type(module),), {"__call__": lambda self, x: call(self, x) * FACTOR})
    else:
        return lambda *inputs: module(*inputs) * FACTOR
    return module
