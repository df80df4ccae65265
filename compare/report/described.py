"""What was compared: the task, its data, the network as a table of layers and drawn, and how it was trained."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from backends.base import Setting
from compare.analysis.sections import Section
from compare.page.network import Box
from tasks import load_task
from tasks.architecture import INPUT
from tasks.errors import SideBySideError
from tasks.layers import Layer, Shape
from tasks.task import Task


@dataclass(frozen=True)
class Described:
    """What was compared.

    Attributes:
        text: task, loss, optimizer, batch size, epochs.
        layers: of each layer its name, its settings, its output's shape, and its number of parameters.
        boxes: the same, to be drawn.
    """

    text: str
    layers: list[tuple[str, str, str, int]]
    boxes: list[Box]


def describe(section: Section, settings: Mapping[str, Setting]) -> Described | None:
    """What a section's rows trained; None where this version does not know the task, or knows another network by it."""
    run = section.rows[0].first if section.rows else None
    if run is None:
        return None
    try:
        task = load_task(section.task, section.recipe)
    except SideBySideError:
        return None
    counts = task.architecture.parameter_counts
    if any(row.first.parameter_counts and row.first.parameter_counts != counts for row in section.rows):
        return None
    rate = settings.get("learning_rate")
    task = task.with_learning_rate(float(rate)) if isinstance(rate, float | int) else task
    examples = "all training examples" if run.examples is None else f"{run.examples:,} training examples"
    epochs = f"{run.epochs} epoch{'s' * (run.epochs != 1)} of {examples}"
    size = run.batch_size or task.recipe.batch_size
    tested = f", tested on {run.test_examples:,}" if run.test_examples else ""
    text = (
        f"{task.summary.rstrip('.')}. {epochs}{tested}, {size} examples a step; loss:"
        f" {task.recipe.loss.replace('_', ' ')}; optimizer: {_optimizer(task)}."
    )
    return Described(text, _layers(task), _boxes(task))


def _optimizer(task: Task) -> str:
    rule = task.recipe.optimizer
    settings = [f"{field.name.replace('_', ' ')} {getattr(rule, field.name):g}" for field in fields(rule)]
    return f"{type(rule).__name__}, {', '.join(settings)}"


def _layers(task: Task) -> list[tuple[str, str, str, int]]:
    network = task.architecture
    rows = [("input", "", _shape(network.input_shape), 0)]
    for node in network.nodes:
        shape = _shape(network.shapes[node.name])
        rows.append((node.name, _settings(node.layer), shape, network.parameter_counts.get(node.name, 0)))
    return rows


def _boxes(task: Task) -> list[Box]:
    network = task.architecture
    places = {name: at for at, name in enumerate(network.shapes)}
    boxes = [Box(INPUT, _shape(network.input_shape), ())]
    for node in network.nodes:
        inputs = tuple(places[name] for name in node.inputs)
        boxes.append(Box(node.layer.kind, _shape(network.shapes[node.name]), inputs))
    return boxes


def _settings(layer: Layer) -> str:
    values = {field.name: getattr(layer, field.name) for field in fields(layer)}  # type: ignore[arg-type]
    return ", ".join(f"{name.replace('_', ' ')} {_shape(value)}" for name, value in values.items())


def _shape(value: Shape | object) -> str:
    return " x ".join(map(str, value)) if isinstance(value, tuple) else str(value)
