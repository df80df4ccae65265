"""A sweep over values of a task: found among the sections, drawn, and shown as a table in every form of the report."""

from itertools import product
from pathlib import Path

import pytest
from rich.console import Console

from compare.analysis.sections import summarize
from compare.analysis.sweeps import find_sweeps
from compare.records.results import Results
from compare.report.charts import write_charts
from compare.report.html import render_cell
from compare.report.render import render
from compare.report.sweeps import draw_sweep, sweep_table
from compare.report.terminal import print_results
from tests.analysis.runs import make_certificate, make_results, make_run

SIZES, UNITS = (32, 64, 128, 256), (128, 512, 2048)
SPEEDS = {"pytorch": 20_000.0, "keras": 26_000.0, "jax": 15_000.0}


def name(size: int, units: int) -> str:
    return f"mnist-mlp batch_size={size} layers.1.units={units}"


@pytest.fixture(scope="module")
def swept() -> Results:
    runs, certificates = [], []
    for (size, units), backend in product(product(SIZES, UNITS), SPEEDS):
        speed = SPEEDS[backend] * size**0.5 * 128 / units
        task = name(size, units)
        runs.append(make_run(backend, task=task, examples_per_second=speed, accuracy=0.9 + size / 4000))
        refused = (backend, size, units) == ("jax", 64, 512)
        certificates.append(make_certificate(backend, not refused, task=task))
    return make_results(runs=runs, certificates=certificates)


def test_variations_of_the_same_keys_are_a_sweep(swept: Results) -> None:
    (sweep,) = find_sweeps(summarize(swept))
    assert (sweep.title, sweep.keys) == ("mnist-mlp", ("batch_size", "layers.1.units"))
    assert [point.values for point in sweep.points] == [(f"{a}", f"{b}") for a, b in product(SIZES, UNITS)]
    assert set(sweep.names) == set(SPEEDS)


def test_what_all_variations_share_is_no_key_of_the_sweep(swept: Results) -> None:
    runs = [run for run in swept.runs if run.task.endswith("units=512")]
    (sweep,) = find_sweeps(summarize(swept.model_copy(update={"runs": runs, "certificates": []})))
    assert (sweep.title, sweep.keys) == ("mnist-mlp layers.1.units=512", ("batch_size",))
    alone = [run for run in runs if "batch_size=32 " in run.task]
    assert not find_sweeps(summarize(swept.model_copy(update={"runs": alone, "certificates": []})))


def test_the_table_has_a_line_for_each_variation_and_backend(swept: Results) -> None:
    (sweep,) = find_sweeps(summarize(swept))
    headings, lines = sweep_table(sweep)
    assert headings[:3] == ["batch_size", "layers.1.units", "backend"]
    assert headings[-1] == "certificate"
    assert len(lines) == len(swept.runs)
    assert ["32", "128", "pytorch", f"{20_000 * 32**0.5:,.0f}"] in [line[:4] for line in lines[: len(SPEEDS)]]
    assert [line[:3] for line in lines if line[-1] == "refused"] == [["64", "512", "jax"]]


def test_the_chart_has_a_panel_for_each_figure_and_value_of_the_second_key(swept: Results) -> None:
    (sweep,) = find_sweeps(summarize(swept))
    drawing = draw_sweep(sweep)
    assert drawing is not None
    panels = [panel for line in drawing.chart.to_dict()["vconcat"] for panel in line["hconcat"]]
    assert [panel["title"] for panel in panels[:3]] == [f"layers.1.units {units}" for units in UNITS]
    drawn = [value for panel in panels[:3] for value in panel["data"]["values"]]
    assert len(drawn) == len(swept.runs) - 1  # that which is refused
    assert {"row": "keras", "x": "256", "y": 26_000 * 16 * 128 / 512} in panels[1]["data"]["values"]
    assert "1 of 36 rows are not drawn" in drawing.caption
    domains = {str(panel["encoding"]["y"]["scale"]["domain"]) for panel in panels[6:]}
    assert len(domains) == 1  # so that accuracies can be compared by their heights
    assert drawing.svg().startswith("<svg")


def test_every_form_of_the_report_shows_it(swept: Results, tmp_path: Path) -> None:
    assert write_charts(swept, None, tmp_path)[0].name == "1-mnist-mlp.sweep.svg"
    page = render(swept, None, "html")
    assert "mnist-mlp, sweep of batch_size and layers.1.units" in page
    assert page.index('id="sweep-1"') < page.index('id="task-1"')
    cell = render_cell(swept, None)  # what a notebook shows
    assert "mnist-mlp, sweep of batch_size and layers.1.units" in cell
    assert "id=" not in cell.partition("<style>")[0]
    markdown = render(swept, None, "markdown")
    assert "## mnist-mlp, sweep of batch\\_size and layers.1.units" in markdown
    assert "| 32 | 128 | pytorch |" in markdown
    console = Console(width=100, record=True, force_terminal=True)
    print_results(swept, console)
    text = console.export_text()
    assert "sweep of batch_size and layers.1.units" in text
    assert name(32, 128) not in text  # its tables are in the page, and printed with --verbose
