"""The weights and biases of a task's rows after training: statistics and a histogram of each, all rows together."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from compare.analysis.sections import Section
from compare.records.weights import WeightsSummary, weights_in_arrays
from compare.report.arrays import first_arrays
from compare.report.chart_parts import Look, looks_of, row_colors
from compare.report.charts import PADDING, ROWS
from tasks.layers import Shape

WIDTHS = {3: 126, 2: 205}
"""Of a histogram, in pixels, by how many stand side by side: three where the names are short enough."""
HEIGHT, SHORT_NAME = 60, 20


@dataclass(frozen=True)
class ShownWeights:
    """One kernel or bias of a network, in all rows.

    Attributes:
        name: ``"<layer>/<kernel|bias>"``.
        shape: in the canonical layout.
        rows: names of rows, each with its summary.
        chart: an Altair chart of the histograms.
    """

    name: str
    shape: Shape
    rows: list[tuple[str, WeightsSummary]]
    chart: Any

    @property
    def count(self) -> int:
        """The number of its values."""
        return prod(self.shape)


def section_weights(section: Section, folder: Path | None) -> list[ShownWeights]:
    """What the arrays in the run's folder hold of the weights and biases of each row's first run.

    Args:
        section: the task's rows.
        folder: of the run; None where it is not at hand.
    """
    rows = [row for row in section.rows if row.completed][:ROWS]
    looks = looks_of(section, rows)
    found: dict[tuple[str, Shape], list[tuple[str, WeightsSummary]]] = {}
    for look, arrays in zip(looks, first_arrays(rows, folder), strict=True):
        for parameter, summary in weights_in_arrays(arrays).items():
            found.setdefault((parameter, summary.shape), []).append((look.name, summary))
    return [
        ShownWeights(parameter, shape, of_rows, _histograms(of_rows, looks).properties(padding=PADDING))
        for (parameter, shape), of_rows in found.items()
    ]


def _histograms(rows: Sequence[tuple[str, WeightsSummary]], looks: Sequence[Look]) -> Any:
    """Each row's histogram in its own frame, all on the same axes."""
    import altair

    values: list[dict[str, Any]] = []
    for name, summary in rows:
        counts, edges = summary.counts.tolist(), summary.edges.tolist()
        values += [{"row": name, "x": x, "count": n} for x, n in zip(edges, [*counts, counts[-1]], strict=True)]
    most = max(value["count"] for value in values)
    columns = 3 if max(len(name) for name, _ in rows) <= SHORT_NAME else 2
    width = WIDTHS[columns]
    across = altair.Axis(
        tickCount=3,
        labelOverlap=True,
        labelSeparation=6,
        grid=False,
        labelFontSize=11,
        titleFontSize=11,
        titlePadding=4,
    )
    up = altair.Axis(values=[0, most], format=",d", labelFontSize=11, titleFontSize=11)
    chart = altair.Chart(width=width, height=HEIGHT).mark_area(interpolate="step-after")
    chart = chart.encode(
        x=altair.X("x:Q", title="value", scale=altair.Scale(zero=False), axis=across),
        y=altair.Y("count:Q", title="values", axis=up, stack=None),
        color=row_colors(looks, legend=False),
    )
    header = altair.Header(title=None, labelAnchor="start", labelFontSize=12, labelLimit=width, labelPadding=2)
    by_row = altair.Facet("row:N", sort=[look.name for look in looks], header=header)
    return chart.facet(facet=by_row, columns=columns, data=altair.Data(values=values), spacing=16)
