"""What was compared: the task, its data, the network as a table of layers and drawn, and how it was trained."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from compare.analysis.sections import Section
from compare.analysis.sentence import count_words
from compare.page.network import Box
from tasks import load_task
from tasks.architecture import INPUT
from tasks.arithmetic import Arithmetic
from tasks.errors import SideBySideError
from tasks.layers import Layer, Shape
from tasks.schedules import CONSTANT, Cosine, Exponential, Schedule, StepDecay, Warmup
from tasks.task import Recipe, Task
from tasks.training import SGD

ARITHMETIC: Mapping[Arithmetic, str] = {
    "float32": "",
    "tf32": "Arithmetic: TF32, which rounds the factors of matrix products and convolutions to 11 binary digits.",
    "bfloat16": "Arithmetic: bfloat16, numbers of 8 binary digits, between layers; parameters, loss and optimizer are"
    " float32, and what is certified is at most three times as far from float64 as such rounding leads.",
}


@dataclass(frozen=True)
class Described:
    """What was compared.

    Attributes:
        text: task, data, loss, optimizer, batch size, epochs, and how often it was run.
        layers: of each layer its name, its settings, its output's shape, and its number of parameters.
        boxes: the same, to be drawn.
    """

    text: str
    layers: list[tuple[str, str, str, int]]
    boxes: list[Box]


def describe(section: Section) -> Described | None:
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
    rate = run.learning_rate or run.settings.get("learning_rate")  # earlier versions wrote it there alone
    task = task.with_learning_rate(float(rate)) if isinstance(rate, float | int) else task
    examples = "all training examples" if run.examples is None else f"{run.examples:,} training examples"
    epochs = f"{run.epochs} epoch{'s' * (run.epochs != 1)} of {examples}"
    size = run.batch_size or task.recipe.batch_size
    tested = f", tested on {run.test_examples:,}" if run.test_examples else ""
    sentences = [f"{task.summary.rstrip('.')}.", f"Data: {_data(task)}."]
    if len({row.workload for row in section.rows}) == 1:  # else each row's name has its own
        sentences.append(f"Each run: {epochs}{tested}, {size} examples a step.")
    sentences += [
        f"Loss: {_loss(task.recipe)}.",
        f"Optimizer: {_optimizer(task.recipe)}.",
        ARITHMETIC[task.recipe.arithmetic],
    ]
    sentences.append(_often(section))
    text = " ".join(filter(None, sentences))
    return Described(text, _layers(task), _boxes(task))


def _data(task: Task) -> str:
    """Which data, and what an example of them is."""
    source = task.source
    inputs = f"inputs of shape {_shape(source.input_shape)}"
    if source.predicts_numbers:
        return f"{source.kind}, {inputs}, with a number to be predicted"
    return f"{source.kind}, {inputs}, of {len(source.classes)} classes"


def _often(section: Section) -> str:
    """How many runs there are of each row; empty if none was completed."""
    rows = [row.completed for row in section.rows if row.completed]
    if not rows:
        return ""
    counts = [{len({getattr(run, part) for run in runs}) for runs in rows} for part in ("round", "seed")]
    up_to = "up to " if any(len(count) > 1 for count in counts) else ""
    rounds, seeds = map(max, counts)
    of_rounds = f"{count_words(rounds)} round{'s' * (rounds != 1)}"
    return f"Each row was run in {up_to}{of_rounds} with {up_to}{count_words(seeds)} seed{'s' * (seeds != 1)}."


def _loss(recipe: Recipe) -> str:
    smoothing = f", label smoothing {recipe.label_smoothing:g}" if recipe.label_smoothing else ""
    return f"{recipe.loss.replace('_', ' ')}{smoothing}"


def _optimizer(recipe: Recipe) -> str:
    rule = recipe.optimizer
    numbers = [field.name for field in fields(rule) if field.name not in ("nesterov", "weight_decay")]
    words = [type(rule).__name__, *(f"{name.replace('_', ' ')} {getattr(rule, name):g}" for name in numbers)]
    if isinstance(rule, SGD) and rule.nesterov:
        words[-1] += " (Nesterov's)"
    if rule.weight_decay:
        words.append(f"{'decoupled' if rule.decoupled else 'coupled'} weight decay {rule.weight_decay:g} of kernels")
    if recipe.clip_norm is not None:
        words.append(f"gradients clipped to a common norm of {recipe.clip_norm:g}")
    schedule = "" if recipe.schedule == CONSTANT else f"; the learning rate {_schedule(recipe.schedule)}"
    return ", ".join(words) + schedule


def _schedule(schedule: Schedule) -> str:
    """What the learning rate does: a predicate for it."""
    match schedule:
        case StepDecay():
            often = "epoch" if schedule.epochs == 1 else f"{schedule.epochs} epochs"
            return f"is multiplied by {schedule.gamma:g} after every {often}"
        case Exponential():
            return f"falls a little at each step, to {schedule.gamma:g} of itself in an epoch"
        case Cosine():
            return f"falls along half a cosine to {schedule.end:g}{' of itself' * (schedule.end > 0)} at the end"
        case Warmup():
            epochs = "epoch" if schedule.epochs == 1 else f"{schedule.epochs:g} epochs"
            return f"rises evenly over the first {epochs}, then {_schedule(schedule.then)}"
    return "stays as it is"


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
    if values.pop("bias", True) is False:
        values["no"] = "bias"
    return ", ".join(f"{name.replace('_', ' ')} {_shape(value)}" for name, value in values.items())


def _shape(value: Shape | object) -> str:
    return " x ".join(map(str, value)) if isinstance(value, tuple) else str(value)
