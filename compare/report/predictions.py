"""The chart of a regression: predicted numbers against those of the test set."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compare.analysis.rows import Row
from compare.page.drawing import INK, Drawing
from compare.report.chart_parts import Look, make_chart, row_colors, row_shapes

EXAMPLES = 200
"""Test examples of which each row has a point, the first of them."""


def draw_predictions(
    rows: Sequence[Row], looks: Sequence[Look], arrays: Sequence[Mapping[str, NDArray[Any]]]
) -> Drawing | None:
    """What each row's first run predicts for the test set; None where classes are predicted, or nothing was kept."""
    import altair

    values: list[dict[str, Any]] = []
    more = False
    for row, look, kept in zip(rows, looks, arrays, strict=True):
        labels, predictions = kept.get("labels", np.empty(0)), kept.get("predictions", np.empty(0))
        if row.measure == "accuracy" or labels.ndim != 1 or labels.shape != predictions.shape:
            continue
        pairs = np.stack([labels, predictions], axis=1)[:EXAMPLES].astype(np.float64)
        more |= len(labels) > EXAMPLES
        values += [{"row": look.name, "x": x, "y": y} for x, y in pairs[np.isfinite(pairs).all(axis=1)].tolist()]
    if not values:
        return None
    ends = [reduce(value["x"] for value in values) for reduce in (min, max)]
    x = altair.X("x:Q", title="value in the test set", scale=altair.Scale(zero=False))
    y = altair.Y("y:Q", title="predicted value", scale=altair.Scale(zero=False))
    right = make_chart([{"x": end, "y": end} for end in ends], 300).mark_line(color=INK, strokeWidth=1).encode(x=x, y=y)
    points = make_chart(values, 300).mark_point(size=40, opacity=0.7)
    points = points.encode(x=x, y=y, color=row_colors(looks), shape=row_shapes(looks))
    caption = (
        "What each row's first run predicts for the examples of the test set; on the line a prediction is right."
        " Overlapping points are expected: the models are the same."
    )
    if more:
        caption += f" Only the first {EXAMPLES} examples are drawn."
    return Drawing("predictions", "Predicted values", caption, altair.layer(right, points))
