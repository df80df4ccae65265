"""The charts of a task, drawn by Altair."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compare.analysis.rows import Row, measure_of
from compare.analysis.sections import Section, summarize
from compare.analysis.sweeps import find_sweeps
from compare.page.drawing import INK, LIGHT, Drawing
from compare.records.results import Results
from compare.report.arrays import first_arrays
from compare.report.chart_parts import make_chart, row_colors, row_names, row_shapes
from compare.report.curves import draw_curves, draw_distances
from compare.report.predictions import draw_predictions
from compare.report.sweeps import draw_sweep
from compare.report.validation import draw_accuracy, draw_validation

ROWS = 8
"""Rows in one chart; more cannot be told apart."""
RUNS = 50
"""Runs of a row whose speeds are drawn beside the median."""
SEEDS = 30
"""Seeds of a row whose accuracies are drawn."""
PHASES = ("import", "build", "compile", "train", "evaluate")
LEGEND = {
    "orient": "bottom", "columns": 3, "columnPadding": 28, "symbolStrokeWidth": 2, "symbolSize": 90, "labelLimit": 220,
}  # fmt: skip
PADDING = {"left": 20, "top": 5, "right": 12, "bottom": 5}


def draw(section: Section, folder: Path | None) -> list[Drawing]:
    """All charts of a task for which there are results.

    Args:
        section: the task's rows.
        folder: of the run, for its arrays; None to leave out what needs them.
    """
    completed = [row for row in section.rows if row.completed]
    rows = completed[:ROWS]
    if not rows:
        return []
    names = row_names(section, rows)
    arrays = first_arrays(rows, folder)
    note = f" {len(completed) - ROWS} more rows are not drawn." if len(completed) > ROWS else ""
    drawings = [
        _throughput(rows, names),
        _phases(rows, names),
        draw_curves(rows, names, arrays),
        draw_distances(rows, names, arrays),
        draw_validation(rows, names),
        draw_accuracy(rows, names),
        _accuracies(rows, names),
        draw_predictions(rows, names, arrays),
    ]
    return [
        Drawing(d.name, d.title, d.caption + note, d.chart.configure_legend(**LEGEND).properties(padding=PADDING))
        for d in drawings
        if d is not None
    ]


def write_charts(results: Results, folder: Path | None, out: Path) -> list[Path]:
    """Writes every chart as SVG and as PNG into the folder ``out``; returns the files."""
    out.mkdir(parents=True, exist_ok=True)
    sections = summarize(results)
    drawings = [(f"sweep-{s.title}", [drawn]) for s in find_sweeps(sections) if (drawn := draw_sweep(s)) is not None]
    drawings += [(f"{section.task}-{section.recipe}", draw(section, folder)) for section in sections]
    written: list[Path] = []
    for index, (title, of_one) in enumerate(drawings, 1):
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{index}-{title}")[:70]
        for drawing in of_one:
            path = out / f"{name}.{drawing.name}.svg"
            path.write_text(drawing.svg(), encoding="utf-8")
            path.with_suffix(".png").write_bytes(drawing.png())
            written += [path, path.with_suffix(".png")]
    return written


def _throughput(rows: Sequence[Row], names: Sequence[str]) -> Drawing | None:
    import altair

    values: list[dict[str, Any]] = []
    rounds: list[dict[str, Any]] = []
    for row, name in zip(rows, names, strict=True):
        if row.speed is None:
            continue
        low, high = row.speed.interval or (row.speed.value, row.speed.value)
        values.append({"row": name, "value": row.speed.value, "low": low, "high": high})
        rounds += [{"row": name, "value": speed} for speed in list(row.speeds.values())[:RUNS]]
    if not values:
        return None
    height = 34 * len(values) + 20
    y = altair.Y("row:N", sort=list(names), title=None)
    color = row_colors(names, legend=False)
    scale = altair.Scale(zero=True)
    x = altair.X(
        "value:Q", title="training, examples a second", scale=scale, axis=altair.Axis(format=",d", tickCount=5)
    )
    lines = make_chart(values, height).mark_rule(strokeWidth=3)
    lines = lines.encode(x=altair.X("low:Q", scale=scale), x2="high:Q", y=y, color=color)
    points = make_chart(values, height).mark_point(filled=True, size=110, opacity=1).encode(x=x, y=y, color=color)
    ticks = make_chart(rounds, height).mark_tick(thickness=1.5, size=12, opacity=0.7).encode(x=x, y=y, color=color)
    bars = all(row.speed is None or row.speed.interval for row in rows)
    what = "the lines are their 95 % intervals" if bars else "with fewer than three rounds there is no interval"
    caption = f"Training speed: points are medians, ticks the single runs; {what}."
    if any(len(row.speeds) > RUNS for row in rows):
        caption += f" Of each row only the first {RUNS} runs have a tick; the medians and intervals are of all."
    return Drawing("throughput", "Training speed", caption, altair.layer(lines, ticks, points))


def phase_seconds(row: Row) -> dict[str, float]:
    """Seconds of each phase: medians over the runs with a warm compile cache, or over all if there are none."""
    warm = tuple(run for run in row.completed if run.compile_cache == "filled")
    row = Row(warm or row.completed, row.certificate, row.matrix_rate)
    phases: dict[str, float] = {}
    for phase in ("import", "build", "compile"):
        if (seconds := row.median_of(f"{phase}_seconds")) is not None:
            phases[phase] = seconds
    if steady := [second for run in row.completed for second in run.epoch_seconds]:
        phases["train"] = float(np.median(steady)) * row.first.epochs
    evaluation = row.median_of("evaluate_seconds")
    if evaluation is not None:
        phases["evaluate"] = evaluation * max(len(run.accuracies) for run in row.completed)
    return phases


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
        make_chart(values, 34 * len(rows) + 20)
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


def _accuracies(rows: Sequence[Row], names: Sequence[str]) -> Drawing | None:
    import altair

    values: list[dict[str, Any]] = [
        {"row": name, "seed": str(seed), "accuracy": accuracy}
        for row, name in zip(rows, names, strict=True)
        for seed, accuracy in list(row.accuracies.items())[:SEEDS]
    ]
    if not values:
        return None
    measure = measure_of(rows)
    low, high = min(v["accuracy"] for v in values), max(v["accuracy"] for v in values)
    margin = max(0.002, (high - low) / 8)
    chart = (
        make_chart(values, 200)
        .mark_point(size=90, strokeWidth=2, opacity=1)
        .encode(
            x=altair.X("seed:N", title="seed", sort=None, axis=altair.Axis(labelAngle=0)),
            xOffset=altair.XOffset("row:N", sort=list(names)),
            y=altair.Y(
                "accuracy:Q",
                title=f"test {measure}",
                scale=altair.Scale(domain=[low - margin, high + margin], nice=False),
                axis=altair.Axis(format=".4~f", tickCount=5),
            ),
            color=row_colors(names),
            shape=row_shapes(names),
        )
    )
    caption = f"Test {measure} after the last epoch, a point for each seed."
    if any(len(row.accuracies) > SEEDS for row in rows):
        caption += f" Of each row only the first {SEEDS} seeds are drawn."
    return Drawing("accuracy", f"{measure.capitalize()} by seed", caption, chart)
