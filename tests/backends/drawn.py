"""Random networks: graphs of all layers, with any loss, optimizer and rule of training."""

from itertools import combinations
from typing import Any

import hypothesis
from hypothesis import strategies as st

from tasks.architecture import INPUT, Architecture, Node
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
    Merge,
    Padding,
    ReLU,
    Reshape,
    Shape,
    Sigmoid,
    Softmax,
    Tanh,
)
from tasks.schedules import CONSTANT, Cosine, Exponential, Schedule, StepDecay, Warmup
from tasks.training import SGD, Adadelta, Adam, AdamW, Loss, Optimizer, RMSprop
from tests.framework_faults import meets_a_fault
from tests.samples import Sample, sample_of

LARGEST_SIDE = 14
LEAST_NORMALIZED = 3
"""Of two numbers a normalization leaves the signs alone: no gradient passes it, and rounding is all that there is."""
ACTIVATIONS: list[Layer] = [ReLU(), LeakyReLU(0.1), GELU(), GELU(approximate=True), Tanh(), Sigmoid()]
ADAPTIVE: list[Optimizer] = [
    Adam(0.001),
    Adam(0.003, 0.8, 0.99, 1e-6),
    Adam(0.001, weight_decay=0.1),
    AdamW(0.001, weight_decay=0.1),
    RMSprop(0.001),
    RMSprop(0.001, 0.99, 1e-8, momentum=0.9, weight_decay=0.1),
    Adadelta(),
    Adadelta(0.1, 0.95, 1e-7),
    Adadelta(0.5, weight_decay=0.1),
]
OPTIMIZERS = [*ADAPTIVE, SGD(0.01), SGD(0.01, 0.9), SGD(0.01, 0.9, nesterov=True, weight_decay=0.1)]
SMALLER = [*ADAPTIVE, SGD(0.001), SGD(0.0002, 0.9)]
"""For a sum over the batch, with which training would diverge at the others' rates."""
LOSSES: list[Loss] = [
    "cross_entropy",
    "negative_log_likelihood",
    "sum_of_squared_errors",
    "mean_squared_error",
    "binary_cross_entropy",
]
OF_ONE_OUTPUT = LOSSES[2:]
SCHEDULES: list[Schedule] = [
    CONSTANT,
    StepDecay(0.5),
    Exponential(0.7),
    Cosine(0.1),
    Warmup(0.5),
    Warmup(0.5, Cosine(0.1)),
]

activations = st.sampled_from(ACTIVATIONS)
norms: st.SearchStrategy[Layer] = st.sampled_from([LayerNorm(), LayerNorm(1e-3), LayerNorm(0.1)])
layers_with_state: st.SearchStrategy[Layer] = st.sampled_from(
    [BatchNorm(), BatchNorm(0.7, 1e-3), BatchNorm(0.8, unbiased=True), Dropout(0.1), Dropout(0.3), Dropout(0.3)]
)


def pairs(least: int, most: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(least, most), st.integers(least, most))


