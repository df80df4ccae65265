"""The speed by batch size: ``tox -e sweep`` measures it, and draws the README's chart of it.

Each batch size is a comparison of its own, with certificates, of all loops of all frameworks, and at the recipe's own
learning rate. The figures and the chart go to ``compare/published``; the runs stay in ``runs``.
"""

import json
import sys
from datetime import datetime
from itertools import product
from pathlib import Path
from statistics import median
from typing import NamedTuple

import altair

from backends.about import MODES
from compare import compare
from compare.analysis.rows import Row
from compare.analysis.sections import summarize
from compare.page.drawing import LIGHT, Drawing
from compare.records.results import Results
from tasks import load_task

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "compare" / "published"
FIGURES, CHART = FOLDER / "batch-sizes.json", FOLDER / "batch-sizes.svg"
SIZES = (16, 32, 64, 128, 256, 512, 1024)
TASKS = ("mnist-mlp", "mnist-cnn")
FRAMEWORKS = {"pytorch": "PyTorch", "keras": "Keras", "jax": "JAX"}
EXAMPLES = 8_192
"""Of an epoch: so many batches of the largest size that an epoch is no single step."""


class Point(NamedTuple):
    """One loop of one framework at one batch size."""

    task: str
    backend: str
    mode: str
    batch_size: int
    examples_per_second: float
    operations_per_second: float | None
    """Of the training's matrix products."""
    verified: bool


def main() -> int:
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    folder = ROOT / "runs" / f"{datetime.now():sweep-%Y%m%d-%H%M%S}"
    points: list[Point] = []
    rates: list[float] = []
    for size, task in product(sizes, TASKS):
        results = compare(
            tasks=task,
            backends=tuple(FRAMEWORKS),
            modes=MODES,
            batch_size=size,
            examples=EXAMPLES,
            epochs=1,
            learning_rate=load_task(task).recipe.optimizer.learning_rate,
            output=folder / f"{task}-{size}",
        ).results
        (section,) = summarize(results)
        points += [point_of(task, size, row) for row in section.rows if row.speed is not None]
        rates += [row.matrix_rate for row in section.rows if row.matrix_rate]
        publish(results, points, max(rates))  # what is there is kept if the sweep ends early
    return 0 if all(point.verified for point in points) else 1


def point_of(task: str, size: int, row: Row) -> Point:
    rates = [rate for run in row.completed if (rate := run.operations_per_second) is not None]
    speed = row.speed.value if row.speed else 0.0
    return Point(task, row.first.backend, row.first.mode, size, speed, median(rates) if rates else None, row.verified)


def publish(results: Results, points: list[Point], rate: float) -> None:
    """Writes the figures, and the chart of those that are certified."""
    content = {
        "created": results.created,
        "host": results.host,
        "versions": {name: version for run in results.runs for name, version in run.versions.items()},
        "matrix_rate": rate,
        "points": [point._asdict() for point in points],
    }
    FIGURES.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    CHART.write_text(draw(points, rate).svg(), encoding="utf-8")


def draw(points: list[Point], rate: float) -> Drawing:
    """Two tasks beside each other: above, examples a second; below, the share of the machine's matrix rate."""
    values = [
        {
            "task": point.task,
            "batch size": point.batch_size,
            "framework": FRAMEWORKS[point.backend],
            "loop": point.mode,
            "speed": point.examples_per_second,
            "share": (point.operations_per_second or 0.0) / rate,
        }
        for point in points
        if point.verified
    ]
    titles = {"speed": "training, examples a second", "share": "share of the machine's matrix rate"}
    rows = [altair.hconcat(*(panel(values, task, field, titles[field]) for task in TASKS)) for field in titles]
    chart = altair.vconcat(*rows).configure_legend(orient="bottom", columns=3)
    caption = "Training by batch size. Only certified runs are drawn."
    return Drawing("batch-sizes", "Speed by batch size", caption, chart)


def panel(values: list[dict[str, object]], task: str, field: str, title: str) -> altair.LayerChart:
    own = [value for value in values if value["task"] == task]
    sizes = sorted({value["batch size"] for value in values})
    strokes = altair.Legend(symbolType="stroke", symbolStrokeWidth=3, symbolSize=400)
    colors = altair.Scale(domain=list(FRAMEWORKS.values()), range=list(LIGHT[: len(FRAMEWORKS)]))
    dashes = altair.Scale(domain=list(MODES), range=[[1, 0], [5, 3]])
    base = altair.Chart(altair.Data(values=own), width=340, height=220, title=task).encode(
        x=altair.X(
            "batch size:Q",
            title="batch size",
            scale=altair.Scale(type="log", base=2),
            axis=altair.Axis(values=sizes, format=",d", grid=False),
        ),
        y=altair.Y(
            f"{field}:Q", title=title, axis=altair.Axis(format=".0%" if field == "share" else ",d", tickCount=5)
        ),
        color=altair.Color("framework:N", scale=colors, title=None, legend=strokes),
    )
    lines = base.mark_line().encode(strokeDash=altair.StrokeDash("loop:N", scale=dashes, title=None, legend=strokes))
    return lines + base.mark_point(filled=True, size=45, opacity=1)


if __name__ == "__main__":
    sys.exit(main())
