"""All tasks at a glance: the geometric mean of ratios over tasks, with an interval from the rounds."""

import pytest

from compare.analysis.overview import overview
from compare.analysis.sections import summarize
from compare.analysis.statistics import compare_ratio
from compare.records.results import Results
from compare.report.render import render
from tests.analysis.runs import make_certificate, make_results, make_run
from tests.report.page import Page

SPEEDS = {
    "mnist-mlp": {"jax": (100, 110, 105), "keras": (50, 52, 51), "pytorch": (80, 81, 79)},
    "mnist-cnn": {"jax": (10, 11, 10.5), "keras": (20, 22, 20.5), "pytorch": (5, 5.2, 5.1)},
}


def make(rounds: int = 3, tasks: tuple[str, ...] = tuple(SPEEDS)) -> Results:
    runs = [
        make_run(name, task=task, round_=r, examples_per_second=speeds[r])
        for task in tasks
        for name, speeds in SPEEDS[task].items()
        for r in range(rounds)
    ]
    return make_results(runs=runs, certificates=[make_certificate(n, task=t) for t in tasks for n in SPEEDS[t]])


def test_the_mean_is_geometric_and_of_the_same_rounds() -> None:
    found = overview(summarize(make()))
    assert found.titles == ("mnist-mlp", "mnist-cnn")
    assert [standing.backend for standing in found.standings] == ["jax", "keras", "pytorch"]
    keras = found.standings[1]
    expected = compare_ratio(
        [(50 * 20) ** 0.5, (52 * 22) ** 0.5, (51 * 20.5) ** 0.5],
        [(100 * 10) ** 0.5, (110 * 11) ** 0.5, (105 * 10.5) ** 0.5],
    )
    assert keras.mean.ratio == pytest.approx(expected.ratio)
    assert keras.mean.interval == pytest.approx(expected.interval)
    assert keras.ratios[1] == 1
    assert found.standings[0].ratios[1] == pytest.approx((10 * 11 * 10.5 / 20 / 22 / 20.5) ** (1 / 3))
    assert (
        "Over the two tasks, by the geometric mean: of the tuned loops, jax's speed is 1.02 times that of keras"
        in found.sentence
    )


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_it_stands_in_the_report(form: str) -> None:
    text = render(make(), None, form)  # type: ignore[arg-type]
    text = Page(text).text if form == "html" else text
    assert "Over the two tasks, by the geometric mean" in text


def test_where_too_little_is_known_there_is_none() -> None:
    assert not overview(summarize(make(rounds=2))).standings
    assert not overview(summarize(make(tasks=("mnist-mlp",)))).standings
    assert not overview([]).standings
    results = make()
    lost = [run for run in results.runs if (run.task, run.backend) != ("mnist-cnn", "pytorch")]
    names = [s.backend for s in overview(summarize(results.model_copy(update={"runs": lost}))).standings]
    assert names == ["jax", "keras"]


def test_devices_are_told_apart() -> None:
    results = make()
    moved = [run.model_copy(update={"device": "gpu:0"}) for run in results.runs]
    certificates = [c.model_copy(update={"device": "gpu:0"}) for c in results.certificates]
    both = results.model_copy(
        update={"runs": results.runs + moved, "certificates": results.certificates + certificates}
    )
    found = overview(summarize(both))
    assert found.several_devices
    assert "of the tuned loops on cpu, jax's speed" in found.sentence
    assert "of the tuned loops on gpu:0, jax's speed" in found.sentence
    assert "gpu:0" in Page(render(both, None, "html")).text
