"""What a speed depends on stands beside it: other busy processes, and what a tutorial does with its input."""

from pathlib import Path

import pytest

from compare import compare, host
from compare.analysis.sections import summarize
from compare.records.results import Results
from compare.records.run import MachineRate
from compare.report.render import render
from compare.report.terminal import print_results
from tasks.architecture import sequence
from tasks.layers import BatchNorm, Conv2D, Dense, Flatten
from tasks.shipped import Digits
from tasks.task import Recipe, Task
from tasks.training import Adam
from tests.analysis.runs import make_certificate, make_results, make_run
from tests.report.page import Page
from tests.screen import terminal, written
from tests.worker.fakes import posix_only


def printed(results: Results) -> str:
    console = terminal(400)
    print_results(results, console)
    return written(console)


@pytest.mark.parametrize(("load", "warned"), [(None, False), (0.0, False), (0.25, False), (0.26, True), (1.3, True)])
def test_a_run_beside_busy_processes_is_marked(load: float | None, warned: bool) -> None:
    runs = [make_run("keras", round_=r, outside_load=load if r == 1 else 0.1) for r in range(3)]
    results = make_results(runs=[*runs, make_run("jax")])
    text = f"disturbed: in 1 of 3 runs other processes kept {load or 0:.1f} cores busy while it was timed"
    page = Page(render(results, None, "html"))
    for form in (printed(results), page.text, render(results, None, "markdown")):
        assert (text in form) == warned
    assert ("granted, disturbed" in page.text) == warned


@pytest.mark.parametrize(
    ("seconds", "load", "warning"),
    [
        ([0.4, 0.41, 0.15], 0.1, "its epochs took 0.40 s at first and 0.15 s later: either other programs slowed the"),
        ([0.4, 0.15, 0.15], None, "its epochs took 0.40 s at first and 0.15 s later: either other programs slowed the"),
        (
            [0.04, 0.015],
            1.3,
            "0.015 s later: other processes kept 1.3 cores busy meanwhile, which may be the reason; or",
        ),
        ([0.4, 0.4, 0.21, 0.21], 0.1, ""),
        ([0.15, 0.6, 0.15], 0.1, ""),  # one call was slowed
        ([0.15, 0.4, 0.4], 0.1, ""),
        ([0.4], 0.1, ""),
        ([], None, ""),
    ],
)
def test_epochs_that_shrink_are_marked_and_refuse_nothing(
    seconds: list[float], load: float | None, warning: str
) -> None:
    results = make_results(runs=[make_run("keras", epoch_seconds=seconds, outside_load=load), make_run("jax")])
    for form in (printed(results), Page(render(results, None, "html")).text, render(results, None, "markdown")):
        assert ("did less work" in form) == bool(warning)
        assert warning in form
    (section,) = summarize(results)
    assert [row.refusal for row in section.rows] == ["", ""]


def test_of_several_runs_those_whose_epochs_shrink_are_counted() -> None:
    runs = [make_run("keras", round_=r, epoch_seconds=[0.4, 0.1] if r == 1 else [0.1, 0.1]) for r in range(3)]
    text = printed(make_results(runs=[*runs, make_run("jax")]))
    assert "in 1 of 3 runs its epochs took 0.40 s at first and 0.10 s later: either other programs slowed" in text


def test_the_tutorials_input_stands_beside_its_cost() -> None:
    runs = [
        make_run("keras", mode=mode, round_=r, settings={"threads": 2, **({"input": "prepared"} if stock else {})})
        for mode, stock in (("tuned", False), ("stock", True))
        for r in range(3)
    ]
    certificates = [make_certificate("keras", mode=mode) for mode in ("tuned", "stock")]
    results = make_results(runs=runs, certificates=certificates)
    for text in (printed(results), render(results, None, "markdown")):
        assert "; the tutorial's input: prepared" in text
    assert "The input of keras's tutorial: prepared." in Page(render(results, None, "html")).text


