"""An explanation as a web page that needs nothing but itself: its table, its causes, and a chart of the distances."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends.registry import about
from compare.explain import table
from compare.page.drawing import INK, LIGHT, color_rules, inline
from compare.page.page import read_style, render_page
from compare.records.effect import Explanation
from tasks.files import write_whole

MOST = 8
"""Defaults that the chart has, the largest: there are as many colours."""
_SMALLEST = 1e-8


def write_page(explanation: Explanation, path: Path) -> None:
    """Writes the page; the file is whole or not there at all. Raises OSError where it cannot be written."""
    write_whole(path, render(explanation).encode())


def render(explanation: Explanation) -> str:
    """The page as text."""
    values = {
        "title": table.title(explanation),
        "answer": table.answer(explanation),
        "headings": table.headings(explanation),
        "rows": table.rows(explanation),
        "causes": table.causes(explanation),
        "silent": table.silent(explanation),
        "how": table.how(explanation),
        "chart": inline(distances_chart(explanation), "How far each default leads, step by step"),
        "left_out": max(len(explanation.effects) - MOST, 0),
    }
    return render_page("explain.html.j2", read_style("report.css") + color_rules(), values)


def fragment(explanation: Explanation) -> str:
    """The answer, the table and the chart for a notebook's cell."""
    from markupsafe import Markup, escape

    heads = Markup("").join(Markup("<th>{}</th>").format(heading) for heading in table.headings(explanation))
    lines = [Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row) for row in table.rows(explanation)]
    body = Markup("").join(Markup("<tr>{}</tr>").format(line) for line in lines)
    chart = inline(distances_chart(explanation), "How far each default leads, step by step") if lines else ""
    style = Markup("<style>{}</style>").format(Markup(color_rules()))
    return str(
        Markup('<div id="sidebyside" class="sidebyside">{}<p><b>{}</b></p><table><tr>{}</tr>{}</table>{}</div>').format(
            style, escape(table.answer(explanation)), heads, body, chart
        )
    )


def distances_chart(explanation: Explanation) -> Any:
    """The distances from the aligned model over the steps, on logarithmic paper, with how far rounding leads."""
    import altair as alt

    names = [f"{about(effect.framework).label}: {effect.name}" for effect in explanation.effects[:MOST]]
    aligned = next(iter(explanation.aligned.values()))
    curves: list[tuple[str, Sequence[int], Sequence[float]]] = [
        (name, effect.figures.steps, effect.figures.distances)
        for name, effect in zip(names, explanation.effects, strict=False)
    ]
    curves.append(("rounding alone", aligned.steps, aligned.noise))
    points = alt.Data(
        values=[
            {"default": name, "step": step, "distance": max(distance, _SMALLEST)}
            for name, steps, distances in curves
            for step, distance in zip(steps, distances, strict=False)
        ]
    )
    order = [name for name, _, _ in curves]
    inks = [*LIGHT[: len(curves) - 1], INK]
    return (
        alt.Chart(points)
        .mark_line(point=alt.OverlayMarkDef(size=16))
        .encode(
            x=alt.X("step:Q", title="training step"),
            y=alt.Y(
                "distance:Q",
                scale=alt.Scale(type="log"),
                title="distance from the aligned model",
                axis=alt.Axis(format="~e", tickCount=8),
            ),
            color=alt.Color("default:N", sort=order, title=None, scale=alt.Scale(domain=order, range=inks)),
            strokeDash=alt.condition(alt.datum.default == "rounding alone", alt.value([4, 4]), alt.value([1, 0])),
        )
        .properties(width=620, height=320)
        .configure_legend(orient="bottom", columns=2, columnPadding=60, labelLimit=400)
    )
