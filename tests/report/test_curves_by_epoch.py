"""Training and validation by epoch, and what was compared: in the charts, the table, the CSV file and the page."""

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from compare.analysis.sections import Section, summarize
from compare.records.results import Results
from compare.records.run import Curve
from compare.report.chart_parts import Look
from compare.report.described import describe
from compare.report.exports import render_csv
from compare.report.terminal import print_tables
from compare.report.validation import draw_accuracy, draw_validation
from tasks import load_task, registry
from tasks.schedules import Cosine, Exponential, StepDecay, Warmup
from tasks.training import SGD, Adadelta, AdamW
from tests.analysis.runs import make_results, make_run
from tests.screen import terminal, written

CURVE = Curve(epochs=[1, 2, 3], losses=[2.2, 1.3, 0.8], accuracies=[0.5, 0.8, 0.9], apart=False)


def results(**fields: Any) -> Results:
    runs = [make_run(backend, **{"curve": CURVE, **fields}) for backend in ("jax", "keras")]
    return make_results().model_copy(update={"runs": runs})


LOOKS = [Look(name, name, "#000000", "circle", [1, 0]) for name in ("jax", "keras")]


def section(of: Results) -> Section:
    (only,) = summarize(of)
    return only


def test_the_charts_hold_every_epoch_of_every_row() -> None:
    rows = section(results()).rows
    drawing = draw_validation(rows, LOOKS)
    assert drawing is not None
    values = drawing.chart.to_dict()["data"]["values"]
    found = [(value["x"], value["loss"]) for value in values if value["row"] == "jax" and value["of"] == "validation"]
    assert found == list(zip(CURVE.epochs, CURVE.losses, strict=True))
    losses = rows[0].completed[0].losses
    assert [value["loss"] for value in values if value["row"] == "jax" and value["of"] == "training"] == losses
    assert "second training" not in drawing.caption
    drawing = draw_accuracy(rows, LOOKS)
    assert drawing is not None
    values = drawing.chart.to_dict()["data"]["values"]
    assert [value["accuracy"] for value in values] == CURVE.accuracies * 2


def test_a_curve_of_a_second_training_is_said_to_be_one() -> None:
    apart = results(curve=CURVE.model_copy(update={"apart": True}))
    for draw in (draw_validation, draw_accuracy):
        drawing = draw(section(apart).rows, LOOKS)
        assert drawing is not None
        assert "of a second training, off the clock" in drawing.caption


@pytest.mark.parametrize("curve", [None, Curve(epochs=[3], losses=[1.0], accuracies=[0.9], apart=False)])
def test_where_no_two_epochs_were_tested_there_is_no_chart(curve: Curve | None) -> None:
    rows = section(results(curve=curve)).rows
    assert draw_validation(rows, LOOKS) is None
    assert draw_accuracy(rows, LOOKS) is None


def test_the_verbose_table_and_the_csv_file_hold_the_curve() -> None:
    console = terminal(100)
    print_tables(results(), console, verbose=True)
    lines = [line.split() for line in written(console).splitlines()]
    assert ["3", "0.7123", "0.8000", "0.9000"] in lines
    row = next(csv.DictReader(io.StringIO(render_csv(results()))))
    assert row["curve_epochs"] == "1 2 3"
    assert row["curve_losses"] == "2.2 1.3 0.8"
    assert row["verified"] == "True"


def test_the_page_says_what_was_compared() -> None:
    described = describe(section(results(learning_rate=0.5)))
    assert described is not None
    assert "3 epochs of 640 training examples, tested on 10,000, 64 examples a step" in described.text
    assert "Loss: cross entropy. Optimizer: SGD, learning rate 0.5, momentum 0.5." in described.text
    assert described.layers[0] == ("input", "", "28 x 28 x 1", 0)
    assert described.layers[2] == ("1_dense", "units 512", "512", 401_920)


def test_what_is_special_in_the_training_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    task = load_task("mnist-mlp")
    for optimizer, options, words in (
        (
            SGD(0.1, 0.9, nesterov=True, weight_decay=0.01),
            {"schedule": Warmup(2, Cosine(0.1)), "clip_norm": 1.0, "label_smoothing": 0.1},
            "Loss: cross entropy, label smoothing 0.1. Optimizer: SGD, learning rate 0.1, momentum 0.9 (Nesterov's),"
            " coupled weight decay 0.01 of kernels, gradients clipped to a common norm of 1; the learning rate rises"
            " evenly over the first 2 epochs, then falls along half a cosine to 0.1 of itself at the end.",
        ),
        (
            AdamW(0.001),
            {"schedule": StepDecay(0.7)},
            "Optimizer: AdamW, learning rate 0.001, beta 1 0.9, beta 2 0.999, epsilon 1e-08, decoupled weight decay"
            " 0.01 of kernels; the learning rate is multiplied by 0.7 after every epoch.",
        ),
        (Adadelta(), {"schedule": Exponential(0.5)}, "falls a little at each step, to 0.5 of itself in an epoch."),
        (SGD(0.1), {"schedule": Warmup(1)}, "rises evenly over the first epoch, then stays as it is."),
        (SGD(0.1), {"schedule": StepDecay(0.5, 3)}, "is multiplied by 0.5 after every 3 epochs."),
    ):
        recipe = replace(task.recipe, optimizer=optimizer, **options)  # type: ignore[arg-type]
        monkeypatch.setitem(registry._TASKS, "mnist-mlp", replace(task, recipes={"standard": recipe}))
        described = describe(section(results()))
        assert described is not None
        assert words in described.text


def test_a_network_that_this_version_does_not_know_is_not_described() -> None:
    assert describe(section(results(parameter_counts={"1_dense": 7}))) is None
