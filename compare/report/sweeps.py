"""A sweep as a table and as a chart: speed, share of peak matrix-multiply speed and accuracy over the swept values."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from compare.analysis.rows import Row, measure_of
from compare.analysis.sweeps import Sweep
from compare.page.drawing import Drawing
from compare.report.chart_parts import make_looks, row_colors, row_dashes
from compare.report.columns import COLUMNS, Column
from compare.report.layout import TextColumn, print_line, print_table

_SHOWN = ("examples_per_second", "matrix_share", "accuracy")
SWEPT_COLUMNS = tuple(sorted((c for c in COLUMNS if c.name in _SHOWN), key=lambda column: _SHOWN.index(column.name)))
LINES = 8
"""Rows of which a chart has a line; more cannot be told apart."""
PANELS = 5
"""Values of the keys besides the first for which a chart has a panel each."""
_TITLES = {
    "examples_per_second": "examples a second",
    "matrix_share": "share of peak",
}
_FORMATS = {"examples_per_second": "~s", "matrix_share": ".2~p", "accuracy": ".4~f"}


def sweep_table(sweep: Sweep) -> tuple[list[str], list[list[str]]]:
    """The table of a sweep as text: its headings, and a list of cells for each row."""
    rows = [row for _, _, row in sweep.rows]
    headings = [*sweep.keys, "backend", *(column.title(rows) for column in SWEPT_COLUMNS), "certificate"]
    lines = [
        [*values, name, *(str(column.figure(row)) for column in SWEPT_COLUMNS), row.certificate_text.partition(":")[0]]
        for values, name, row in sweep.rows
    ]
    return headings, lines


def print_sweep(sweep: Sweep, console: Console) -> None:
    """Prints a sweep as one table, and whose speeds are in doubt."""
    print_line(sweep.heading, console, style="bold")
    console.print()
    headings, lines = sweep_table(sweep)
    if lines:
        right = len(sweep.keys)  # the backend's name stands on the left, as does the certificate
        cells = zip(*lines, strict=True)
        columns = [
            TextColumn(name, list(column), right=at not in (right, len(headings) - 1))
            for at, (name, column) in enumerate(zip(headings, cells, strict=True))
        ]
        print_table(columns[0], columns[1:], console)
    console.print()
    warnings: dict[str, list[str]] = {}
    for point in sweep.points:
        for who, warning in point.section.warnings:
            line = f"{' '.join([*point.values, who])}: {warning}"
            warnings.setdefault(warning.partition(":")[0], []).append(line)
    for first, *others in warnings.values():  # of each kind one: a sweep may have hundreds
        more = f" (and {len(others)} other row{'s' * (len(others) > 1)}, named in the report's page)" if others else ""
        print_line(first + more, console, indent=2)


def draw_sweep(sweep: Sweep) -> Drawing | None:
    """A line for each backend over the values of the first key; panels beside each other for those of the others.

    Drawn are certified rows; the caption says how many are left out.
    """
    import altair

    names, verified = sweep.names[:LINES], [point for point in sweep.rows if point[2].verified]
    panels = list(dict.fromkeys(values[1:] for values, _, _ in verified))[:PANELS]
    points = [(values, name, row) for values, name, row in verified if name in names and values[1:] in panels]
    drawn = [column for column in SWEPT_COLUMNS if any(column.figure(row).value is not None for _, _, row in points)]
    if not drawn:
        return None
    rows = [row for _, _, row in points]
    titles = {column.name: _TITLES.get(column.name, column.title(rows)) for column in drawn}
    over = list(dict.fromkeys(values[0] for values, _, _ in sweep.rows))
    widths = altair.Scale(domain=names, range=[1.5 + min(len(names) - 1, 3), 1.5])  # equal lines are all seen
    by_name = {name: row for _, name, row in sweep.rows}
    looks = make_looks(((by_name[name], name, name) for name in names), sweep.points[0].section.backends)
    lines = []
    for column in drawn:
        beside: list[altair.Chart] = []
        for at in panels:
            own = [(values[0], name, row) for values, name, row in points if values[1:] == at]
            figures = [{"row": name, "x": value, "y": column.figure(row).value} for value, name, row in own]
            title = ", ".join(f"{key} {value}" for key, value in zip(sweep.keys[1:], at, strict=True))
            chart = altair.Chart(altair.Data(values=figures), height=150)
            chart = chart.properties(width=440 if len(panels) == 1 else max(130, 520 // len(panels)))
            if column is drawn[0]:
                chart = chart.properties(title=title)
            # Accuracies have one scale for all panels; speeds may be a hundred times apart.
            scale = _scale(column, rows if column.name == "accuracy" else [row for _, _, row in own])
            axis = altair.Axis(format=_FORMATS[column.name], tickCount=4, minExtent=48)
            name_of_x = sweep.keys[0] if column is drawn[-1] else None
            x = altair.X("x:N", sort=over, scale=altair.Scale(domain=over), title=name_of_x, axis={"labelAngle": 0})
            name_of_y = None if beside else titles[column.name]
            y = altair.Y("y:Q", title=name_of_y, scale=scale, axis=axis)
            width = altair.StrokeWidth("row:N", scale=widths, title=None)
            line = chart.mark_line(point={"size": 45}).encode(x=x, y=y, color=row_colors(looks), strokeWidth=width)
            beside.append(line.encode(strokeDash=row_dashes(looks)))
        lines.append(altair.hconcat(*beside))
    others = f"; beside each other the values of {' and '.join(sweep.keys[1:])}" if sweep.keys[1:] else ""
    caption = (
        f"Over {sweep.keys[0]}, a line for each backend{others}. Medians; {measure_of(rows)} is the mean over seeds."
        " The share is of the machine's peak matrix-multiply speed."
    )
    if left := len(sweep.rows) - len(points):
        caption += f" {left} of {len(sweep.rows)} rows are not drawn: they are not certified, or more than fit."
    chart = altair.vconcat(*lines).configure_legend(orient="bottom", columns=4)
    return Drawing("sweep", f"Sweep of {' and '.join(sweep.keys)}", caption, chart)


def _scale(column: Column, rows: Sequence[Row]) -> Any:
    """The scale of a column for these rows; from 0 on, but for the accuracy."""
    import altair

    figures = [figure for row in rows if (figure := column.figure(row).value) is not None] or [0.0]
    low, high = min(figures) if column.name == "accuracy" else 0.0, max(figures)
    room = 0.0 if low < high else abs(low) / 10 or 0.1  # around what does not change, Vega makes none
    return altair.Scale(domain=[low - room, high + room], nice=True, zero=False)
