"""Weights and biases by layer: what a cell keeps of them, and what the page shows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from compare.analysis.sections import summarize
from compare.records.weights import BINS, arrays_of_weights, summarize_weights, weights_in_arrays
from compare.report.chart_parts import COLORS
from compare.report.charts import draw
from compare.report.html import render_cell
from compare.report.render import render
from compare.report.weights import section_weights
from tasks import load_task
from tests.analysis.runs import make_results, make_run
from tests.report.page import Page

IRIS = load_task("iris-mlp").parameters(0)


def lay(folder: Path, parameters: dict[str, Any]) -> Any:
    """Results of as many rows as there are parameters of models, whose arrays lie in the folder."""
    (folder / "arrays").mkdir(parents=True)
    runs = [make_run(name, task="iris-mlp", parameter_counts={}) for name in parameters]
    for run in runs:
        arrays = arrays_of_weights(parameters[run.backend])
        save_file(arrays, folder / "arrays" / f"{run.cell.file_name}.safetensors")
    return make_results(runs=runs, certificates=[], pairs=[])


def test_a_summary_is_of_all_values() -> None:
    values = np.random.default_rng(0).standard_normal((50, 30)).astype(np.float32)
    summary = summarize_weights(values)
    assert (summary.shape, summary.count) == ((50, 30), 1500)
    assert summary.mean == pytest.approx(values.astype(np.float64).mean(), rel=1e-12)
    assert summary.standard_deviation == pytest.approx(values.astype(np.float64).std(), rel=1e-12)
    assert (summary.smallest, summary.largest) == (values.min(), values.max())
    counts, edges = np.histogram(values.astype(np.float64), BINS)
    assert np.array_equal(summary.counts, counts)
    assert np.array_equal(summary.edges, edges)


@pytest.mark.parametrize("value", [0.0, 0.5, -1e-45, 3e38, -3e38, 1e17])
def test_equal_values_lie_in_the_middle_of_their_histogram(value: float) -> None:
    summary = summarize_weights(np.full(7, value, np.float32))
    assert summary.counts.sum() == summary.counts[BINS // 2 - 1 : BINS // 2 + 1].sum() == 7
    assert summary.edges[0] < summary.smallest == summary.largest < summary.edges[-1]


def test_what_a_file_holds_is_what_was_kept_in_the_order_of_the_layers(tmp_path: Path) -> None:
    many = {f"{at}_dense/kernel": np.full(3, at, np.float32) for at in range(12)}
    save_file(arrays_of_weights(many), tmp_path / "f")
    found = weights_in_arrays(load_file(tmp_path / "f"))
    assert list(found) == list(many)
    assert [summary.mean for summary in found.values()] == list(range(12))


def test_a_diverged_parameter_is_left_out() -> None:
    assert list(weights_in_arrays(arrays_of_weights({"a": np.array([1.0, np.nan]), "b": np.ones(2)}))) == ["b"]


@pytest.mark.parametrize(
    ("kind", "array"),
    [
        ("weights_shape", np.array([[4, 10]])),
        ("weights_shape", np.array([4, 11])),
        ("weights_shape", np.array([-4, -10])),
        ("weights_statistics", np.zeros(3)),
        ("weights_statistics", np.array([0, 1, -1e300, 1])),
        ("weights_statistics", np.array([np.nan, 1, -1, 1])),
        ("weights_histogram", np.zeros(BINS, np.int64)),
        ("weights_histogram", np.ones(BINS + 1, np.int64)),
        ("weights_histogram", None),
    ],
)
def test_what_cannot_be_right_is_left_out(kind: str, array: Any) -> None:
    name = "0_dense/kernel"
    arrays = arrays_of_weights({name: IRIS[name]})
    assert list(weights_in_arrays(arrays)) == [name]  # the twin: unchanged, it is read
    changed = {key: value for key, value in {**arrays, f"{kind} 0 {name}": array}.items() if value is not None}
    shape = changed["weights_shape 0 0_dense/kernel"]
    if kind == "weights_shape" and (shape < 0).all():
        changed["weights_histogram 0 0_dense/kernel"] = np.full(BINS, -1)
    assert weights_in_arrays(changed) == {}


def test_the_page_shows_every_rows_weights_beside_each_other(tmp_path: Path) -> None:
    other = {name: array + (name == "2_dense/bias") for name, array in IRIS.items()}
    results = lay(tmp_path, {"pytorch": IRIS, "keras": IRIS, "jax": other})
    page = Page(render(results, tmp_path, "html"))
    assert "Weights and biases by layer, after training" in page.text
    assert "0_dense/kernel, 4 x 10" in page.text
    alts = [a.get("aria-label") or "" for tag, a in page.elements if tag == "svg"]
    assert [alt.split()[5] for alt in alts if alt.startswith("Histogram of the values of")] == [
        name if at < 0 else f"{name}," for at, name in enumerate(IRIS)
    ]
    names = ("pytorch (unverified)", "keras (unverified)", "jax (unverified)")
    lines = [row for row in page.rows if len(row) == 5 and row[0][2] in names]
    assert len(lines) == 3 * len(IRIS)
    for at, (name, array) in enumerate(IRIS.items()):
        means = [float(line[1][1] or "nan") for line in lines[3 * at : 3 * at + 3]]
        mean = array.astype(np.float64).mean()
        assert means == pytest.approx([mean + (name == "2_dense/bias"), mean, mean], rel=1e-6)
    assert [row for row in Page(render_cell(results, tmp_path)).rows if row] == [row for row in page.rows if row]


def test_each_row_has_the_colour_that_it_has_in_all_charts(tmp_path: Path) -> None:
    results = lay(tmp_path, {"pytorch": IRIS, "keras": {}, "jax": IRIS})
    (section,) = summarize(results)
    shown = section_weights(section, tmp_path)
    assert [of.name for of in shown] == list(IRIS)
    assert all([name for name, _ in of.rows] == ["jax (unverified)", "pytorch (unverified)"] for of in shown)
    scale = shown[0].chart.to_dict()["spec"]["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True))["jax (unverified)"] == COLORS["jax"]
    alone = lay(tmp_path / "alone", {"jax": IRIS, "other": IRIS})
    drawings = {drawing.name: drawing.chart.to_dict() for drawing in draw(summarize(alone)[0], None)}
    scale = drawings["accuracy"]["encoding"]["color"]["scale"]
    colors = dict(zip(scale["domain"], scale["range"], strict=True))
    assert colors["jax (unverified)"] == COLORS["jax"]
    assert colors["other (unverified)"] not in COLORS.values()


def test_runs_that_kept_nothing_show_nothing(tmp_path: Path) -> None:
    results = make_results(runs=[make_run("keras")])
    assert "Weights and biases" not in render(results, None, "html")
    assert "Weights and biases" not in render(results, tmp_path, "html")


def test_histograms_that_the_page_cannot_hold_are_left_out_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = lay(tmp_path, {"keras": IRIS})
    monkeypatch.setattr("compare.report.html.draw", lambda section, folder: [])
    for size, least, most in ((3_000_000, len(IRIS), len(IRIS)), (12_000, 1, len(IRIS) - 1), (0, 0, 0)):
        monkeypatch.setattr("compare.report.html.CHART_BYTES", size)
        page = render(results, tmp_path, "html")
        count = page.count("Histogram of the values of")
        assert least <= count <= most
        assert ("Histograms that the page has no room for are left out" in page) == (count < len(IRIS))
        assert page.count("standard deviation</th>") == len(IRIS)


def test_hostile_names_and_figures_in_a_file_are_harmless(tmp_path: Path) -> None:
    names = ['"><script>alert(1)</script>', "</h3><svg onload=alert(1)>", "\x1b[2J\u202e", "a" * 5000, "x y z"]
    results = lay(tmp_path, {"keras": {name: np.full(3, 3e38, np.float32) for name in names}})
    page = Page(render(results, tmp_path, "html"))
    assert not {tag for tag, _ in page.elements} & {"script"}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "\x1b" not in page.text
    assert page.text.count("standard deviation") == len(names)
