"""The learning curves of a task's rows, and the distances between them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compare.analysis.rows import Row
from compare.page.drawing import Drawing
from compare.report.chart_parts import Look, line_chart, make_chart, row_colors, row_dashes, step_axis, thin_line
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


def draw_curves(rows: Sequence[Row], looks: Sequence[Look], arrays: Sequence[Arrays]) -> Drawing | None:
    losses, unit = losses_of(rows, arrays)
    values = [
        {"row": look.name, "x": x, "loss": loss}
        for look, line in zip(looks, losses, strict=True)
        for x, loss in thin_line(line[np.isfinite(line)], np.mean)
    ]
    if not values:
        return None
    chart = line_chart(values, looks, unit, "loss", "training loss").encode(strokeDash=row_dashes(looks))
    caption = (
        f"Training loss by {unit} of each row's first run{', averaged where steps are many' * (unit == 'step')}."
        " Overlapping lines are expected: the models are the same."
    )
    return Drawing("learning-curves", "Learning curves", caption, chart)


def draw_time(rows: Sequence[Row], looks: Sequence[Look]) -> Drawing | None:
    """The training loss over the seconds since the process began; None where no run has two epochs."""
    import altair

    values: list[dict[str, Any]] = []
    for row, look in zip(rows, looks, strict=True):
        run = row.completed[0]
        if run.first_epoch_end_seconds is None or not run.epoch_seconds:
            continue
        start, epoch = run.first_epoch_end_seconds, float(np.median(run.epoch_seconds))
        points = thin_line(np.array(run.losses, np.float64), np.mean)
        values += [{"row": look.name, "seconds": start + (at - 1) * epoch, "loss": loss} for at, loss in points]
    if len(values) <= len(rows):
        return None
    chart = (
        make_chart(values)
        .mark_line(strokeWidth=2, point=len(values) <= 10 * len(rows))
        .encode(
            x=altair.X("seconds:Q", title="seconds since the process began", axis=altair.Axis(tickCount=6)),
            y=altair.Y("loss:Q", title="training loss", scale=altair.Scale(zero=False)),
            color=row_colors(looks),
            strokeDash=row_dashes(looks),
        )
    )
    caption = (
        "The mean training loss of each epoch of each row's first run, at the second at which the epoch ended: the"
        " first with import and compilation, each later one after the median epoch's time."
    )
    return Drawing("loss-by-time", "Loss against time", caption, chart)


def draw_distances(rows: Sequence[Row], looks: Sequence[Look], arrays: Sequence[Arrays]) -> Drawing | None:
    import altair

    if len(rows) < 2:
        return None
    losses, unit = losses_of(rows, arrays)
    reference, seed = losses[0], rows[0].completed[0].seed
    values: list[dict[str, Any]] = []
    equal = incomparable = 0
    for look, row, line in list(zip(looks, rows, losses, strict=True))[1:]:
        if line.shape != reference.shape or row.workload != rows[0].workload or row.completed[0].seed != seed:
            incomparable += 1
            continue
        points = [(x, y) for x, y in thin_line(np.abs(line - reference), np.max) if np.isfinite(y)]
        equal += sum(y == 0 for _, y in points)
        values += [{"row": look.name, "x": x, "distance": y} for x, y in points if y > 0]
    if not values:
        return None
    powers = altair.Axis(format=".0e", values=[10.0**power for power in range(-16, 7)])
    chart = (
        make_chart(values)
        .mark_line(strokeWidth=2, point=len(values) <= 10 * len(rows))
        .encode(
            x=step_axis(unit, values),
            y=altair.Y("distance:Q", title="distance of the losses", scale=altair.Scale(type="log"), axis=powers),
            color=row_colors(looks[1:]),
            strokeDash=row_dashes(looks[1:]),
        )
    )
    caption = f"Distance of each row's loss from that of {looks[0].name}, by {unit}."
    caption += f" Where {unit}s are grouped, the largest difference is drawn."
    if equal:
        caption += f" {equal} points at which they are equal to the last bit have no place on a logarithmic axis."
    if incomparable:
        left = "1 row is" if incomparable == 1 else f"{incomparable} rows are"
        caption += f" {left} left out: with another workload, seed or number of steps."
    return Drawing("distances", "Distance between the learning curves", clean(caption), chart)
