"""Charts: what they show, what they say they leave out, and the files that they are written to."""

import base64
import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from compare.analysis.sections import summarize
from compare.page.drawing import COLORS, color_rules, dark, data_uris, inline, to_png, to_svg
from compare.records.results import Results
from compare.report.chart_parts import Look, line_chart, looks_of
from compare.report.charts import draw, phase_seconds, write_charts
from tests.analysis.runs import make_results, make_run


def test_phases_are_of_runs_that_found_one_kind_of_cache() -> None:
    cold = make_run("keras", compile_cache="empty", compile_seconds=30.0, import_seconds=9.0)
    warm = [
        make_run("keras", round_=r, compile_cache="filled", compile_seconds=2.0, import_seconds=1.0) for r in (1, 2)
    ]
    (section,) = summarize(make_results(runs=[cold, *warm]))
    assert (phase_seconds(section.rows[0])["compile"], phase_seconds(section.rows[0])["import"]) == (2.0, 1.0)
    (section,) = summarize(make_results(runs=[cold]))
    assert (phase_seconds(section.rows[0])["compile"], phase_seconds(section.rows[0])["import"]) == (30.0, 9.0)


@pytest.mark.parametrize("seeds", [30, 51])
def test_charts_say_what_they_leave_out(seeds: int) -> None:
    (section,) = summarize(make_results(runs=[make_run("keras", seed=seed) for seed in range(seeds)]))
    captions = {drawing.name: drawing.caption for drawing in draw(section, None)}
    assert ("only the first 50 runs have a tick" in captions["speed"]) == (seeds > 50)
    assert ("only the first 30 seeds are drawn" in captions["accuracy"]) == (seeds > 30)


def test_charts_are_written_as_svg_and_png(tmp_path: Path, results: Results) -> None:
    written = write_charts(results, None, tmp_path)
    names = {path.name.split(".")[1] for path in written}
    assert names == {"speed", "phases", "learning-curves", "accuracy"}  # equal losses have no logarithm
    for path in written:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG" if path.suffix == ".png" else b"<svg")
    drawing = draw(summarize(results)[0], None)[0]
    light = drawing.svg()
    assert "703 tuned (unverified)" in light
    assert dark(light) != light
    assert ElementTree.fromstring(dark(light)).tag.endswith("svg")


LOOK = Look("jax", "jax", "#0072b2", "circle", [1, 0])


@pytest.mark.parametrize("level", [0.25, 0.0])
def test_a_curve_that_does_not_change_stands_at_its_value(level: float) -> None:
    """Without room above and below it, Vega writes 0 beside it, whatever it is."""
    values = [{"row": "jax", "x": x, "accuracy": level} for x in (1, 2)]
    svg = to_svg(line_chart(values, [LOOK], "epoch", "accuracy", "test accuracy"))
    ticks = [float(text) for text in re.findall(r">(-?\d+\.\d+)</text>", svg.replace("\N{MINUS SIGN}", "-"))]
    assert min(ticks) < level < max(ticks)


def on_white(png: bytes) -> Any:
    image = Image.open(io.BytesIO(png))
    return np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image), int)


def test_a_picture_on_a_page_is_the_drawing_in_fewer_characters(results: Results) -> None:
    for drawing in draw(summarize(results)[0], None):
        whole = drawing.svg()
        light, _ = data_uris(drawing.chart)
        small = base64.b64decode(light.partition("base64,")[2]).decode()
        assert len(small) < 0.75 * len(whole)
        first, second = (on_white(to_png(svg)) for svg in (whole, small))
        changed = np.abs(first - second).max(axis=2) > 80
        assert changed.mean() < 3e-4, (
            drawing.name
        )  # a hundredth of a pixel may shade an edge by a quarter; a tick's label is more
        assert first.std() > 1


def test_a_chart_on_a_page_has_its_colours_and_tells_its_values(results: Results) -> None:
    drawing = draw(summarize(results)[0], None)[0]
    svg = str(inline(drawing.chart, 'says "so" & more'))
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert svg.startswith('<svg class="chart" role="img" aria-label="says &#34;so&#34; &amp; more" ')
    assert "<title>training examples a second: 1.1556k; framework: jax; loop: tuned; row: jax</title>" in svg
    used = set(re.findall(r"var\((--chart-\d+)\)", svg))
    assert used
    assert used <= set(re.findall(r"--chart-\d+", color_rules()))
    assert not set(re.findall(r'"(#[0-9a-f]{6})"', svg)) & set(COLORS)


def test_bars_of_one_framework_are_never_added_up() -> None:
    """Of several workloads each row has a bar of its own, however long its name is."""
    runs = [make_run("jax", epochs=e, examples=4000, batch_size=32 * e) for e in (3, 4)]
    (section,) = summarize(make_results(runs=runs))
    (drawing, *_) = draw(section, None)
    chart = drawing.chart.to_dict()
    places = [value["framework"] for value in chart["layer"][0]["data"]["values"]]
    assert len(set(places)) == 2
    assert all(len(place) <= 29 for place in places)
    assert chart["layer"][0]["encoding"]["x"]["stack"] is None


def test_a_framework_of_another_package_has_one_colour_in_all_tasks() -> None:
    runs = [
        make_run(name, task=task, examples_per_second=speed)
        for task, speeds in (("mnist-mlp", (10, 20)), ("mnist-cnn", (20, 10)))
        for name, speed in zip(("alpha", "beta"), speeds, strict=True)
    ]
    looks = [{look.framework: look.color for look in looks_of(s, s.rows)} for s in summarize(make_results(runs=runs))]
    assert looks[0] == looks[1]
    assert len(set(looks[0].values())) == 2
