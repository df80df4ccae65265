"""Not part of the reference: copies of it that imitate rounding, to measure how far rounding alone can lead.

A certificate allows a framework a multiple of this noise. Rounding matters most where it decides something: on which
side of ReLU's kink an input falls that is all but 0; and, where the terms of a gradient cancel, which way an optimizer
goes that divides it by its own size, as Adam, RMSprop and Adadelta do. One copy decides these one way, another copy the
other way. It also matters where very many numbers are summed, as batch normalization does.
"""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.numpy.activations import leaky_relu_backward, relu_backward
from backends.numpy.arrays import Array, Backward, LayerParameters
from backends.numpy.layers import LAYERS
from backends.numpy.lower import Layers, lower
from backends.numpy.model import NumpyModel
from backends.numpy.network import Network, build_network, inputs_of
from backends.numpy.rules import AdamUpdate
from backends.numpy.stateful import batch_norm_backward
from tasks.architecture import INPUT, Architecture, Parameters
from tasks.dataset import Labels
from tasks.layers import GELU, LSTM, BatchNorm, Dropout, Layer, LayerNorm, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from tasks.task import Recipe
from tasks.training import Adam

ROUNDINGS = (0.0, 4e-7, -4e-7)
"""Relative rounding error assumed in the float32 copies: none, up, down; 4e-7 is typical of a sum of 300 products."""


def nudged(architecture: Architecture, parameters: Parameters, seed: int, least: float = 0.0) -> Parameters:
    """Parameters and state, each parameter moved up or down by chance; a seed of 0 moves none.

    Args:
        architecture: says which of them are parameters.
        parameters: float32; a zero stays one.
        seed: of the chance.
        least: how far each is moved, or to the neighbouring float32 number if that is farther.
    """
    if seed == 0:
        return parameters
    random = np.random.RandomState(seed)
    moved = {}
    for key in architecture.parameter_shapes:
        value = parameters[key]
        direction = np.where(random.random_sample(value.shape) < 0.5, np.float32(-1), np.float32(1))
        to = np.nextafter(value, direction * np.float32(np.inf), dtype=np.float32)
        far = value + direction * np.float32(least)
        moved[key] = np.where(value == 0, value, np.where(np.abs(to - value) < least, far, to))
    return parameters | moved


