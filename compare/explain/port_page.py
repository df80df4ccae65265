"""The comparison of two models as a web page that needs nothing but itself: its answer, a chart and a table."""

from pathlib import Path
from typing import Any

from compare.explain import port_text
from compare.page.drawing import INK, LIGHT, color_rules, inline
from compare.page.page import read_style, render_page
from compare.records.port import ROUNDING, Port
from tasks.files import write_whole

SMALLEST = 1e-17
"""What is drawn of a distance of 0."""
_CAPTION = "How far apart the two models' layers are"


def write_page(port: Port, path: Path) -> None:
    """Writes the page; the file is whole or not there at all. Raises OSError where it cannot be written."""
    write_whole(path, render(port).encode())


def render(port: Port) -> str:
    """The page as text."""
    first, columns = port_text.table(port)
    values = {
        "title": f"{port.first} and {port.second}",
        "answer": port_text.answer(port),
        "notes": port_text.notes(port),
        "headings": [first.heading, *(column.heading for column in columns)],
        "rows": list(zip(first.cells, *(column.cells for column in columns), strict=True)),
        "chart": inline(distances_chart(port), _CAPTION) if port.layers else "",
        "rounding": f"{ROUNDING:.0e}",
    }
    return render_page("pair.html.j2", read_style("report.css") + color_rules(), values)


def distances_chart(port: Port) -> Any:
    """The distance of each layer on logarithmic paper: of the models' own outputs, and given the same input."""
    import altair as alt

    kinds = ["in the models", "given the same input"]
    names = [f"{at}. {layer.first}" for at, layer in enumerate(port.layers, start=1)]
    values = [
        {"layer": name, "kind": kind, "distance": max(distance, SMALLEST)}
        for name, layer in zip(names, port.layers, strict=True)
        for kind, distance in zip(kinds, (layer.carried, layer.own), strict=True)
        if distance is not None
    ]
    axis = alt.Axis(format="~e", tickCount=8)
    points = (
        alt.Chart(alt.Data(values=values))
        .mark_point(filled=True, size=70)
        .encode(
            x=alt.X("layer:N", sort=names, title="layer, in the order of execution", axis=alt.Axis(labelAngle=-40)),
            y=alt.Y("distance:Q", scale=alt.Scale(type="log"), title="distance in float64", axis=axis),
            color=alt.Color("kind:N", sort=kinds, title=None, scale=alt.Scale(domain=kinds, range=list(LIGHT[:2]))),
            shape=alt.Shape(
                "kind:N", sort=kinds, title=None, scale=alt.Scale(domain=kinds, range=["circle", "square"])
            ),
        )
    )
    line = alt.Chart(alt.Data(values=[{"distance": ROUNDING}])).mark_rule(strokeDash=[4, 4], color=INK)
    chart = alt.layer(line.encode(y="distance:Q"), points)
    return chart.properties(width=max(320, min(40 * len(names), 900)), height=300).configure_legend(
        orient="bottom", columnPadding=60
    )
