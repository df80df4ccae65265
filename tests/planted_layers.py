"""Planted faults in layers: models that compute one kind of layer as another framework, or a mistaken port, does."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from backends.numpy.layers import LAYERS
from backends.numpy.model import NumpyModel
from backends.numpy.network import Network, build_network
from tasks.architecture import Parameters
from tasks.layers import (
    GELU,
    LSTM,
    Add,
    AveragePool2D,
    Concatenate,
    Conv2D,
    ConvTranspose2D,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Reshape,
    Sigmoid,
    Softmax,
    Tanh,
)


def with_layer(kind: type[Layer], forward: Any, backward: Any) -> type[NumpyModel]:
    """A model that computes one kind of layer in another way."""

    class OtherLayer(NumpyModel):
        def build(self) -> Network:
            return build_network(self.recipe.architecture, LAYERS | {kind: (forward, backward)})

    return OtherLayer


def changed(kind: type[Layer], change: Callable[[Any], Layer]) -> type[NumpyModel]:
    """A model that computes layers of one kind as others, with the same parameters."""
    forward, backward = LAYERS[kind]
    return with_layer(
        kind,
        lambda layer, x, p: forward(change(layer), x, p),
        lambda layer, kept, dy: backward(change(layer), kept, dy),
    )


def flipped(kind: type[Layer]) -> type[NumpyModel]:
    """A model whose kernels are turned round, as where a convolution is taken for a cross-correlation."""
    forward, backward = LAYERS[kind]

    def turned(p: Parameters) -> Parameters:
        return p | ({"kernel": p["kernel"][::-1, ::-1]} if "kernel" in p else {})

    def turned_backward(layer: Any, kept: Any, dy: Any) -> Any:
        dx, of_parameters = backward(layer, kept, dy)
        return dx, turned(of_parameters)

    return with_layer(kind, lambda layer, x, p: forward(layer, x, turned(p)), turned_backward)


def _first_channels(layer: Conv2D, x: Any, p: Parameters) -> Any:
    """Groups ignored: every filter sees the first channels, of as many as its kernel has."""
    seen = np.concatenate([x[..., : p["kernel"].shape[2]]] * layer.groups, axis=-1)
    return LAYERS[Conv2D][0](layer, seen, p)


def _before_the_root(layer: LayerNorm, x: Any, p: Parameters) -> Any:
    """Epsilon added to the standard deviation, not to the variance."""
    _, (normalized, scale, deviation) = LAYERS[LayerNorm][0](layer, x, p)
    other = np.sqrt(deviation * deviation - np.float32(layer.epsilon)) + np.float32(layer.epsilon)
    normalized = normalized * deviation / other
    return normalized * scale + p["bias"], (normalized, scale, other)


def _unbiased(layer: LayerNorm, x: Any, p: Parameters) -> Any:
    """The variance over one channel less than there are."""
    _, (normalized, scale, deviation) = LAYERS[LayerNorm][0](layer, x, p)
    factor = np.float32(np.sqrt(x.shape[-1] / (x.shape[-1] - 1)))
    return normalized / factor * scale + p["bias"], (normalized / factor, scale, deviation * factor)


def _sum_for_mean(layer: GlobalAveragePool2D, x: Any, p: Parameters) -> Any:
    return x.sum(axis=(1, 2)), (np.ones((), x.dtype), x.shape)


def _slope_one_at_zero(layer: LeakyReLU, x: Any, p: Parameters) -> Any:
    """As JAX's own: the outputs are the same."""
    slopes = np.where(x >= 0, np.float32(1), np.float32(layer.slope))
    return x * slopes, slopes


def _zeros_in_the_maximum(layer: MaxPool2D, x: Any, p: Parameters) -> Any:
    """Zeros are padded, and are the maximum where all else is negative."""
    padded = np.pad(x, ((0, 0), *layer.pads(x.shape[1:]), (0, 0)))
    y, (place, _) = LAYERS[MaxPool2D][0](replace(layer, padding="valid"), padded, p)
    return y, (place, x.shape)


def _other_order(layer: Flatten, x: Any, p: Parameters) -> Any:
    """Flattened as channel, height, width: PyTorch's order."""
    return np.moveaxis(x, -1, 1).reshape(len(x), -1), x.shape


def _hard_tanh(layer: Tanh, x: Any, p: Parameters) -> Any:
    y = np.clip(x, -1, 1)
    return y, y


def _hard_sigmoid(layer: Sigmoid, x: Any, p: Parameters) -> Any:
    y = np.clip(x / 6 + np.float32(0.5), 0, 1)
    return y, y


def _over_examples(layer: Softmax, x: Any, p: Parameters) -> Any:
    y, _ = LAYERS[Softmax][0](layer, x.T, p)
    return y.T, y.T


def _turned(layer: Reshape, x: Any, p: Parameters) -> Any:
    """The columns of an image as the steps of a sequence."""
    return LAYERS[Reshape][0](layer, x.swapaxes(1, 2), p)


def _backward(kind: type[Layer]) -> Any:
    return LAYERS[kind][1]


def _last_first(layer: Concatenate, x: Any, p: Parameters) -> Any:
    return LAYERS[Concatenate][0](layer, x[::-1], p)


def _last_first_backward(layer: Concatenate, kept: Any, dy: Any) -> Any:
    return np.split(dy, kept, axis=-1)[::-1], {}


def _first_left_out(layer: Add, x: Any, p: Parameters) -> Any:
    return LAYERS[Add][0](layer, x[1:], p)[0], len(x)


