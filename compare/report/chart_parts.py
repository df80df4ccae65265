"""What the charts of a report have in common: names of rows, axes, and how rows are told apart.

A framework has one colour in all charts, a loop one shape of points and one kind of line. The colours are after Okabe
and Ito, for every colour vision.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from numpy.typing import NDArray

from compare.analysis.rows import Row
from compare.analysis.sections import Section
from compare.page.drawing import LIGHT

COLORS = dict(zip(("jax", "pytorch", "numpy", "keras"), LIGHT, strict=False))
"""A framework's colour; others take the rest in alphabetical order."""
SHAPES = {
    "tuned": ("circle", "diamond", "triangle-up", "triangle-right"),
    "stock": ("square", "cross", "triangle-down"),
}
DASHES = {"tuned": ([1, 0], [10, 2], [8, 3, 2, 3]), "stock": ([4, 3], [1, 3], [4, 1])}
"""A loop's shape and kind of line; those after the first are for more rows of one framework and loop."""
POINTS = 120
"""Points of one line: more than a screen shows, and few enough for the page."""
LONGEST_NAME = 28


@dataclass(frozen=True)
class Look:
    """How a row is drawn in every chart.

    Attributes:
        name: different for each row, and short enough for an axis or a legend.
        framework: the name without the loop.
        color: of its framework.
        shape: of its loop's points.
        dash: of its loop's lines.
    """

    name: str
    framework: str
    color: str
    shape: str
    dash: list[int]


def looks_of(section: Section, rows: Sequence[Row]) -> list[Look]:
    """The looks of some of a section's rows."""
    named = [
        (row, _short(section.label(row)) + ("" if row.verified else " (unverified)"), _short(section.framework(row)))
        for row in rows
    ]
    return make_looks(named, section.backends)


def make_looks(rows: Iterable[tuple[Row, str, str]], backends: Sequence[str]) -> list[Look]:
    """The looks of rows, each with its name and its framework's; equal names become different ones.

    Args:
        rows: what is drawn.
        backends: all of the comparison, so that each has one colour in all its charts.
    """
    others = [name for name in backends if name not in COLORS]
    colors = COLORS | dict(zip(others, cycle(LIGHT[len(COLORS) :]), strict=False))
    used: Counter[tuple[str, str]] = Counter()
    found: list[Look] = []
    places: set[tuple[str, str]] = set()
    for row, name, framework in rows:
        backend, mode, _ = row.key
        at = used[backend, mode]
        used[backend, mode] += 1
        shapes, dashes = SHAPES.get(mode, SHAPES["tuned"]), DASHES.get(mode, DASHES["tuned"])
        while any(name == other.name for other in found):
            name += "'"
        while (framework, mode) in places:
            framework += "'"
        places.add((framework, mode))
        color = colors.get(backend, LIGHT[-1])
        found.append(Look(name, framework, color, shapes[at % len(shapes)], dashes[at % len(dashes)]))
    return found


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def make_chart(values: list[dict[str, Any]], height: int = 240) -> Any:
    """An empty Altair chart of the values; all charts of a report are equally wide."""
    import altair

    return altair.Chart(altair.Data(values=values), width=440, height=height)


def line_chart(
    values: list[dict[str, Any]], looks: Sequence[Look], unit: str, field: str, title: str, *, lines: int = 1
) -> Any:
    """One line or several for each row over the steps or epochs ``x``, with points where there are few.

    Equal curves lie on each other: each is drawn narrower than the one below it, so that all are seen.
    """
    import altair

    names = [look.name for look in looks]
    widths = altair.Scale(domain=names, range=[1.5 + 2.5 * min(len(names) - 1, 3), 1.5])
    low, high = (reduce(value[field] for value in values) for reduce in (min, max))
    room = 0.0 if low < high else abs(low) / 10 or 0.1  # around what does not change, Vega makes none
    domain = {"domain": [low - room, high + room]} if room else {}
    chart = make_chart(values).mark_line(point=len(values) <= 10 * lines * len(names))
    return chart.encode(
        x=step_axis(unit, values),
        y=altair.Y(f"{field}:Q", title=title, scale=altair.Scale(zero=False, **domain)),
        color=row_colors(looks),
        strokeWidth=altair.StrokeWidth("row:N", scale=widths, title=None),
    )


def step_axis(unit: str, values: Sequence[dict[str, Any]]) -> Any:
    """The horizontal axis of a training: the field ``x`` counts steps or epochs from 1."""
    import altair

    last = int(max(value["x"] for value in values))
    ticks: dict[str, Any] = {"values": list(range(1, last + 1))} if last <= 10 else {"tickCount": 6}
    return altair.X("x:Q", title=unit, axis=altair.Axis(format=",d", **ticks))


def row_colors(looks: Sequence[Look], *, legend: bool = True) -> Any:
    """The colour of each row, the field ``row``."""
    return _by_row("Color", looks, "color", **({} if legend else {"legend": None}))


def row_shapes(looks: Sequence[Look], *, legend: bool = True) -> Any:
    """The shape of each row's points."""
    return _by_row("Shape", looks, "shape", **({} if legend else {"legend": None}))


def row_dashes(looks: Sequence[Look]) -> Any:
    """The kind of each row's line."""
    return _by_row("StrokeDash", looks, "dash")


def _by_row(channel: str, looks: Sequence[Look], field: str, **options: Any) -> Any:
    import altair

    scale = altair.Scale(domain=[look.name for look in looks], range=[getattr(look, field) for look in looks])
    return getattr(altair, channel)("row:N", scale=scale, title=None, **options)


def thin_line(values: NDArray[Any], reduce: Callable[..., Any]) -> list[tuple[int, float]]:
    """The values of steps 1, 2, ... as at most ``POINTS`` points; each stands for the steps up to it.

    Args:
        values: one per step, shape (n,).
        reduce: makes one value of several, as a mean or a maximum does.
    """
    size = max(1, -(-len(values) // POINTS))
    return [(min(at + size, len(values)), float(reduce(values[at : at + size]))) for at in range(0, len(values), size)]