def test_a_run_beside_which_the_machine_was_slow_is_marked() -> None:
    def rate(matrix: float, copied: float) -> MachineRate:
        return MachineRate(matrix_operations_per_second=matrix * 1e11, copied_bytes_per_second=copied * 1e10)

    rates = [[rate(1, 0.9), rate(0.9, 1)], [rate(1, 0.9), rate(0.6, 1)], [rate(1, 1), rate(0.81, 0.81)]]
    runs = [make_run("keras", round_=r, machine=rates[r]) for r in range(3)]
    for results, marked in (
        (make_results(runs=[*runs, make_run("jax")]), True),
        (make_results(runs=[runs[0], runs[2], make_run("jax")]), False),
    ):
        for form in (printed(results), Page(render(results, None, "html")).text, render(results, None, "markdown")):
            assert ("slow machine: in 1 of 3 runs NumPy's own matrix products or copies" in form) == marked
            assert ("reached 60% of what they reached beside other runs" in form) == marked


@posix_only
@pytest.mark.parametrize("bias", [True, False])
def test_a_bias_that_is_normalized_away_is_named_where_it_makes_a_certificate_undecidable(
    *, bias: bool, tmp_path: Path
) -> None:
    layers = [Conv2D(2, strides=(2, 2), bias=bias), BatchNorm(), Flatten(), Dense(10)]
    optimizer = Adam(0.01)
    recipe = Recipe(sequence((8, 8, 1), layers), "cross_entropy", optimizer, 64, 3, True, "he")
    task = Task("biased", "", {"standard": recipe}, 1.0, Digits())
    results = compare(tasks=[task], backends=["numpy"], output=tmp_path / "run").results
    assert all(results.verified(run) for run in results.runs) != bias
    words = "the bias of 0_conv2d is taken away again by 1_batch_norm: its gradient is 0 but for rounding"
    assert (words in printed(results)) == bias


@pytest.mark.parametrize(("last", "marked"), [(1140.0, False), (1200.0, True)])
def test_speeds_that_lie_far_apart_are_marked(last: float, marked: bool) -> None:
    speeds = (1000.0, 1010.0, last)
    runs = [make_run(name, round_=r, examples_per_second=s) for name in ("keras", "jax") for r, s in enumerate(speeds)]
    results = make_results(runs=runs)
    text = "unsteady: its fastest run was 1.20 times as fast as its slowest, and nothing measured here explains it"
    assert (text in printed(results)) == marked
    busy = [run.model_copy(update={"outside_load": 1.0}) for run in runs]
    assert "unsteady" not in printed(make_results(runs=busy))  # why, is said already


@pytest.mark.parametrize(("counts", "marked"), [((7, 7), False), ((7, 9), True), ((None, None), False)])
def test_a_run_in_which_the_processor_grew_hot_is_marked(counts: tuple[int | None, int | None], marked: bool) -> None:
    machine = [
        MachineRate(matrix_operations_per_second=1e11, copied_bytes_per_second=1e10, throttles=count)
        for count in counts
    ]
    text = printed(make_results(runs=[make_run("keras", machine=machine), make_run("jax")]))
    assert ("keras: hot: the processor slowed down because it was hot while it was timed" in text) == marked


def test_linux_is_asked_for_the_governor(tmp_path: Path) -> None:
    file = tmp_path / "scaling_governor"
    assert host._governor(file) == {}
    file.write_text("powersave\n")
    assert host._governor(file) == {"governor": "powersave"}


@pytest.mark.parametrize("governor", ["performance", "powersave"])
def test_a_governor_that_changes_the_frequency_is_warned_of(governor: str) -> None:
    results = make_results()
    results = results.model_copy(update={"host": {**results.host, "governor": governor}})
    for text in (printed(results), render(results, None, "markdown"), Page(render(results, None, "html")).text):
        assert ("follows the governor powersave" in text) == (governor == "powersave")