def _gates_exchanged(layer: LSTM, x: Any, p: Parameters) -> Any:
    """Input and forget gate exchanged, as a port does that takes another order for its own."""
    order = np.arange(4 * layer.units).reshape(4, -1)[[1, 0, 2, 3]].ravel()
    return LAYERS[LSTM][0](layer, x, {name: array[..., order] for name, array in p.items()})


def _two_biases(layer: LSTM, kept: Any, dy: Any) -> Any:
    """As PyTorch's, whose second bias is trained too: their sum moves twice as far."""
    dx, of_parameters = LAYERS[LSTM][1](layer, kept, dy)
    return dx, of_parameters | {"bias": 2 * of_parameters["bias"]}


def _other_slope(layer: LSTM, x: Any, p: Parameters) -> Any:
    """Gates that rise less steeply: 0.2 at 0, as a hard sigmoid does, and not 0.25."""
    slopes = np.repeat([0.8, 0.8, 1.0, 0.8], layer.units).astype(x.dtype)
    return LAYERS[LSTM][0](layer, x, {name: array * slopes for name, array in p.items()})


SEQUENCE, GRAPH, KINK = "more-layers", "more-branches-adam", "kink"
BRANCHES, SIGMOID, SOFTMAX = "branches", "sigmoid-squares", "softmax-in-logits"
FAULTS: dict[str, tuple[str, type[NumpyModel], str]] = {
    # what is wrong: the sample it is planted in, the model, the first quantity that must be named
    "average pool counts padding": (
        SEQUENCE, changed(AveragePool2D, lambda layer: replace(layer, count_padding=True)),
        "output of layer 10_average_pool2d"
    ),
    "average pool does not count padding": (
        GRAPH, changed(AveragePool2D, lambda layer: replace(layer, count_padding=False)), "output of layer beside"
    ),
    "global pool adds up": (
        GRAPH, with_layer(GlobalAveragePool2D, _sum_for_mean, _backward(GlobalAveragePool2D)), "output of layer mean"
    ),
    "max pool pads zeros": (
        SEQUENCE, with_layer(MaxPool2D, _zeros_in_the_maximum, _backward(MaxPool2D)), "output of layer 7_max_pool2d"
    ),
    "kernel flipped": (SEQUENCE, flipped(Conv2D), "output of layer 0_conv2d"),
    "kernel of a transposed convolution flipped": (GRAPH, flipped(ConvTranspose2D), "output of layer larger"),
    "groups ignored": (SEQUENCE, with_layer(Conv2D, _first_channels, _backward(Conv2D)), "output of layer 3_conv2d"),
    "Keras's epsilon in LayerNorm": (
        GRAPH, changed(LayerNorm, lambda layer: LayerNorm(1e-3)), "output of layer normal"
    ),
    "flax's epsilon in LayerNorm": (GRAPH, changed(LayerNorm, lambda layer: LayerNorm(1e-6)), "output of layer normal"),
    "epsilon outside the root": (
        GRAPH, with_layer(LayerNorm, _before_the_root, _backward(LayerNorm)), "output of layer normal"
    ),
    "unbiased variance": (
        SEQUENCE, with_layer(LayerNorm, _unbiased, _backward(LayerNorm)), "output of layer 4_layer_norm"
    ),
    "approximate GELU for exact": (
        SEQUENCE, changed(GELU, lambda layer: GELU(approximate=True)), "output of layer 9_gelu"
    ),
    "exact GELU for approximate": (GRAPH, changed(GELU, lambda layer: GELU()), "output of layer bend"),
    "Keras's slope of LeakyReLU": (
        SEQUENCE, changed(LeakyReLU, lambda layer: LeakyReLU(0.3)), "output of layer 6_leaky_relu"
    ),
    "leaky ReLU for ReLU": (
        SEQUENCE, with_layer(ReLU, lambda layer, x, p: (np.maximum(x, x / 100), x > 0), _backward(ReLU)),
        "output of layer 1_relu",
    ),
    "PyTorch's order of what is flattened": (
        SEQUENCE, with_layer(Flatten, _other_order, _backward(Flatten)), "output of layer 11_flatten"
    ),
    "hard tanh": (BRANCHES, with_layer(Tanh, _hard_tanh, _backward(Tanh)), "output of layer bend"),
    "hard sigmoid": (SIGMOID, with_layer(Sigmoid, _hard_sigmoid, _backward(Sigmoid)), "output of layer 1_sigmoid"),
    "softmax over the examples": (
        SOFTMAX, with_layer(Softmax, _over_examples, _backward(Softmax)), "output of layer 3_softmax"
    ),
    "a branch left out of a sum": (
        BRANCHES, with_layer(Add, _first_left_out, _backward(Add)), "output of layer again"
    ),
    "joined in another order": (
        BRANCHES, with_layer(Concatenate, _last_first, _last_first_backward), "output of layer both"
    ),
    "gates in another order": (
        "sequences", with_layer(LSTM, _gates_exchanged, _backward(LSTM)), "output of layer 1_lstm"
    ),
    "gates of another slope": ("sequences", with_layer(LSTM, _other_slope, _backward(LSTM)), "output of layer 1_lstm"),
    "two biases that are trained": (
        "sequences", with_layer(LSTM, LAYERS[LSTM][0], _two_biases), "gradient of 1_lstm/bias"
    ),
    "rows for columns": (
        "sequences", with_layer(Reshape, _turned, _backward(Reshape)), "output of layer 0_reshape"
    ),
    "slope 1 at 0": (
        KINK, with_layer(LeakyReLU, _slope_one_at_zero, _backward(LeakyReLU)), "gradient of 0_conv2d/bias"
    ),
}  # fmt: skip
