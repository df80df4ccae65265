"""Pictures made from a run's arrays: confusions, digits and weights."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from compare.analysis.sections import summarize
from compare.cli import main
from compare.records.results import Results
from compare.report.images import png
from compare.report.pictures import confusion, evaluation_set_of, wrong_digits
from compare.report.render import render
from tasks import load_task
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
    assert "24 of 30. Disagreements come first." in page.text
    images = [a for tag, a in page.elements if tag == "img" and (a["alt"] or "").startswith("test image")]
    assert len(images) == 16 + 24
    assert [image["alt"] for image in images[:16]] == [f"test image {at}, a {labels[at]}" for at in range(16)]
    assert images[16]["alt"] == f"test image 20, a {labels[20]}"  # the first that keras alone gets wrong
    assert sum((a["alt"] or "").startswith("first-layer weights") for t, a in page.elements if t == "img") == 3
    assert "jax, pytorch: labels down, predictions across" in page.text
    assert "Distance between the learning curves" in page.text

    (section,) = summarize(results)
    predictions = labels.astype(np.int32)
    arrays = {"predictions": predictions}
    assert evaluation_set_of(section.rows[0], arrays, own_data=True) is None  # its accuracy is 1, the run's is not
    change(section.rows[0].first, accuracy=1.0)
    row = summarize(results)[0].rows[0]
    assert evaluation_set_of(row, arrays, own_data=False) is None
    found = evaluation_set_of(row, arrays, own_data=True)
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


WRONG_IMAGES = 200  # that a worker keeps


def rotated_digits(folder: Path) -> tuple[Path, Any, Any]:
    """A file with MNIST's labels and other test pictures; and the test pictures and labels."""
    from tasks.mnist import read_digits

    digits = read_digits()
    arrays = {name: array[:40] for name, array in digits.items()}
    arrays["x_test"] = np.ascontiguousarray(np.rot90(digits["x_test"][:300], axes=(1, 2)))
    arrays["y_test"] = digits["y_test"][:300]
    np.savez(folder / "rotated.npz", **arrays)
    return folder / "rotated.npz", arrays["x_test"], arrays["y_test"]


def test_the_digits_are_those_of_the_file_whatever_its_labels(tmp_path: Path) -> None:
    """A real cell is trained on a file with MNIST's labels and rotated test pictures, which lies at hand no more."""
    file, images, labels = rotated_digits(tmp_path)
    output = tmp_path / "run"
    arguments = ["mnist-mlp", "--backend", "numpy", "--epochs", "1", "--examples", "32", "--no-certify"]
    assert main(["run", *arguments, "--data", str(file), "--output", str(output)]) == 0
    file.unlink()
    (path,) = (output / "arrays").iterdir()
    arrays = load_file(path)
    assert (arrays["labels"] == labels).all()
    wrong = np.flatnonzero(arrays["predictions"] != labels)[:WRONG_IMAGES]
    assert len(wrong) == WRONG_IMAGES
    assert (arrays["wrong_indices"] == wrong).all()
    assert (arrays["wrong_images"] == images[wrong]).all()
    page = (output / "report.html").read_text()
    assert png(255 - images[wrong[0]]) in page
    assert "Confusions on the test set" in page
    first = page.partition("The first digits of the test set")[2].partition("</ul>")[0]
    assert [at for at in range(16) if png(255 - images[at]) not in first] == []
    assert first.count("<img") == 16


def test_without_kept_labels_another_file_has_no_pictures(tmp_path: Path) -> None:
    """Of a run by an earlier version that had a file with MNIST's labels."""
    labels = load_task("mnist-mlp").source.load(None).test_labels
    for settings, shown in (({}, True), ({"data_sha256": "b" * 64}, False)):
        folder = tmp_path / str(shown)
        folder.mkdir()
        results = make_results(runs=[make_run("keras")], settings=settings)
        write_arrays(folder, results, labels)
        assert ("Digits that a model gets wrong" in render(results, folder, "html")) == shown


def test_files_of_arrays_can_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    assert main(["run", "and-gate", "--backend", "numpy", "--epochs", "5", "--output", str(tmp_path / "run")]) == 0
    (path,) = (tmp_path / "run" / "arrays").iterdir()
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_arrays_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    results = make_results(runs=[make_run("keras"), make_run("jax")])
    write_arrays(tmp_path, results, load_task("mnist-mlp").source.load(None).test_labels)
    assert "cannot be read" not in render(results, tmp_path, "html")
    damaged, lost = (tmp_path / "arrays" / f"{run.cell.file_name}.safetensors" for run in results.runs)
    damaged.write_bytes(b"\xff" * 100)
    lost.unlink()
    text = Page(render(results, tmp_path, "html")).text
    assert f"The arrays of these runs cannot be read: {lost.name} (missing), {damaged.name} (damaged)" in text
