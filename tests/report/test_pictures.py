"""Pictures made from a run's arrays: confusions, digits and weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from compare.analysis.sections import summarize
from compare.records.results import Results
from compare.report.pictures import confusion, evaluation_set_of, wrong_digits
from compare.report.render import render
from tests.analysis.runs import change, make_results, make_run
from tests.report.page import Page


def write_arrays(folder: Path, results: Results, labels: Any) -> None:
    (folder / "arrays").mkdir()
    generator = np.random.default_rng(0)
    for run in results.runs:
        if run.status != "ok":
            continue
        predictions = labels.astype(np.int32).copy()
        wrong = 30 if run.backend == "keras" else 20
        predictions[:wrong] = (predictions[:wrong] + 1) % 10
        change(run, accuracy=float((predictions == labels).mean()))
        arrays = {
            "predictions": predictions,
            "step_losses": generator.random((3, 10)).astype(np.float32),
            "first_kernel": generator.standard_normal((784, 32)).astype(np.float32),
        }
        save_file(arrays, folder / "arrays" / f"{run.cell.file_name}.safetensors")


def test_pictures_show_what_the_arrays_hold(tmp_path: Path) -> None:
    from tasks.mnist import read_digits

    labels = read_digits()["y_test"]
    results = make_results(runs=[make_run(name) for name in ("pytorch", "keras", "jax")])
    write_arrays(tmp_path, results, labels)
    page = Page(render(results, tmp_path, "html"))
    assert "24 of 30, those on which the models disagree first" in page.text
    images = [a for tag, a in page.elements if tag == "img" and (a["alt"] or "").startswith("test image")]
    assert len(images) == 24
    assert images[0]["alt"] == f"test image 20, a {labels[20]}"  # the first that keras alone gets wrong
    assert sum((a["alt"] or "").startswith("first-layer weights") for t, a in page.elements if t == "img") == 3
    assert "pytorch, jax: labels down, predictions across" in page.text
    assert "Distance between the learning curves" in page.text

    (section,) = summarize(results)
    predictions = labels.astype(np.int32)
    assert evaluation_set_of(section.rows[0], predictions) is None  # its accuracy is 1, and the run's is not
    change(results.runs[0], accuracy=1.0)
    found = evaluation_set_of(summarize(results)[0].rows[0], predictions)
    assert found is not None
    assert (confusion(predictions, found) == np.diag(np.bincount(labels))).all()
    assert wrong_digits(["a"], [predictions], found) == ([], 0)


def test_pictures_are_of_one_seed_and_say_of_which_and_what_is_left_out(tmp_path: Path) -> None:
    runs = [make_run("pytorch", seed=0, status="crashed"), make_run("pytorch", seed=1)]
    runs += [make_run(f"row{at}", seed=seed) for at in range(6) for seed in (0, 1)]
    (tmp_path / "arrays").mkdir()
    for run in runs:
        kernel = np.full((784, 2), run.seed, np.float32)
        save_file({"first_kernel": kernel}, tmp_path / "arrays" / f"{run.cell.file_name}.safetensors")
    text = Page(render(make_results(runs=runs), tmp_path, "html")).text
    assert "are of the runs with seed 1. 1 more row is not shown." in text
    assert "The largest difference from the first model's is 0.0e+00." in text


def test_pictures_that_the_page_cannot_hold_are_left_out_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "arrays").mkdir()
    run = make_run("keras")
    kernel = np.random.default_rng(0).standard_normal((784, 16)).astype(np.float32)
    save_file({"first_kernel": kernel}, tmp_path / "arrays" / f"{run.cell.file_name}.safetensors")
    monkeypatch.setattr("compare.report.html.draw", lambda section, folder: [])
    for size, omitted in ((3_000_000, False), (100, True)):
        monkeypatch.setattr("compare.report.html.CHART_BYTES", size)
        page = render(make_results(runs=[run]), tmp_path, "html")
        assert ("Digits and weights of this task are left out" in page) == omitted
        assert ("first-layer weights of keras" in page) != omitted


def strange_array(kind: str) -> bytes:
    head = json.dumps({"predictions": {"dtype": kind, "shape": [8], "data_offsets": [0, 8]}}).encode()
    return len(head).to_bytes(8, "little") + head + b"\0" * 8


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 100,
        b"\x80" + b"\x00" * 100,
        strange_array("F8_E4M3"),
        strange_array("BF16").replace(b"[8]", b"[4]"),
    ],
)
def test_damaged_arrays_are_left_out(tmp_path: Path, content: bytes) -> None:
    results = make_results(runs=[make_run("keras")])
    (tmp_path / "arrays").mkdir()
    (tmp_path / "arrays" / f"{results.runs[0].cell.file_name}.safetensors").write_bytes(content)
    assert "Confusions" not in render(results, tmp_path, "html")
