"""The comparison of two models in sentences and as a table."""

from compare.records.port import ROUNDING, LayerPair, Port
from compare.report.layout import TextColumn


def answer(port: Port) -> list[str]:
    """The answer first: whether the port is right and, if not, where it differs first and why."""
    if port.right or port.steps:
        same = (
            f"{port.second} is the model {port.first}, but for rounding: their outputs are {port.output:.1e} apart in"
            f" float64 and {_figure(port.output_float32)} in float32, relative to their size."
        )
        return [same, *_training(port)]
    said = []
    for side, names in zip((port.first, port.second), port.unpaired, strict=True):
        if names:
            said.append(
                f"Without a counterpart in the other model, of the same kind and shapes in the same place: {side}'s"
                f" {', '.join(names)}."
            )
    for at, layer in enumerate(port.differences):
        begin = "First difference" if not at else "A further difference"
        said.append(f"{begin}: {layer.first} of {port.first} and {layer.second} of {port.second}. {_why(port, layer)}")
    if not port.differences:
        apart = "of another shape" if port.output is None else f"{port.output:.1e} apart"
        said.append(
            f"The layers agree but for rounding, and the models' outputs are {apart}: the difference is in what the"
            " models do after their last layer."
        )
    return said


def _training(port: Port) -> list[str]:
    """What is said of the steps of training; nothing where there are none."""
    if not port.steps:
        return []
    wrong = next((step for step in port.steps if step.differs), None)
    if wrong is None:
        steps = "the one step" if len(port.steps) == 1 else f"{len(port.steps)} steps"
        return [f"They train alike: losses, gradients, updates and states of {steps} are the same but for rounding."]
    first = next((a for a in wrong.arrays if a.gradient_differs), None) or next(
        (a for a in wrong.arrays if a.update_differs), None
    )
    if wrong.loss_differs:
        one, other = wrong.losses
        said = f"In training, the losses of step {wrong.step} differ first: {one:.6g} and {other:.6g}."
    else:
        assert first is not None
        what = "gradient" if first.gradient_differs else "update" if first.gradient is not None else "state"
        figure = first.gradient if first.gradient_differs else first.update
        said = (
            f"In training, the {what} of {first.name} in step {wrong.step} differs first, of {first.first} and"
            f" {first.second}: {_figure(figure)} apart, relative to its size."
        )
    if port.training_causes:
        return [f"{said} Explained by: {' and '.join(port.training_causes)}."]
    return [f"{said} No cause that is known explains it."]


def _why(port: Port, layer: LayerPair) -> str:
    if layer.carried is None:
        return "Their outputs have different shapes."
    apart = f"Their outputs are {layer.carried:.1e} apart in float64, where rounding is below {ROUNDING:.0e}."
    if not layer.by_itself:
        before = port.before(layer)
        where = f"between {before.first} and {layer.first}" if before is not None else f"before {layer.first}"
        return (
            f"{apart} Given the same input they agree, so the difference is in what the models themselves do {where}:"
            " an activation, a padding, another shape or order."
        )
    if layer.causes:
        return f"{apart} Explained by: {' and '.join(layer.causes)}; with that undone, they agree but for rounding."
    notes = [f"{name} {one} and {other}" for name, (one, other) in layer.settings.items()]
    notes += [layer.note] if layer.note else []
    seen = f" They were made otherwise: {'; '.join(notes)}." if notes else ""
    return f"{apart} Given the same input they differ, and no cause that is known explains it.{seen}"


def notes(port: Port) -> list[str]:
    """What was done so that the models could be compared."""
    if not port.reordered:
        return []
    return [
        f"The rows of {', '.join(port.reordered)} were put in the order in which {port.second} flattens its image: one"
        " of the two models flattens channels first, the other channels last."
    ]


def table(port: Port) -> tuple[TextColumn, list[TextColumn]]:
    """A row for each pair of layers."""
    layers = port.layers
    return TextColumn("layer of the first", [layer.first for layer in layers], right=False), [
        TextColumn("layer of the second", [layer.second for layer in layers], right=False),
        TextColumn("kind", [layer.kind for layer in layers], right=False),
        TextColumn("distance", [_figure(layer.carried) for layer in layers]),
        TextColumn("given the same input", [_figure(layer.own) for layer in layers]),
    ]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.1e}"
