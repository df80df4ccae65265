"""A framework's defaults: what a model becomes where they are left as they are. Each is a change of the recipe.

A recipe says everything, so no framework's default reaches a model of ours. Here one at a time is turned back on; since
it is a change of the recipe, the reference can compute it too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tasks.layers import AveragePool2D, Conv2D, Layer, Softmax
from tasks.task import Recipe
from tasks.training import Optimizer

Change = Callable[[Recipe], Recipe]


@dataclass(frozen=True)
class Default:
    """One default of a framework.

    Attributes:
        name: the same for all frameworks: ``initial weights``.
        cause: a sentence or two, in the documentation's terms.
        where: what to write to have it otherwise.
        change: gives a recipe with the default in the place of what it says; the same recipe where it has no say.
        mistake: whether it is no default, but what newcomers often write.
    """

    name: str
    cause: str
    where: str
    change: Change
    mistake: bool = False


def with_all(recipe: Recipe, defaults: Sequence[Default]) -> Recipe:
    """The recipe as it becomes with several defaults, one after the other."""
    for default in defaults:
        recipe = default.change(recipe)
    return recipe


def of_recipe(**fields: Any) -> Change:
    """A change of fields of the recipe itself."""
    return lambda recipe: replace(recipe, **fields)


def of_layers(kind: type[Layer], **fields: Any) -> Change:
    """A change of fields of all layers of a kind."""
    return _of_each(kind, lambda layer, shape: replace(layer, **fields))


def of_rule(kind: type[Optimizer], to: type[Optimizer] | None = None, **fields: Any) -> Change:
    """A change of fields of the optimizer, where it is of a kind and not of a child; ``to``: another kind besides."""

    def change(recipe: Recipe) -> Recipe:
        rule = recipe.optimizer
        return replace(recipe, optimizer=(to or kind)(**{**vars(rule), **fields})) if type(rule) is kind else recipe

    return change


def several(*changes: Change) -> Change:
    """Several changes, one after the other."""

    def change(recipe: Recipe) -> Recipe:
        for each in changes:
            recipe = each(recipe)
        return recipe

    return change


def decaying_all(recipe: Recipe) -> Recipe:
    """Weight decay for biases too, where there is any."""
    return replace(recipe, decays_all=True) if recipe.optimizer.weight_decay else recipe


def padded_on_both_sides(recipe: Recipe) -> Recipe:
    """``kernel // 2`` on both sides of an image, where a convolution with a stride has the padding ``same``."""

    def change(layer: Conv2D, shape: tuple[int, ...]) -> Layer:
        height, width = ((length // 2, length // 2) for length in layer.kernel_size)
        if layer.padding != "same" or layer.strides == (1, 1) or layer.pads(shape) == (height, width):
            return layer
        padded: Conv2D = replace(layer, padding=(height, width))
        return padded if padded.output_shape(shape) == layer.output_shape(shape) else layer

    return _of_each(Conv2D, change)(recipe)


def counting_padding(count: bool) -> Change:
    """Whether averages of windows count the zeros around an image, where there are any."""

    def change(layer: AveragePool2D, shape: tuple[int, ...]) -> Layer:
        return layer if layer.padding == "valid" else replace(layer, count_padding=count)

    return _of_each(AveragePool2D, change)


def softmax_before_the_loss(recipe: Recipe) -> Recipe:
    """A softmax at the end of a network whose loss, a cross-entropy, expects logits."""
    architecture = recipe.architecture
    if recipe.loss != "cross_entropy" or isinstance(architecture.nodes[-1].layer, Softmax):
        return recipe
    last = replace(architecture.nodes[-1], name="softmax", layer=Softmax(), inputs=(architecture.nodes[-1].name,))
    return replace(recipe, architecture=replace(architecture, nodes=(*architecture.nodes, last)))


def _of_each(kind: type[Layer], change_layer: Callable[[Any, tuple[int, ...]], Layer]) -> Change:
    def change(recipe: Recipe) -> Recipe:
        architecture = recipe.architecture
        nodes = tuple(
            replace(node, layer=change_layer(node.layer, architecture.shape_before(node)))
            if type(node.layer) is kind
            else node
            for node in architecture.nodes
        )
        return (
            recipe if nodes == architecture.nodes else replace(recipe, architecture=replace(architecture, nodes=nodes))
        )

    return change
