"""How large the effect of a default is in a small example: computed on the spot, by the reference in float64."""

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from backends.default import with_all
from backends.numpy.model import NumpyModel
from backends.registry import defaults
from tasks.architecture import Parameters, sequence
from tasks.batches import draw_batches
from tasks.dataset import Dataset
from tasks.initial import draw_parameters
from tasks.layers import GELU, AveragePool2D, BatchNorm, Conv2D, Dense, Flatten, Layer, LayerNorm, LeakyReLU, ReLU
from tasks.task import Recipe
from tasks.training import SGD, Adadelta, Adam, AdamW, Optimizer, RMSprop

STEPS, EXAMPLES, BATCH = 10, 80, 8
_LAYERS: dict[str, tuple[str, Layer]] = {
    "BatchNorm": ("batch normalization", BatchNorm()),
    "LayerNorm": ("layer normalization", LayerNorm()),
    "AveragePool2D": ("average of the padding", AveragePool2D((3, 3), (2, 2), "same")),
    "GELU": ("GELU", GELU()),
    "LeakyReLU": ("slope of LeakyReLU", LeakyReLU()),
}
_RULES: dict[str, tuple[tuple[str, ...], Optimizer]] = {
    "Adam": (("optimizer's epsilon",), Adam()),
    "AdamW": (("weight decay", "optimizer's epsilon"), AdamW()),
    "RMSprop": (("optimizer's decay rates", "optimizer's epsilon"), RMSprop()),
    "Adadelta": (("optimizer's decay rates", "optimizer's epsilon"), Adadelta()),
}


def effect_of(kind: str, name: str, frameworks: Sequence[str]) -> float | None:
    """The largest distance between two frameworks after ten steps of a small example, relative to the size.

    Of the parameters, or of the outputs in inference, whichever are further apart.

    Args:
        kind: of a row of the atlas.
        name: of the row.
        frameworks: whose defaults are held against each other.

    Returns:
        None where there is no example of it.
    """
    names: tuple[str, ...]
    if kind == "initial weights":
        names, recipe = ("initial weights",), _recipe(ReLU(), SGD(0.05, 0.9))
    elif name in _LAYERS:
        default, layer = _LAYERS[name]
        names, recipe = (default,), _recipe(layer, SGD(0.05, 0.9))
    elif name in _RULES:
        names, recipe = _RULES[name][0], _recipe(ReLU(), _RULES[name][1])
    else:
        return None
    found = []
    for framework in frameworks:
        chosen = [default for default in defaults(framework) if default.name in names]
        found.append(_trained(with_all(recipe, chosen)))
    return max((_distance(one, other) for one, other in combinations(found, 2)), default=None)


def _recipe(layer: Layer, optimizer: Optimizer) -> Recipe:
    """A small convolutional network with this layer, and this optimizer."""
    layers: tuple[Layer, ...] = (Conv2D(4), layer, Flatten(), Dense(3))
    return Recipe(sequence((9, 9, 2), layers), "cross_entropy", optimizer, BATCH, 1, True, "flax")


def _trained(recipe: Recipe) -> Parameters:
    """The parameters after the steps, and the outputs in inference, among them as ``outputs``."""
    random = np.random.RandomState(0)
    inputs = random.standard_normal((EXAMPLES, *recipe.architecture.input_shape)).astype(np.float32)
    labels = random.randint(0, 3, EXAMPLES).astype(np.int32)
    model = NumpyModel(recipe, draw_parameters(recipe.architecture, recipe.initializer, 0), "cpu", "float64")
    model.place(Dataset(inputs, labels, inputs, labels, ("0", "1", "2")))
    model.train(draw_batches(EXAMPLES, BATCH, 1, 0, shuffle=True))
    trained = model.parameters()
    kept = {key: trained[key] for key in recipe.architecture.parameter_shapes}
    return {**kept, "outputs": model.logits(inputs)}


def _distance(one: Parameters, other: Parameters) -> float:
    def relative(keys: list[str]) -> float:
        squares = sum(float(((one[key] - other[key]) ** 2).sum()) for key in keys)
        return math.sqrt(squares / sum(float((other[key] ** 2).sum()) for key in keys))

    return max(relative([key for key in other if key != "outputs"]), relative(["outputs"]))