class NoisyModel(NumpyModel):
    """A copy of the reference whose arithmetic rounds differently.

    Args:
        recipe: architecture, loss and optimizer.
        parameters: float32 arrays in the canonical layout.
        device: ``"cpu"``.
        dtype: ``float64``; ``float32``; or ``mixed``: float32 arrays, and Adam's scalars in float64. PyTorch's own Adam
            corrects its moments with float64 scalars, optax's and Keras's with float32 ones, in which 1 - 0.999 is off
            by 1e-5 of itself. Both are right.
        rounding: relative error added to imitate rounding: 0, or plus or minus 4e-7.
        seed: draws in which channels batch normalization's sums come out too large, and in which too small.
    """

    def __init__(
        self,
        recipe: Recipe,
        parameters: Parameters,
        device: str,
        dtype: str,
        rounding: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.rounding, self.seed = rounding, seed
        super().__init__(recipe, parameters, device, dtype)

    def build(self) -> Network:
        """Builds the network with ReLU's kink and sums of many terms moved, and the one for the sizes of gradients."""
        layers = dict(LAYERS)
        if self.rounding:
            layers[ReLU] = (partial(_relu_forward, self.rounding), relu_backward)
            layers[LeakyReLU] = (partial(_leaky_relu_forward, self.rounding), leaky_relu_backward)
            layers[BatchNorm] = (partial(_batch_norm_forward, np.sign(self.rounding), self.seed), batch_norm_backward)
        squares: Layers = {kind: (forward, partial(_squares, backward)) for kind, (forward, backward) in layers.items()}
        squares[LayerNorm] = (layers[LayerNorm][0], _layer_norm_squares)
        squares[BatchNorm] = (layers[BatchNorm][0], _batch_norm_squares)
        self.squares = build_network(self.recipe.architecture, squares)
        arithmetic = self.recipe.arithmetic if self.number is np.float32 else "float32"
        chance = 3 * self.seed + int(np.sign(self.rounding)) % 3  # the copies of a seed have each their own
        return build_network(self.recipe.architecture, lower(layers, arithmetic, chance))

    def start(self) -> None:
        """Makes the optimizer with fresh state; for ``mixed``, Adam with its scalars in float64."""
        super().start()
        self.loss_sizes: list[float] = []
        """Of each step since: see :meth:`loss_size`."""
        if self.dtype == "mixed" and isinstance(self.recipe.optimizer, Adam):
            self.optimizer = _Float64Scalars(self.recipe, self.network.parameters)

    @np.errstate(all="ignore")
    def train_step(self, inputs: NDArray[np.float32], labels: Labels) -> float:
        """As the reference's; but gradients that are divided by their size are first moved by their terms' rounding."""
        loss, gradients = self.loss_and_gradients(inputs, labels)
        self.loss_sizes.append(self.loss_size(self.outputs, labels))
        if self.rounding and self.recipe.optimizer.normalizes:
            for key, size in self.gradient_sizes(inputs, labels).items():
                # Alternating signs: softmax cancels a shift that all outputs share.
                signs = 1 - 2 * (np.arange(size.size) % 2)
                gradients[key] += self.rounding * size * signs.reshape(size.shape)
        self.optimizer.update(self.network.parameters, gradients)
        self.network.state |= self.network.next_state
        return loss

    def forward(self, inputs: NDArray[np.float32]) -> tuple[Array, list[Any]]:
        """As the reference's; keeps the outputs."""
        self.outputs, kept = super().forward(inputs)
        return self.outputs, kept

    def loss_size(self, outputs: Array, labels: Labels) -> float:
        """How large the loss is where none of its terms cancel, from outputs (n, outputs) and labels (n,).

        A cross-entropy may be formed as ``logsumexp(z) - z[y]``: of z, however small the loss, it loses a unit in the
        last place, which is an eighth of what is allowed for a quantity of that size.
        """
        sizes = np.abs(outputs).max(axis=1)
        if self.recipe.loss in ("sum_of_squared_errors", "mean_squared_error"):
            each = np.abs(outputs[:, 0] - labels) * (sizes + np.abs(labels))
            return float(each.sum() if self.recipe.loss == "sum_of_squared_errors" else each.mean()) / 8
        return float(sizes.mean()) / 8

    def gradient_sizes(self, inputs: NDArray[np.float32], labels: Labels) -> Parameters:
        """How large each gradient is where none of its terms cancel: the root of the sum of their squares.

        Rounding is of the size of the terms, however small their sum. The terms of examples and pixels count one by
        one, and those of outputs and channels as they come through the layers after.
        """
        outputs, kept = self.forward(inputs)
        _, gradient = self.loss(outputs, labels)
        self.squares.parameters = self.network.parameters
        squares = self.squares.backward(kept, gradient * gradient)
        return {key: np.sqrt(value) for key, value in squares.items()}

    def output_sizes(self, inputs: NDArray[np.float32]) -> dict[str, Array]:
        """How large each layer's output is where none of its terms cancel: of its squared terms, the root of the mean.

        What a layer takes counts as large as it was before a ReLU, or a sum, left little of it but rounding.
        """
        values: dict[str, Array] = {INPUT: inputs.astype(self.number), **self.layer_outputs(inputs)}
        squares: dict[str, Array] = {INPUT: values[INPUT] ** 2}
        for node, forward, _ in self.network.steps:
            p, taken = self.network.variables_of(node), inputs_of(node, squares)
            match node.layer:
                case LayerNorm() | BatchNorm():
                    x = values[node.inputs[0]]
                    variance = x.var(axis=-1, keepdims=True) if isinstance(node.layer, LayerNorm) else p["variance"]
                    squares[node.name] = taken / (variance + node.layer.epsilon) * p["scale"] ** 2 + p["bias"] ** 2
                case ReLU() | LeakyReLU() | GELU() | Dropout():
                    squares[node.name] = taken
                case Tanh() | Sigmoid() | Softmax():
                    squares[node.name] = np.minimum(taken, 1)
                case LSTM():
                    squares[node.name] = np.ones_like(values[node.name])  # h is a sigmoid times a tanh
                case linear:
                    squares[node.name] = forward(linear, taken, {name: value**2 for name, value in p.items()})[0]
        return {node.name: np.sqrt(squares[node.name].mean(keepdims=True)) for node, _, _ in self.network.steps}


class _Float64Scalars(AdamUpdate):
    """Adam as PyTorch's: corrections are computed in float64 and then rounded, and decoupled decay is taken alone.

    It multiplies by 1 - rate * decay, whose rounding to float32 is the same at every step and adds up.
    """

    def correction(self, beta: float, number: type[np.floating]) -> np.floating:
        return number(super().correction(beta, np.float64))

    def move(self, p: Array, step: Array, share: float) -> None:
        p *= p.dtype.type(1 - share)
        p -= step


def _relu_forward(rounding: float, layer: ReLU, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """ReLU whose slope changes not at 0 but at a share of its inputs' usual size.

    An input of exactly 0, as a bias of 0 gives on an empty image, is not the work of rounding: its slope stays 0.
    """
    return np.maximum(x, 0), (x > rounding * np.sqrt(np.mean(x * x))) & (x != 0)


def _leaky_relu_forward(rounding: float, layer: LeakyReLU, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """The same for a leaky ReLU."""
    _, above = _relu_forward(rounding, ReLU(), x, p)
    return np.maximum(x, layer.slope * x), np.where(above, x.dtype.type(1), x.dtype.type(layer.slope))


def _batch_norm_forward(sign: float, seed: int, layer: BatchNorm, x: Array, p: LayerParameters) -> tuple[Array, Any]:
    """Batch normalization whose mean and variance are half as far off as float32 sums that add term by term.

    Whole images have so many numbers, and so many that are equal, that the frameworks' own layers differ: over the
    first convolution of flax's example PyTorch's variance is off by 4e-4 of itself, Keras's by 2e-4, or 2e-5 by XLA,
    and flax's by 5e-8. NumPy's, which adds term by term, is off by 9e-4. Half of that error, measured in each channel,
    moves it one way or the other.
    """
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axes, dtype=np.float64)
    squares = np.square(x - mean.astype(x.dtype))
    variance = squares.mean(axes, dtype=np.float64)
    ways = sign / 2 * np.random.RandomState(seed).choice((-1, 1), (2, x.shape[-1]))
    mean = (mean + ways[0] * (x.mean(axes) - mean)).astype(x.dtype)
    variance = (variance + ways[1] * (squares.mean(axes) - variance)).astype(x.dtype)
    factor = 1 / np.sqrt(variance + x.dtype.type(layer.epsilon))
    normal = (x - mean) * factor
    return normal * p["scale"] + p["bias"], (normal, factor, p["scale"], mean, variance)


def _layer_norm_squares(layer: LayerNorm, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """A layer normalization's backward pass with all terms squared: what it subtracts adds to their size.

    Each of the two means is a sum of as many terms as there are channels, divided by their number.
    """
    normalized, scale, deviation = _squared(kept)
    g, channels = np.abs(dy) * scale, dy.shape[-1]
    of_mean, of_variance = (terms.mean(axis=-1, keepdims=True) / channels for terms in (g, g * normalized))
    before = tuple(range(dy.ndim - 1))
    of_parameters = {"scale": (np.abs(dy) * normalized).sum(axis=before), "bias": np.abs(dy).sum(axis=before)}
    return (g + of_mean + normalized * of_variance) / deviation, of_parameters


def _squares(backward: Backward, layer: Layer, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """A layer's backward pass with all factors squared, and without signs: softmax subtracts."""
    return backward(layer, _squared(kept), np.abs(dy))


def _batch_norm_squares(layer: BatchNorm, kept: Any, dy: Array) -> tuple[Array, LayerParameters]:
    """As ``_squares``; the means over the batch are subtracted, so here they are added."""
    (normal, factor, scale, _, _), dy, axes = kept, np.abs(dy), tuple(range(dy.ndim - 1))
    of_scale = dy * normal**2
    dx = (factor * scale) ** 2 * (dy + dy.mean(axes) + normal**2 * of_scale.mean(axes))
    return dx, {"scale": of_scale.sum(axes), "bias": dy.sum(axes)}


def _squared(kept: Any) -> Any:
    """What a layer keeps, its numbers squared; shapes and masks as they are."""
    if isinstance(kept, tuple):
        return tuple(map(_squared, kept))
    return kept * kept if isinstance(kept, np.ndarray) and kept.dtype.kind == "f" else kept
