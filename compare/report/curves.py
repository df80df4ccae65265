"""The learning curves of a task's rows, and the distances between them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compare.analysis.rows import Row
from compare.page.drawing import Drawing
from compare.report.chart_parts import line_chart, make_chart, row_colors, row_dashes, step_axis, thin_line
from compare.text import clean

Arrays = dict[str, NDArray[Any]]


def losses_of(rows: Sequence[Row], arrays: Sequence[Arrays]) -> tuple[list[NDArray[np.float64]], str]:
    """The losses of each row's first run, shape (n,), and what each is of: ``step``, or ``epoch`` for an epoch's mean.

    They are of steps if every row has the losses of its steps.
    """
    steps = [array.get("step_losses") for array in arrays]
    if all(s is not None and s.ndim == 2 and s.shape[1] > 1 for s in steps):
        return [s.ravel().astype(np.float64) for s in steps if s is not None], "step"
    return [np.array(row.completed[0].losses, np.float64) for row in rows], "epoch"


def draw_curves(rows: Sequence[Row], names: Sequence[str], arrays: Sequence[Arrays]) -> Drawing | None:
    losses, unit = losses_of(rows, arrays)
    values = [
        {"row": name, "x": x, "loss": loss}
        for name, line in zip(names, losses, strict=True)
        for x, loss in thin_line(line[np.isfinite(line)], np.mean)
    ]
    if not values:
        return None
    chart = line_chart(values, names, unit, "loss", "training loss")
    caption = (
        f"Training loss by {unit} of each row's first run{', averaged where steps are many' * (unit == 'step')}."
        " Lines that lie on top of each other are expected: the models are the same."
    )
    return Drawing("learning-curves", "Learning curves", caption, chart)


def draw_distances(rows: Sequence[Row], names: Sequence[str], arrays: Sequence[Arrays]) -> Drawing | None:
    import altair

    if len(rows) < 2:
        return None
    losses, unit = losses_of(rows, arrays)
    reference, seed = losses[0], rows[0].completed[0].seed
    values: list[dict[str, Any]] = []
    equal = incomparable = 0
    for name, row, line in list(zip(names, rows, losses, strict=True))[1:]:
        if line.shape != reference.shape or row.workload != rows[0].workload or row.completed[0].seed != seed:
            incomparable += 1
            continue
        points = [(x, y) for x, y in thin_line(np.abs(line - reference), np.max) if np.isfinite(y)]
        equal += sum(y == 0 for _, y in points)
        values += [{"row": name, "x": x, "distance": y} for x, y in points if y > 0]
    if not values:
        return None
    powers = altair.Axis(format=".0e", values=[10.0**power for power in range(-16, 7)])
    chart = (
        make_chart(values)
        .mark_line(strokeWidth=2, point=len(values) <= 10 * len(rows))
        .encode(
            x=step_axis(unit, values),
            y=altair.Y("distance:Q", title="distance of the losses", scale=altair.Scale(type="log"), axis=powers),
            color=row_colors(names, omit=1),
            strokeDash=row_dashes(names),
        )
    )
    caption = f"Distance of each row's loss from that of {names[0]}, by {unit}."
    caption += f" A point that stands for several {unit}s shows their largest distance."
    if equal:
        caption += f" {equal} points at which they are equal to the last bit have no place on a logarithmic axis."
    if incomparable:
        left = "1 row is" if incomparable == 1 else f"{incomparable} rows are"
        caption += f" {left} left out: with another workload, seed or number of steps."
    return Drawing("distances", "Distance between the learning curves", clean(caption), chart)
