"""What the charts of a report have in common: names of rows, axes, and how rows are told apart.

Rows are told apart by colour and by shape, dash or width, in colours after Okabe and Ito, for every colour vision.
"""

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from compare.analysis.rows import Row
from compare.analysis.sections import Section
from compare.page.drawing import LIGHT

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 1], [1, 3], [10, 2], [3, 6])
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")
POINTS = 120
"""Points of one line: more than a screen shows, and few enough for the page."""
LONGEST_NAME = 28


def row_names(section: Section, rows: Sequence[Row]) -> list[str]:
    """A different name for each row, short enough for an axis or a legend."""
    names: list[str] = []
    for row in rows:
        name = section.label(row)
        name = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        name += "" if row.verified else " (unverified)"
        while name in names:
            name += "'"
        names.append(name)
    return names


def make_chart(values: list[dict[str, Any]], height: int = 240) -> Any:
    """An empty Altair chart of the values; all charts of a report are equally wide."""
    import altair

    return altair.Chart(altair.Data(values=values), width=440, height=height)


def line_chart(
    values: list[dict[str, Any]], names: Sequence[str], unit: str, field: str, title: str, *, lines: int = 1
) -> Any:
    """One line or several for each row over the steps or epochs ``x``, with points where there are few.

    Equal curves lie on each other: each is drawn narrower than the one below it, so that all are seen.
    """
    import altair

    widths = altair.Scale(domain=list(names), range=[1.5 + 2.5 * min(len(names) - 1, 3), 1.5])
    low, high = (reduce(value[field] for value in values) for reduce in (min, max))
    room = 0.0 if low < high else abs(low) / 10 or 0.1  # around what does not change, Vega makes none
    domain = {"domain": [low - room, high + room]} if room else {}
    chart = make_chart(values).mark_line(point=len(values) <= 10 * lines * len(names))
    return chart.encode(
        x=step_axis(unit, values),
        y=altair.Y(f"{field}:Q", title=title, scale=altair.Scale(zero=False, **domain)),
        color=row_colors(names),
        strokeWidth=altair.StrokeWidth("row:N", scale=widths, title=None),
    )


def step_axis(unit: str, values: Sequence[dict[str, Any]]) -> Any:
    """The horizontal axis of a training: the field ``x`` counts steps or epochs from 1."""
    import altair

    last = int(max(value["x"] for value in values))
    ticks: dict[str, Any] = {"values": list(range(1, last + 1))} if last <= 10 else {"tickCount": 6}
    return altair.X("x:Q", title=unit, axis=altair.Axis(format=",d", **ticks))


def row_colors(names: Sequence[str], *, legend: bool = True, omit: int = 0) -> Any:
    """A colour for each row, the field ``row``; the first rows may be omitted, the others keep their colours."""
    import altair

    scale = altair.Scale(domain=list(names[omit:]), range=list(LIGHT[omit : len(names)]))
    return altair.Color("row:N", scale=scale, title=None, **({} if legend else {"legend": None}))


def row_shapes(names: Sequence[str]) -> Any:
    """A shape of points for each row."""
    import altair

    scale = altair.Scale(domain=list(names), range=list(SHAPES[: len(names)]))
    return altair.Shape("row:N", scale=scale, title=None)


def row_dashes(names: Sequence[str]) -> Any:
    """A dash for each row but the first."""
    import altair

    scale = altair.Scale(domain=list(names[1:]), range=list(DASHES[: len(names) - 1]))
    return altair.StrokeDash("row:N", scale=scale, title=None)


def thin_line(values: NDArray[Any], reduce: Callable[..., Any]) -> list[tuple[int, float]]:
    """The values of steps 1, 2, ... as at most ``POINTS`` points; each stands for the steps up to it.

    Args:
        values: one per step, shape (n,).
        reduce: makes one value of several, as a mean or a maximum does.
    """
    size = max(1, -(-len(values) // POINTS))
    return [(min(at + size, len(values)), float(reduce(values[at : at + size]))) for at in range(0, len(values), size)]
