"""The charts of a task, drawn by Altair."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from compare.analysis.rows import Row, measure_of
from compare.analysis.sections import Section, summarize
from compare.analysis.statistics import Estimate
from compare.analysis.sweeps import find_sweeps
from compare.page.drawing import INK, STEPS, Drawing
from compare.records.results import Results
from compare.report.arrays import first_arrays
from compare.report.chart_parts import Look, looks_of, make_chart, row_colors, row_shapes
from compare.report.curves import draw_curves, draw_distances, draw_time
from compare.report.predictions import draw_predictions
from compare.report.sweeps import draw_sweep
from compare.report.validation import draw_accuracy, draw_validation

ROWS = 8
"""Rows in one chart; more cannot be told apart."""
RUNS = 50
"""Runs of a row whose speeds are drawn beside the median."""
SEEDS = 30
"""Seeds of a row whose accuracies are drawn."""
SPEED_TITLE = "training examples a second"
FAR = 20
"""How many times the slowest the fastest speed may be for both to have bars; beyond it, the axis is logarithmic."""
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
    looks = looks_of(section, rows)
    arrays = first_arrays(rows, folder)
    note = f" {len(completed) - ROWS} more rows are not drawn." if len(completed) > ROWS else ""
    drawings = [
        _speeds(rows, looks),
        draw_validation(rows, looks),
        draw_accuracy(rows, looks),
        draw_time(rows, looks),
        draw_curves(rows, looks, arrays),
        draw_distances(rows, looks, arrays),
        _accuracies(rows, looks),
        draw_predictions(rows, looks, arrays),
        _phases(rows, looks),
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
    drawings = [(s.title, [drawn]) for s in find_sweeps(sections) if (drawn := draw_sweep(s)) is not None]
    drawings += [(section.title, draw(section, folder)) for section in sections]
    written: list[Path] = []
    for index, (title, of_one) in enumerate(drawings, 1):
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{index}-{title}")[:70]
        for drawing in of_one:
            drawing = replace(drawing, chart=drawing.chart.properties(title=f"{drawing.title}, {title}"))
            path = out / f"{name}.{drawing.name}.svg"
            path.write_text(drawing.svg(), encoding="utf-8")
            path.with_suffix(".png").write_bytes(drawing.png())
            written += [path, path.with_suffix(".png")]
    return written


def _speeds(rows: Sequence[Row], looks: Sequence[Look]) -> Drawing | None:
    """A bar for each row, the loops of a framework side by side; points where they are too different for bars."""
    import altair

    measured = [(row, look, row.speed) for row, look in zip(rows, looks, strict=True) if row.speed is not None]
    if not measured:
        return None
    values, rounds = _speed_values(measured)
    slowest, fastest = (reduce(v[end] for v in values) for reduce, end in ((min, "low"), (max, "high")))
    far = fastest > FAR * slowest
    scale = altair.Scale(domain=[0, fastest * 1.35], nice=False)  # with room for the numbers beside the bars
    if far:
        scale = altair.Scale(type="log", domain=[slowest / 2, fastest * 5], nice=False)
    frameworks, loops = (list(dict.fromkeys(v[part] for v in values)) for part in ("framework", "loop"))
    height = len(frameworks) * (26 * len(loops) + 12)
    y, offset = altair.Y("framework:N", sort=frameworks, title=None), altair.YOffset("loop:N", sort=loops)
    ticks_at = {"values": [10.0**power for power in range(-3, 13)]} if far else {"tickCount": 5}

    def place_at(field: str) -> Any:
        axis = altair.Axis(format="~s", **ticks_at)
        return altair.X(f"{field}:Q", scale=scale, title=SPEED_TITLE, axis=axis, stack=None)

    base = make_chart(values, height).encode(y=y, yOffset=offset)
    color = row_colors(looks, legend=False)
    if far:
        marks = base.mark_point(filled=True, size=120, opacity=1)
        marks = marks.encode(x=place_at("value"), color=color, shape=row_shapes(looks, legend=False))
    else:
        paler = altair.Scale(domain=["tuned", "stock"], range=[0.9, 0.45])
        marks = base.mark_bar().encode(
            x=place_at("value"), color=color, opacity=altair.Opacity("loop:N", scale=paler, legend=None)
        )
    lines = base.mark_rule(strokeWidth=2, color=INK).encode(x=place_at("low"), x2="high:Q")
    ticks = make_chart(rounds, height).mark_tick(thickness=1, size=12, color=INK, opacity=0.6)
    ticks = ticks.encode(x=place_at("value"), y=y, yOffset=offset)
    words = base.mark_text(align="left", dx=8, fontSize=12).encode(x=place_at("high"), text="shown:N")
    known = all(speed.interval for _, _, speed in measured)
    what = "the lines are their 95 % intervals" if known else "with fewer than three rounds there is no interval"
    caption = f"Training speed: {'points' if far else 'bars'} are medians, ticks the single runs; {what}."
    caption += " The axis is logarithmic." if far else ""
    if any(len(row.speeds) > RUNS for row, _, _ in measured):
        caption += f" Of each row only the first {RUNS} runs have a tick; the medians and intervals are of all."
    return Drawing("speed", "Training speed", caption, altair.layer(marks, lines, ticks, words))


def _speed_values(measured: Sequence[tuple[Row, Look, Estimate]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A value for each bar, with its interval and the words beside it; and one for each single run."""
    values: list[dict[str, Any]] = []
    rounds: list[dict[str, Any]] = []
    for row, look, speed in measured:
        low, high = speed.interval or (speed.value, speed.value)
        place = {"row": look.name, "framework": look.framework, "loop": row.first.mode}
        shown = f"{speed.value:,.0f}" if speed.value >= 10 else f"{speed.value:.2g}"
        shown += f" {row.first.mode}" + ("" if row.verified else " (unverified)")
        values.append(place | {"value": speed.value, "low": low, "high": high, "shown": shown})
        rounds += [place | {"value": of_run} for of_run in list(row.speeds.values())[:RUNS]]
    return values, rounds


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


