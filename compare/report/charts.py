"""The charts of a task, drawn by Altair.

Rows are told apart by colour and by shape, dash or width, in colours after Okabe and Ito, for every colour vision.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compare.analysis.rows import Row
from compare.analysis.sections import Section, summarize
from compare.page.drawing import INK, LIGHT, Drawing
from compare.records.results import Results
from compare.report.arrays import first_arrays
from compare.text import clean

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 1], [1, 3], [10, 2], [3, 6])
ROWS = 8
"""Rows in one chart; more cannot be told apart."""
POINTS = 120
"""Points of one line: more than a screen shows, and few enough for the page."""
TICKS = 50
"""Runs of a row that are drawn beside its median."""
SEEDS = 30
"""Seeds of a row that are drawn."""
LEGEND = {
    "orient": "bottom", "columns": 3, "columnPadding": 28, "symbolStrokeWidth": 2, "symbolSize": 90, "labelLimit": 220,
}  # fmt: skip
PADDING = {"left": 20, "top": 5, "right": 12, "bottom": 5}
_WORDS = 28


def draw(section: Section, folder: Path | None) -> list[Drawing]:
    """All charts of a task that its results allow."""
    rows = [row for row in section.rows if row.completed][:ROWS]
    if not rows:
        return []
    names = _names(section, rows)
    arrays = first_arrays(rows, folder)
    more = len([row for row in section.rows if row.completed]) - len(rows)
    note = f" {more} more rows are not drawn." if more else ""
    found = [
        _throughput(rows, names),
        _phases(rows, names),
        _curves(rows, names, arrays),
        _distances(rows, names, arrays),
        _accuracies(rows, names),
    ]
    return [
        Drawing(d.name, d.title, d.caption + note, d.chart.configure_legend(**LEGEND).properties(padding=PADDING))
        for d in found
        if d is not None
    ]


def write_charts(results: Results, folder: Path | None, out: Path) -> list[Path]:
    """Writes every chart as SVG and as PNG; returns the files."""
    out.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for index, section in enumerate(summarize(results)):
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{index + 1}-{section.task}-{section.recipe}")[:70]
        for drawing in draw(section, folder):
            path = out / f"{name}.{drawing.name}.svg"
            path.write_text(drawing.svg(), encoding="utf-8")
            path.with_suffix(".png").write_bytes(drawing.png())
            written += [path, path.with_suffix(".png")]
    return written


def _names(section: Section, rows: Sequence[Row]) -> list[str]:
    names: list[str] = []
    for row in rows:
        name = section.label(row)
        name = name if len(name) <= _WORDS else name[: _WORDS - 1] + "…"
        name += "" if row.verified else " (unverified)"
        while name in names:
            name += "'"
        names.append(name)
    return names


def _base(values: list[dict[str, Any]], height: int = 240) -> Any:
    import altair

    return altair.Chart(altair.Data(values=values), width=440, height=height)


def _steps(unit: str, values: Sequence[dict[str, Any]]) -> Any:
    import altair

    last = int(max(value["x"] for value in values))
    ticks: dict[str, Any] = {"values": list(range(1, last + 1))} if last <= 10 else {"tickCount": 6}
    return altair.X("x:Q", title=unit, axis=altair.Axis(format=",d", **ticks))


def _color(names: Sequence[str], *, legend: bool = True, omit: int = 0) -> Any:
    import altair

    scale = altair.Scale(domain=list(names[omit:]), range=list(LIGHT[omit : len(names)]))
    return altair.Color("row:N", scale=scale, title=None, **({} if legend else {"legend": None}))


def _dash(names: Sequence[str]) -> Any:
    import altair

    scale = altair.Scale(domain=list(names[1:]), range=list(DASHES[: len(names) - 1]))
    return altair.StrokeDash("row:N", scale=scale, title=None)


def _throughput(rows: Sequence[Row], names: Sequence[str]) -> Drawing | None:
    import altair

    values: list[dict[str, Any]] = []
    rounds: list[dict[str, Any]] = []
    for row, name in zip(rows, names, strict=True):
        if row.speed is None:
            continue
        low, high = row.speed.interval or (row.speed.value, row.speed.value)
        values.append({"row": name, "value": row.speed.value, "low": low, "high": high})
        rounds += [{"row": name, "value": speed} for speed in list(row.speeds.values())[:TICKS]]
    if not values:
        return None
    height = 34 * len(values) + 20
    y = altair.Y("row:N", sort=list(names), title=None)
    color = _color(names, legend=False)
    scale = altair.Scale(zero=True)
    x = altair.X(
        "value:Q", title="training, examples a second", scale=scale, axis=altair.Axis(format=",d", tickCount=5)
    )
    lines = _base(values, height).mark_rule(strokeWidth=3)
    lines = lines.encode(x=altair.X("low:Q", scale=scale), x2="high:Q", y=y, color=color)
    points = _base(values, height).mark_point(filled=True, size=110, opacity=1).encode(x=x, y=y, color=color)
    ticks = _base(rounds, height).mark_tick(thickness=1.5, size=12, opacity=0.7).encode(x=x, y=y, color=color)
    bars = all(row.speed is None or row.speed.interval for row in rows)
    what = (
        "the lines are their 95 % intervals" if bars else "no interval is drawn where there are fewer than three rounds"
    )
    caption = f"Training speed: points are medians, ticks the single runs; {what}."
    if any(len(row.speeds) > TICKS for row in rows):
        caption += f" Of each row only the first {TICKS} runs have a tick; the medians and intervals are of all."
    return Drawing("throughput", "Training speed", caption, altair.layer(lines, ticks, points))


PHASES = ("import", "build", "compile", "train", "evaluate")


def phase_seconds(row: Row) -> dict[str, float]:
    """Seconds of each phase, from medians over runs of one kind: those with a warm compile cache, where there are."""
    warm = tuple(run for run in row.completed if run.compile_cache == "filled")
    row = Row(warm or row.completed, row.certificate)
    found: dict[str, float] = {}
    for phase in ("import", "build", "compile"):
        if (seconds := row.median_of(f"{phase}_seconds")) is not None:
            found[phase] = seconds
    if steady := [second for run in row.completed for second in run.epoch_seconds]:
        found["train"] = float(np.median(steady)) * row.first.epochs
    evaluation = row.median_of("evaluate_seconds")
    if evaluation is not None:
        found["evaluate"] = evaluation * max(len(run.accuracies) for run in row.completed)
    return found


def _phases(rows: Sequence[Row], names: Sequence[str]) -> Drawing | None:
    import altair

    values = [
        {"row": name, "phase": phase, "seconds": seconds, "order": PHASES.index(phase)}
        for row, name in zip(rows, names, strict=True)
        for phase, seconds in phase_seconds(row).items()
    ]
    if not values:
        return None
    scale = altair.Scale(domain=list(PHASES), range=[LIGHT[i] for i in (0, 2, 1, 3, 7)])
    chart = (
        _base(values, 34 * len(rows) + 20)
        .mark_bar(stroke=INK, strokeWidth=0.5)
        .encode(
            x=altair.X("seconds:Q", title="seconds", axis=altair.Axis(tickCount=6)),
            y=altair.Y("row:N", sort=list(names), title=None),
            color=altair.Color("phase:N", scale=scale, title=None, sort=list(PHASES)),
            order="order:Q",
        )
    )
    caption = (
        "Time by phase, from medians, of the runs with a warm compile cache where there are any: compile is what first"
        " training calls take beyond steady epochs, train a steady epoch times the epochs, evaluate one evaluation"
        " times their number. The bars stack in the order of the legend."
    )
    return Drawing("phases", "Where the time goes", caption, chart)


def _line(values: NDArray[Any], first: float, step: float, reduce: Callable[..., Any]) -> list[tuple[float, float]]:
    """At most ``POINTS`` points of a line, each standing for the values around it."""
    size = max(1, -(-len(values) // POINTS))
    return [
        (first + step * (at + len(values[at : at + size]) - 1), float(reduce(values[at : at + size])))
        for at in range(0, len(values), size)
    ]


def losses_of(rows: Sequence[Row], arrays: Sequence[dict[str, NDArray[Any]]]) -> tuple[list[NDArray[Any]], str]:
    """Each row's losses, and of what: of steps where every row kept them, otherwise the epochs' means."""
    steps = [array.get("step_losses") for array in arrays]
    if all(s is not None and s.ndim == 2 and s.shape[1] > 1 for s in steps):
        return [s.ravel().astype(np.float64) for s in steps if s is not None], "step"
    return [np.array(row.completed[0].losses, np.float64) for row in rows], "epoch"


def _curves(rows: Sequence[Row], names: Sequence[str], arrays: Sequence[dict[str, NDArray[Any]]]) -> Drawing | None:
    import altair

    losses, unit = losses_of(rows, arrays)
    values = [
        {"row": name, "x": x, "loss": loss}
        for name, line in zip(names, losses, strict=True)
        for x, loss in _line(line[np.isfinite(line)], 1, 1, np.mean)
    ]
    if not values:
        return None
    # The same line drawn over itself would hide all but the last: each is narrower than the one below.
    widths = altair.Scale(domain=list(names), range=[1.5 + 2.5 * min(len(names) - 1, 3), 1.5])
    chart = (
        _base(values)
        .mark_line(point=len(values) <= 10 * len(rows))
        .encode(
            x=_steps(unit, values),
            y=altair.Y("loss:Q", title="training loss", scale=altair.Scale(zero=False)),
            color=_color(names),
            strokeWidth=altair.StrokeWidth("row:N", scale=widths, title=None),
        )
    )
    caption = (
        f"Training loss by {unit} of each row's first run{', averaged where steps are many' * (unit == 'step')}."
        " Lines that lie on each other are as it should be: the models are the same."
    )
    return Drawing("learning-curves", "Learning curves", caption, chart)


def _distances(rows: Sequence[Row], names: Sequence[str], arrays: Sequence[dict[str, NDArray[Any]]]) -> Drawing | None:
    import altair

    if len(rows) < 2:
        return None
    losses, unit = losses_of(rows, arrays)
    reference, seed = losses[0], rows[0].completed[0].seed
    values, equal, parted = [], 0, 0
    for name, row, line in list(zip(names, rows, losses, strict=True))[1:]:
        if line.shape != reference.shape or row.workload != rows[0].workload or row.completed[0].seed != seed:
            parted += 1
            continue
        distance = np.abs(line - reference)
        points = [(x, y) for x, y in _line(distance, 1, 1, np.max) if np.isfinite(y)]
        equal += sum(y == 0 for _, y in points)
        values += [{"row": name, "x": x, "distance": y} for x, y in points if y > 0]
    if not values:
        return None
    chart = (
        _base(values)
        .mark_line(strokeWidth=2, point=len(values) <= 10 * len(rows))
        .encode(
            x=_steps(unit, values),
            y=altair.Y(
                "distance:Q",
                title="distance of the losses",
                scale=altair.Scale(type="log"),
                axis=altair.Axis(format=".0e", values=[10.0**power for power in range(-16, 7)]),
            ),
            color=_color(names, omit=1),
            strokeDash=_dash(names),
        )
    )
    caption = f"How far each row's loss is from that of {names[0]}, by {unit}: where there are many, the largest."
    if equal:
        caption += f" {equal} points at which they are equal to the last bit have no place on a logarithmic axis."
    if parted:
        caption += f" {parted} rows trained otherwise and are left out."
    return Drawing("distances", "Distance between the learning curves", clean(caption), chart)


def _accuracies(rows: Sequence[Row], names: Sequence[str]) -> Drawing | None:
    import altair

    values: list[dict[str, Any]] = [
        {"row": name, "seed": str(seed), "accuracy": accuracy}
        for row, name in zip(rows, names, strict=True)
        for seed, accuracy in list(row.accuracies.items())[:SEEDS]
    ]
    if not values:
        return None
    low, high = min(v["accuracy"] for v in values), max(v["accuracy"] for v in values)
    margin = max(0.002, (high - low) / 8)
    shapes = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left"]
    shape = altair.Shape("row:N", scale=altair.Scale(domain=list(names), range=shapes[: len(names)]), title=None)
    chart = (
        _base(values, 200)
        .mark_point(size=90, strokeWidth=2, opacity=1)
        .encode(
            x=altair.X("seed:N", title="seed", sort=None, axis=altair.Axis(labelAngle=0)),
            xOffset=altair.XOffset("row:N", sort=list(names)),
            y=altair.Y(
                "accuracy:Q",
                title="test accuracy",
                scale=altair.Scale(domain=[low - margin, high + margin], nice=False),
                axis=altair.Axis(format=".4~f", tickCount=5),
            ),
            color=_color(names),
            shape=shape,
        )
    )
    caption = "Test accuracy after the last epoch, a point for each seed."
    if any(len(row.accuracies) > SEEDS for row in rows):
        caption += f" Of each row only the first {SEEDS} seeds are drawn."
    return Drawing("accuracy", "Accuracy by seed", caption, chart)