@st.composite
def convolutions(draw: st.DrawFn, shape: Shape) -> Layer:
    """A convolution of an image, transposed or not."""
    kernel, strides, bias = draw(pairs(1, 3)), draw(pairs(1, 2)), draw(st.booleans())
    if draw(st.integers(0, 3)) == 0:
        padding = draw(st.sampled_from(["same", "valid"]))
        layer: Layer = ConvTranspose2D(draw(st.integers(1, 4)), kernel, strides, padding, bias)  # type: ignore[arg-type]
    else:
        groups = draw(st.sampled_from([1, 1, *(n for n in (2, 3, shape[2]) if shape[2] % n == 0)]))
        paddings = st.sampled_from(["same", "valid"]) | st.tuples(pairs(0, 2), pairs(0, 2))
        filters = groups * draw(st.integers(1, max(6 // groups, 1)))
        layer = Conv2D(filters, kernel, strides, draw(paddings), bias, groups)  # type: ignore[arg-type]
    return layer


@st.composite
def pools(draw: st.DrawFn) -> Layer:
    size, strides = draw(pairs(1, 3)), draw(st.none() | pairs(1, 2))
    before_and_after = st.tuples(*(st.tuples(*[st.integers(0, max(n - 1, 0))] * 2) for n in size))
    padding: Padding = draw(st.sampled_from(["valid", "valid", "same"]) | before_and_after)  # type: ignore[arg-type]
    if draw(st.booleans()):
        return MaxPool2D(size, strides, padding)
    return AveragePool2D(size, strides, padding, draw(st.booleans()))


class _Graph:
    """A graph that grows, and the outputs that no node has taken yet."""

    def __init__(self, input_shape: Shape) -> None:
        self.nodes: list[Node] = []
        self.shapes = {INPUT: input_shape}
        self.waiting = [INPUT]

    def add(self, layer: Layer, *inputs: str) -> str:
        """Adds a node and returns its name; what does not fit, or meets a fault of a framework, is thrown away."""
        before = [self.shapes[name] for name in inputs]
        try:
            shape = layer.merged_shape(before) if isinstance(layer, Merge) else layer.output_shape(before[0])
        except ValueError:
            hypothesis.reject()
        hypothesis.assume(not meets_a_fault(layer, before[0]))
        hypothesis.assume(len(shape) == 1 or max(shape[:2]) <= LARGEST_SIDE)
        name = f"n{len(self.nodes)}_{layer.kind}"
        self.nodes.append(Node(name, layer, inputs))
        self.shapes[name] = shape
        self.waiting = [*(other for other in self.waiting if other not in inputs), name]
        return name

    def alike(self, axes: int) -> list[tuple[str, str]]:
        """Pairs of images that are equal in their first axes."""
        images = [name for name, shape in self.shapes.items() if len(shape) == 3]
        return [pair for pair in combinations(images, 2) if len({self.shapes[name][:axes] for name in pair}) == 1]


def _add_image_layers(draw: st.DrawFn, graph: _Graph) -> None:
    """A few layers of images, each behind any earlier one, and some that merge two; then vectors are made of all."""
    for _ in range(draw(st.integers(1, 3))):
        before = draw(st.sampled_from([list(graph.shapes)[-1]] * 2 + list(graph.shapes)))
        shape = graph.shapes[before]
        kinds = [convolutions(shape), convolutions(shape), pools(), pools()]
        if shape[2] >= LEAST_NORMALIZED:
            kinds.append(norms)
        name = graph.add(draw(st.one_of(kinds)), before)
        if draw(st.integers(0, 3)) == 0:
            name = graph.add(draw(layers_with_state), name)
        if draw(st.booleans()):
            graph.add(draw(activations), name)
        merge, axes = draw(st.sampled_from([(Add(), 3), (Concatenate(), 2)]))
        if (alike := graph.alike(axes)) and draw(st.booleans()):
            graph.add(merge, *draw(st.sampled_from(alike)))
    hypothesis.assume(any(node.layer.parameter_shapes(graph.shapes[node.inputs[0]]) for node in graph.nodes))
    for name in [name for name in graph.waiting if name != INPUT or len(graph.waiting) == 1]:
        graph.add(draw(st.sampled_from([Flatten(), Flatten(), GlobalAveragePool2D()])), name)
    graph.waiting = [name for name in graph.waiting if name != INPUT]
    if len(graph.waiting) > 1:
        graph.add(Concatenate(), *graph.waiting)


def _add_sequence(draw: st.DrawFn, graph: _Graph, last: str) -> str:
    """A vector as a sequence, read by one LSTM or two."""
    size = graph.shapes[last][0]
    steps = draw(st.sampled_from([number for number in range(1, 7) if size % number == 0]))
    last = graph.add(Reshape((steps, size // steps)), last)
    if draw(st.booleans()):
        last = graph.add(LSTM(draw(st.integers(1, 6)), return_sequences=True), last)
    return graph.add(LSTM(draw(st.integers(1, 6))), last)


@st.composite
def drawn_samples(draw: st.DrawFn) -> Sample:
    """A graph or a sequence of layers of images, and of vectors behind them, with any rule of training."""
    of_images = draw(st.booleans()) or draw(st.booleans())
    image = (draw(st.integers(4, 9)), draw(st.integers(4, 9)), draw(st.sampled_from([1, 2, 3, 6])))
    graph = _Graph(image if of_images else (draw(st.integers(1, 9)),))
    if of_images:
        _add_image_layers(draw, graph)
    (last,) = graph.waiting
    for _ in range(draw(st.integers(0, 2))):
        if graph.shapes[last][0] >= LEAST_NORMALIZED and draw(st.booleans()):
            last = graph.add(draw(norms), last)
        if draw(st.integers(0, 3)) == 0:
            last = _add_sequence(draw, graph, last)
        last = graph.add(Dense(draw(st.integers(1, 12)), draw(st.booleans())), last)
        if draw(st.integers(0, 3)) == 0:
            last = graph.add(draw(layers_with_state), last)
        last = graph.add(draw(activations), last)
    loss = draw(st.sampled_from(LOSSES))
    last = graph.add(Dense(1 if loss in OF_ONE_OUTPUT else draw(st.integers(2, 5))), last)
    if loss == "negative_log_likelihood":
        graph.add(Softmax(), last)
    architecture = Architecture(graph.shapes[INPUT], tuple(graph.nodes))
    return sample_of(architecture, loss=loss, **_training(draw, architecture, loss))


def _training(draw: st.DrawFn, architecture: Architecture, loss: Loss) -> dict[str, Any]:
    """How a network is trained, but for the loss; the last batch of an epoch may be smaller."""
    batch_size, count = draw(st.integers(2, 8)), draw(st.integers(20, 60))
    if any(isinstance(node.layer, BatchNorm) for node in architecture.nodes):
        # Of few examples, a batch's variance is chance, and of two a normalization leaves the signs alone.
        batch_size += 6
        count = batch_size * draw(st.integers(2, 4)) + batch_size // 2
    return {
        "optimizer": draw(st.sampled_from(SMALLER if loss == "sum_of_squared_errors" else OPTIMIZERS)),
        "schedule": draw(st.sampled_from(SCHEDULES)),
        "clip_norm": draw(st.sampled_from([None, None, 0.1, 1.0])),
        "label_smoothing": draw(st.sampled_from([0.0, 0.1])) if loss == "cross_entropy" else 0.0,
        "count": count,
        "batch_size": batch_size,
        "seed": draw(st.integers(0, 1000)),
    }


def drawn(seed: int) -> Sample:
    """The random network of a number, and its data."""
    samples: list[Sample] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=2,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(sample=drawn_samples())
    def keep(sample: Sample) -> None:
        samples.append(sample)

    keep()
    return samples[-1]  # the first that Hypothesis draws is always the simplest