def _phases(rows: Sequence[Row], looks: Sequence[Look]) -> Drawing | None:
    import altair

    values = [
        {"row": look.name, "phase": phase, "seconds": seconds, "order": PHASES.index(phase)}
        for row, look in zip(rows, looks, strict=True)
        for phase, seconds in phase_seconds(row).items()
    ]
    if not values:
        return None
    scale = altair.Scale(domain=list(PHASES), range=list(STEPS))
    chart = (
        make_chart(values, 34 * len(rows) + 20)
        .mark_bar(stroke=INK, strokeWidth=0.5)
        .encode(
            x=altair.X("seconds:Q", title="seconds", axis=altair.Axis(tickCount=6)),
            y=altair.Y("row:N", sort=[look.name for look in looks], title=None),
            color=altair.Color("phase:N", scale=scale, title=None, sort=list(PHASES)),
            order="order:Q",
        )
    )
    caption = (
        "Import is that of the framework. Build makes the network and places the data. Compile is what the first"
        " training call takes beyond a steady one. Train is a steady epoch times the number of epochs. Evaluate is one"
        " evaluation times their number. All are medians, of the runs with a warm compile cache where there are any."
    )
    return Drawing("phases", "Where the time goes", caption, chart)


def _accuracies(rows: Sequence[Row], looks: Sequence[Look]) -> Drawing | None:
    import altair

    values: list[dict[str, Any]] = [
        {"row": look.name, "seed": str(seed), "accuracy": accuracy}
        for row, look in zip(rows, looks, strict=True)
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
            xOffset=altair.XOffset("row:N", sort=[look.name for look in looks]),
            y=altair.Y(
                "accuracy:Q",
                title=f"test {measure}",
                scale=altair.Scale(domain=[low - margin, high + margin], nice=False),
                axis=altair.Axis(format=".4~f", tickCount=5),
            ),
            color=row_colors(looks),
            shape=row_shapes(looks),
        )
    )
    caption = f"Test {measure} after the last epoch, a point for each seed."
    if any(len(row.accuracies) > SEEDS for row in rows):
        caption += f" Of each row only the first {SEEDS} seeds are drawn."
    return Drawing("accuracy", f"{measure.capitalize()} by seed", caption, chart)
